//! Row-level security, proved on the catalogue and by trying.

use crate::{
    database::{CLUSTER, Database, partition, run},
    samples::{blocked, message, ready},
};
use schemas::{Author, Message};
use sqlx::Row;
use state::{
    BatchBounds, Delivery, DeliveryStatus, Error, MessageRow, Opened, SealedKey, Store, StoreOptions, ToQueue,
};

/// Tables with a tenant that are not the tenant's: the list of names.
const EXEMPT: [&str; 4] = ["link_codes", "telegram_chats", "telegram_subscribers", "tenants"];
/// Every table that says whose its rows are.
const WITH_TENANT: [&str; 28] = [
    "api_keys",
    "audit_log",
    "author_names",
    "blocked_digests",
    "chat_mutes",
    "deliveries",
    "delivery_queue",
    "delivery_targets",
    "digests",
    "embeddings",
    "erased_messages",
    "index_bounds",
    "link_codes",
    "llm_requests",
    "mail_recipients",
    "message_words",
    "messages",
    "model_answers",
    "model_claims",
    "outbox",
    "provider_keys",
    "retention",
    "telegram_chats",
    "telegram_subscribers",
    "tenants",
    "topics",
    "webhook_secrets",
    "webhooks",
];

/// The development stack lets its superuser in; where a password is asked for, this cannot be tried.
#[tokio::test]
async fn a_superuser_is_refused_by_name() {
    let Some(database) = Database::new("security_superuser").await else { return };
    let (_, server) = database.owner_url().rsplit_once('@').unwrap();
    let options = StoreOptions { schema: database.schema.clone(), ..StoreOptions::default() };
    let store = Store::open(&format!("postgres://postgres@{server}"), &options).await.unwrap();
    match store.ready().await {
        Err(Error::Denied { finding, .. }) => println!("skipped: {finding}"),
        refused => {
            let error = refused.unwrap_err();
            assert!(matches!(&error, Error::UnsafeRole(role) if role == "postgres"), "{error}");
            assert!(!error.is_transient());
        }
    }
    database.drop().await;
}

#[tokio::test]
async fn no_table_of_a_tenant_is_without_forced_row_level_security() {
    let Some(database) = Database::new("security_catalogue").await else { return };
    let mut owner = database.owner().await;
    let tables = sqlx::query(
        "SELECT c.relname::text, c.relrowsecurity AND c.relforcerowsecurity, r.rolname::text,
            ARRAY(SELECT polname::text FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*'
                AND (p.polqual IS NULL OR p.polwithcheck IS NULL))
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         JOIN pg_roles r ON r.oid = c.relowner
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    let mut secured = Vec::new();
    for table in &tables {
        let (name, forced, owner): (String, bool, String) = (table.get(0), table.get(1), table.get(2));
        assert_ne!(owner, "gistmill_app", "{name}");
        assert_eq!(
            table.get::<Vec<String>, _>(3),
            Vec::<String>::new(),
            "{name}: a policy without USING or CHECK"
        );
        assert_eq!(forced, !EXEMPT.contains(&name.as_str()), "{name}");
        secured.push(name);
    }
    assert_eq!(secured, WITH_TENANT);
    let views: Vec<(String, bool)> = sqlx::query_as(
        "SELECT relname::text, coalesce('security_invoker=true' = ANY (reloptions), false) FROM pg_class
         WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('v', 'm') ORDER BY 1",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert_eq!(views, [("digests_current".to_owned(), true), ("messages_current".to_owned(), true)]);
    let role: (bool, bool, bool) = sqlx::query_as(
        "SELECT rolsuper, rolbypassrls, pg_has_role('gistmill_app', 'gistmill_owner', 'MEMBER')
         FROM pg_roles WHERE rolname = 'gistmill_app'",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert_eq!(role, (false, false, false));
    database.drop().await;
}

/// One row of everything for `tenant`.
async fn fill(database: &Database, tenant: &str) {
    let partition = partition("postgres_sink", tenant);
    let claim = database.store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: 1 };
    let Opened::Batch(mut batch) = database.store.open_batch(&bounds).await.unwrap() else {
        panic!("written")
    };
    let author = Some(Author { id: "user1".to_owned(), name: "Ann".to_owned(), is_bot: false });
    let message = Message { author, ..message(1, 0, "new", tenant) };
    let row = MessageRow {
        tenant_id: tenant,
        group_id: "g",
        source_partition: 0,
        source_offset: 0,
        message: &message,
    };
    assert_eq!(batch.insert_messages(&[row]).await.unwrap(), 1);
    let ready = ready(tenant, 0, "1.0");
    batch.put_digest(&ready).await.unwrap();
    batch.put_blocked(&blocked(tenant, 1, "1.0")).await.unwrap();
    batch.append_outbox("ready", &ready).await.unwrap();
    let delivery = Delivery {
        tenant_id: tenant,
        group_id: "g",
        window_id: &ready.window_id,
        digest_id: &ready.digest_id,
        version: "1.0".parse().unwrap(),
        channel: "file",
        chat: "",
        part: 1,
    };
    batch.mark_delivery(&delivery, DeliveryStatus::Planned, None).await.unwrap();
    batch.disable_target(&delivery, "kicked").await.unwrap();
    let waits = ToQueue { delivery, kind: None, payload: "words", appended_ms: 0 };
    batch.queue(&waits).await.unwrap();
    batch.commit().await.unwrap();
    let key = SealedKey {
        id: vec![1],
        master_id: "m".to_owned(),
        salt: vec![1],
        nonce: vec![1],
        ciphertext: vec![1],
    };
    database.store.set_webhook((tenant, "g"), "https://a.example/", &key).await.unwrap();
    database.store.add_mail_recipient((tenant, "g"), "ann@example.org").await.unwrap();
}

const OF_TENANTS: [&str; 12] = [
    "messages",
    "messages_current",
    "author_names",
    "digests",
    "digests_current",
    "blocked_digests",
    "deliveries",
    "delivery_targets",
    "delivery_queue",
    "webhooks",
    "webhook_secrets",
    "mail_recipients",
];

#[tokio::test]
async fn a_tenant_sees_its_own_rows_and_nobody_elses() {
    let Some(database) = Database::new("security_rows").await else { return };
    fill(&database, "acme").await;
    fill(&database, "beta").await;
    assert_eq!(database.store.tenants().await.unwrap(), ["acme", "beta"]);
    for table in OF_TENANTS {
        for tenant in ["acme", "beta", "gamma", ""] {
            let rows = database.rows(tenant, &format!("SELECT tenant_id FROM {table}")).await;
            let seen: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let expected =
                if ["acme", "beta"].contains(&tenant) { vec![tenant.to_owned()] } else { Vec::new() };
            assert_eq!(seen, expected, "{table} as {tenant:?}");
        }
        // Neither without a tenant nor as the owner.
        for mut connection in [database.app().await, database.owner().await] {
            let rows = run(&mut connection, &format!("SELECT 1 FROM {table}")).await.unwrap();
            assert_eq!(rows, 0, "{table} without a tenant");
        }
    }
    assert_eq!(database.rows("acme", "SELECT 1 FROM outbox").await.len(), 0);
    assert_eq!(database.outbox().await.len(), 2);
    database.drop().await;
}

#[tokio::test]
async fn a_tenant_cannot_write_for_another_nor_change_what_was_said() {
    let Some(database) = Database::new("security_writes").await else { return };
    fill(&database, "acme").await;
    let mut app = database.app().await;
    run(&mut app, "SELECT set_config('app.current_tenant', 'beta', false)").await.unwrap();
    let copy =
        "INSERT INTO messages (tenant_id, group_id, id, revision, source_offset, source_partition, kind,
        sent_at_ms, text) VALUES ('acme', 'g', 9, 0, 9, 0, 'new', 0, '')";
    let refused = run(&mut app, copy).await.unwrap_err().to_string();
    assert!(refused.contains("violates row-level security policy"), "{refused}");
    let refused = run(
        &mut app,
        "INSERT INTO outbox (tenant_id, group_id, port, payload) VALUES ('acme', 'g', 'p', '{}')",
    );
    assert!(refused.await.unwrap_err().to_string().contains("violates row-level security policy"));
    assert_eq!(run(&mut app, "UPDATE digests SET headline = 'x'").await.unwrap(), 0);
    for change in [
        "UPDATE messages SET text = 'x'",
        "DELETE FROM messages",
        "DELETE FROM author_names",
        "DELETE FROM outbox",
    ] {
        let refused = run(&mut app, change).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{change}: {refused}");
    }
    database.drop().await;
}

#[tokio::test]
async fn the_tenant_of_a_transaction_does_not_stay_in_the_session() {
    let Some(database) = Database::new("security_session").await else { return };
    fill(&database, "acme").await;
    for _ in 0..8 {
        database.store.message_counts("acme").await.unwrap();
        assert_eq!(database.store.message_counts("").await.unwrap(), []);
    }
    database.drop().await;
}
