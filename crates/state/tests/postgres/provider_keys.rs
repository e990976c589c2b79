//! Keys of providers: nothing comes of a database without the master key, and what is changed meanwhile is not lost.

use crate::database::Database;
use base64::{Engine, prelude::BASE64_STANDARD};
use keys::{Binding, Ring, Sealed};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Row};
use state::{KeyName, SealedKey, Store};

const SECRET: &str = "sk-open-sesame-0123456789";

fn ring(current: u8, former: &[u8]) -> Ring {
    let master = |byte: &u8| SecretString::from(BASE64_STANDARD.encode([*byte; 32]));
    Ring::new(&master(&current), &former.iter().map(master).collect::<Vec<_>>()).unwrap()
}

fn name(tenant: &str, owner: &str) -> KeyName {
    KeyName { tenant_id: tenant.to_owned(), owner: owner.to_owned(), provider: "pro".to_owned() }
}

fn binding<'a>(name: &'a KeyName, id: &'a [u8]) -> Binding<'a> {
    Binding { tenant_id: &name.tenant_id, owner: &name.owner, provider: &name.provider, id }
}

fn kept(id: &[u8], sealed: Sealed) -> SealedKey {
    let Sealed { master_id, salt, nonce, ciphertext } = sealed;
    SealedKey { id: id.to_vec(), master_id, salt, nonce, ciphertext }
}

fn sealed(key: &SealedKey) -> Sealed {
    let SealedKey { master_id, salt, nonce, ciphertext, .. } = key.clone();
    Sealed { master_id, salt, nonce, ciphertext }
}

async fn set(store: &Store, ring: &Ring, name: &KeyName, secret: &str) {
    let id = keys::row_id().unwrap();
    let key = kept(&id, ring.seal(&binding(name, &id), &secret.into()).unwrap());
    store.put_provider_key(name, &key, "digests").await.unwrap();
}

async fn opened(store: &Store, ring: &Ring, tenant: &str) -> Vec<Option<String>> {
    let keys = store.provider_keys(tenant).await.unwrap();
    let open = |key: &state::ProviderKey| {
        let opened = ring.open(&binding(&key.name, &key.key.id), &sealed(&key.key)).ok();
        opened.map(|secret| secret.expose_secret().to_owned())
    };
    keys.iter().map(open).collect()
}

/// Every row of every table as text, as a dump has it.
async fn dump(database: &Database) -> String {
    let mut owner = database.owner().await;
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut owner).await.unwrap();
    assert!(tables.iter().any(|table| table == "provider_keys"), "{tables:?}");
    let mut text = String::new();
    for table in tables {
        let rows = database.rows("acme", &format!("SELECT row_to_json(t)::text FROM {table} AS t")).await;
        text.extend(rows.iter().map(|row| row.get::<String, _>(0) + "\n"));
    }
    text
}

#[tokio::test]
async fn a_dump_holds_a_key_in_no_form() {
    let Some(database) = Database::new("keys_dump").await else { return };
    let ring = ring(1, &[]);
    set(&database.store, &ring, &name("acme", ""), SECRET).await;
    set(&database.store, &ring, &name("acme", "ann"), SECRET).await;
    let dump = dump(&database).await;
    let hex = SECRET.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert!(dump.contains("ciphertext") && dump.contains("digests"), "{dump}");
    // Base64 has three forms, by where in a group of three bytes the key begins; the ends depend on what is beside it.
    let shifted = |before: &str| BASE64_STANDARD.encode(format!("{before}{SECRET}"))[4..32].to_owned();
    let forms = [SECRET.to_owned(), hex, BASE64_STANDARD.encode(SECRET), shifted("x"), shifted("xx")];
    for form in forms {
        assert!(!dump.contains(&form), "{form}");
    }
    assert_eq!(
        opened(&database.store, &ring, "acme").await,
        [Some(SECRET.to_owned()), Some(SECRET.to_owned())]
    );
    // Neither has another tenant any, nor does a row open under another name.
    assert!(opened(&database.store, &ring, "beta").await.is_empty());
    let mut owner = database.owner().await;
    let swap = "ALTER TABLE provider_keys NO FORCE ROW LEVEL SECURITY;
        UPDATE provider_keys SET owner = 'bob' WHERE owner = 'ann'";
    sqlx::raw_sql(AssertSqlSafe(swap)).execute(&mut owner).await.unwrap();
    assert_eq!(opened(&database.store, &ring, "acme").await, [Some(SECRET.to_owned()), None]);
    database.drop().await;
}

#[tokio::test]
async fn a_revoked_key_leaves_what_was_agreed_to_and_no_bytes() {
    let Some(database) = Database::new("keys_revoked").await else { return };
    let (store, ring, name) = (&database.store, ring(1, &[]), name("acme", ""));
    set(store, &ring, &name, SECRET).await;
    assert_eq!(
        (store.revoke_provider_key(&name).await.unwrap(), store.revoke_provider_key(&name).await.unwrap()),
        (true, false)
    );
    let [key] = &store.provider_keys("acme").await.unwrap()[..] else { panic!("one row") };
    assert_eq!((key.key.ciphertext.len(), key.key.salt.len(), key.purpose.as_str()), (0, 0, "digests"));
    assert!(key.revoked_at.is_some_and(|at| at >= key.consented_at));
    set(store, &ring, &name, "sk-another").await;
    assert_eq!(opened(store, &ring, "acme").await, [Some("sk-another".to_owned())]);
    database.drop().await;
}

/// Under the new master key while keys are set and revoked: what was changed since it was read is left as it is.
#[tokio::test]
async fn a_rotation_changes_only_what_it_has_read() {
    let Some(database) = Database::new("keys_rotated").await else { return };
    let (store, before, after) = (&database.store, ring(1, &[]), ring(2, &[1]));
    let names = ["ann", "bob", "cid"].map(|owner| name("acme", owner));
    for name in &names {
        set(store, &before, name, SECRET).await;
    }
    let read = store.provider_keys("acme").await.unwrap();
    set(store, &before, &names[1], "sk-newer").await;
    assert!(store.revoke_provider_key(&names[2]).await.unwrap());
    let mut changed = Vec::new();
    for key in &read {
        let anew = after.reseal(&binding(&key.name, &key.key.id), &sealed(&key.key)).unwrap().unwrap();
        changed.push(store.reseal_provider_key(&key.name, &key.key, &kept(&key.key.id, anew)).await.unwrap());
    }
    assert_eq!(changed, [true, false, false]);
    let both = [Some(SECRET.to_owned()), Some("sk-newer".to_owned()), None];
    assert_eq!(opened(store, &after, "acme").await, both);
    // The former key alone opens only what was not sealed anew.
    assert_eq!(opened(store, &before, "acme").await, [None, Some("sk-newer".to_owned()), None]);
    database.drop().await;
}
