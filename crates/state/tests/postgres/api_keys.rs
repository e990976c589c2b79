//! Keys of the HTTP gateway: who looks for one sees that one, and what is revoked or over does not hold.

use crate::database::{Database, run};
use state::NewApiKey;

fn key<'a>(
    tenant_id: &'a str,
    prefix: &'a str,
    expires_in_s: Option<f64>,
    scopes: &'a [String],
) -> NewApiKey<'a> {
    let (name, created_by) = ("n", "ann");
    NewApiKey { tenant_id, prefix, name, scopes, secret_hash: &[7; 32], created_by, expires_in_s }
}

#[tokio::test]
async fn a_key_that_is_presented_is_found_without_its_tenant_and_holds_until_it_is_revoked() {
    let Some(database) = Database::new("api_keys_found").await else { return };
    let (store, scopes) = (&database.store, ["DIGEST_READ".to_owned()]);
    store.put_api_key(&key("acme", "aa", None, &scopes)).await.unwrap();
    store.put_api_key(&key("beta", "bb", Some(-1.0), &scopes)).await.unwrap();
    let found = store.presented_api_key("aa").await.unwrap().unwrap();
    assert_eq!(
        (found.tenant_id.as_str(), &found.scopes[..], &found.secret_hash[..]),
        ("acme", &scopes[..], &[7; 32][..])
    );
    assert!(found.holds && found.is_stale);
    assert!(!store.presented_api_key("bb").await.unwrap().unwrap().holds, "it is over");
    assert_eq!(store.presented_api_key("cc").await.unwrap(), None);
    store.touch_api_key("acme", "aa").await.unwrap();
    assert!(!store.presented_api_key("aa").await.unwrap().unwrap().is_stale);
    assert!(!store.revoke_api_key("beta", "aa", "bob").await.unwrap(), "it is another tenant's");
    assert!(store.presented_api_key("aa").await.unwrap().unwrap().holds);
    assert!(store.revoke_api_key("acme", "aa", "bob").await.unwrap());
    assert!(!store.revoke_api_key("acme", "aa", "bob").await.unwrap(), "it was revoked before");
    assert!(!store.presented_api_key("aa").await.unwrap().unwrap().holds);
    let listed = store.api_keys("acme").await.unwrap();
    let [listed] = &listed[..] else { panic!("{listed:?}") };
    assert!(listed.prefix == "aa" && listed.revoked_at.is_some() && listed.last_used_at.is_some());
    let actions: Vec<_> = store.audit_entries("acme", 0).await.unwrap();
    let actions: Vec<_> = actions.iter().map(|entry| (entry.actor.as_str(), entry.action.as_str())).collect();
    assert_eq!(actions, [("ann", "gateway key create"), ("bob", "gateway key revoke")]);
    database.drop().await;
}

#[tokio::test]
async fn a_prefix_is_of_one_key_and_a_transaction_sees_the_one_that_it_looks_for() {
    let Some(database) = Database::new("api_keys_rows").await else { return };
    let (store, scopes) = (&database.store, ["DIGEST_READ".to_owned()]);
    store.put_api_key(&key("acme", "aa", None, &scopes)).await.unwrap();
    store.put_api_key(&key("acme", "ab", None, &scopes)).await.unwrap();
    let taken = store.put_api_key(&key("beta", "aa", None, &scopes)).await.unwrap_err();
    assert!(taken.is_refusal(), "{taken}");
    let mut app = database.app().await;
    assert_eq!(run(&mut app, "SELECT prefix FROM api_keys").await.unwrap(), 0);
    run(&mut app, "SELECT set_config('app.api_key', 'aa', false)").await.unwrap();
    assert_eq!(run(&mut app, "SELECT prefix FROM api_keys").await.unwrap(), 1);
    assert_eq!(
        run(&mut app, "UPDATE api_keys SET revoked_at = now()").await.unwrap(),
        0,
        "to look is not to change"
    );
    assert_eq!(run(&mut app, "SELECT prefix FROM api_keys WHERE revoked_at IS NULL").await.unwrap(), 1);
    database.drop().await;
}
