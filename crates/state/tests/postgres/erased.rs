//! Erasing as the owner, what sinks write of erased messages afterwards, and the log of what operators changed.

use crate::{
    database::{CLUSTER, Database, partition, run},
    messages::{question, write_group},
    samples::{START, message, ready},
};
use schemas::{Author, DigestReadyForDelivery, Message};
use serde_json::json;
use sqlx::Row;
use state::{AuditChange, BatchBounds, Eraser, ErasureScope, LlmBounds, LlmCall, LlmReserved, Opened};

/// A message of the first day by somebody.
fn said(id: i64, person: &str, text: &str) -> Message {
    let author = Author { id: person.to_owned(), name: format!("Name of {person}"), is_bot: false };
    Message { author: Some(author), ..message(id, 0, "new", text) }
}

fn scope(author: Option<&str>) -> ErasureScope {
    ErasureScope { tenant_id: "t".to_owned(), group_id: None, author_id: author.map(str::to_owned) }
}

async fn eraser(database: &Database, author: Option<&str>) -> Eraser {
    Eraser::connect(database.owner_url(), &database.schema, scope(author)).await.unwrap()
}

/// A digest of the first day, as of an offset, written as `postgres_sink` does; its headline as it is stored.
async fn digest(database: &Database, version: &str, source_offset: i64) -> String {
    let mut ready: DigestReadyForDelivery = ready("t", 0, version);
    ready.window.source_offset = source_offset;
    let partition = partition("postgres_sink", "digest.ready_for_delivery.v1");
    let claim = database.store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    let Opened::Batch(mut batch) = database.store.open_batch(&bounds).await.unwrap() else {
        panic!("written")
    };
    if batch.tells_of_erased(&ready).await.unwrap() {
        batch.put_digest_without_words(&ready).await.unwrap();
    } else {
        batch.put_digest(&ready).await.unwrap();
    }
    batch.commit().await.unwrap();
    headline(database, version).await
}

async fn headline(database: &Database, version: &str) -> String {
    let sql = format!("SELECT headline FROM digests WHERE version = '{version}'");
    database.rows("t", &sql).await[0].get(0)
}

async fn texts(database: &Database) -> Vec<String> {
    let read = database.store.messages_as_of(&question(0, 100, 99)).await.unwrap();
    read.into_iter().map(|message| message.text).collect()
}

async fn names(database: &Database) -> Vec<String> {
    let rows = database.rows("t", "SELECT DISTINCT author_id FROM author_names ORDER BY 1").await;
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn what_was_erased_stays_without_words_and_names_whatever_comes_again() {
    let Some(database) = Database::new("erased").await else { return };
    let log = [(1, said(1, "ann", "alpha")), (2, said(2, "bo", "beta")), (3, said(3, "ann", "gamma"))];
    write_group(&database.store, "g", &log).await;
    let kept = digest(&database, "1.0", 3).await;
    assert!(!kept.is_empty());

    let asked = LlmCall { user_id: "ann", ..crate::models::call(1) };
    let free = LlmBounds { monthly_tokens: None, daily_requests: 9 };
    assert!(matches!(database.store.reserve_llm_call(&asked, free).await, Ok(LlmReserved::Row(_))));
    let mut of_ann = eraser(&database, Some("ann")).await;
    assert!(of_ann.subject().starts_with("user sha256:") && !of_ann.subject().contains("ann"));
    let found = of_ann.look().await.unwrap();
    assert_eq!((found.tenant_known, found.messages, found.groups, found.done_before), (true, 2, 1, false));
    let erased = of_ann.erase("e1", "ops").await.unwrap();
    assert_eq!((erased.messages, erased.digests, erased.asked.len()), (2, 1, 0));
    assert_eq!(texts(&database).await, ["", "beta", ""]);
    assert_eq!(names(&database).await, ["bo"]);
    assert_eq!(headline(&database, "1.0").await, "");
    let costs = database.store.llm_costs("t", (0, i64::MAX)).await.unwrap();
    assert_eq!(
        costs.iter().map(|cost| (cost.user_id.as_str(), cost.calls)).collect::<Vec<_>>(),
        [("erased", 1)]
    );
    let again = of_ann.erase("e2", "ops").await.unwrap();
    assert_eq!((again.messages, again.digests), (0, 0));
    let found = of_ann.look().await.unwrap();
    assert_eq!((found.messages, found.done_before), (0, true));

    // The same again, an edit of it, and something new by the same person.
    let edit = Message { revision: 7, kind: "edited".to_owned(), ..said(1, "ann", "alpha too") };
    write_group(&database.store, "g", &log).await;
    write_group(&database.store, "g", &[(4, log[0].1.clone()), (5, edit)]).await;
    assert_eq!(texts(&database).await, ["", "beta", ""]);
    assert_eq!(names(&database).await, ["bo"]);
    write_group(&database.store, "g", &[(6, said(4, "ann", "new words"))]).await;
    assert_eq!(texts(&database).await, ["", "beta", "", "new words"]);

    // Digests from before the deletions have no words, those after them have.
    assert_eq!(digest(&database, "2.0", 6).await, "");
    assert_eq!(of_ann.waiting().await.unwrap(), 2);
    let gone = |id| Message {
        revision: 8,
        kind: "deleted".to_owned(),
        ..Message::plain(id, START + id * 1_000, "")
    };
    write_group(&database.store, "g", &[(7, gone(1)), (8, gone(3))]).await;
    assert_eq!(of_ann.waiting().await.unwrap(), 0);
    assert_eq!(digest(&database, "3.0", 7).await, "", "one deletion is not seen");
    assert_eq!(digest(&database, "4.0", 8).await, "day 0 version 4.0");
    database.drop().await;
}

#[tokio::test]
async fn a_group_and_a_tenant_are_erased_and_others_are_not() {
    let Some(database) = Database::new("erased_groups").await else { return };
    write_group(&database.store, "g", &[(1, said(1, "ann", "alpha"))]).await;
    write_group(&database.store, "h", &[(2, said(2, "bo", "beta"))]).await;
    write_group(&database.store, "h", &[(3, said(100, "cy", "of another tenant"))]).await;
    let group = ErasureScope { group_id: Some("g".to_owned()), ..scope(None) };
    let mut eraser = Eraser::connect(database.owner_url(), &database.schema, group).await.unwrap();
    assert_eq!(eraser.erase("e1", "ops").await.unwrap().messages, 1);
    assert_eq!(names(&database).await, ["bo"]);
    drop(eraser);
    let mut eraser = self::eraser(&database, None).await;
    assert_eq!(eraser.erase("e2", "ops").await.unwrap().messages, 1);
    assert_eq!(names(&database).await, Vec::<String>::new());
    let others = database.rows("u", "SELECT text FROM messages").await;
    assert_eq!(others[0].get::<String, _>(0), "of another tenant");
    let pending = eraser.pending().await.unwrap();
    let listed: Vec<_> = pending.iter().map(|it| (&*it.erasure, &*it.group_id, it.id)).collect();
    assert_eq!(listed, [("e1", "g", 1), ("e2", "h", 2)]);
    database.drop().await;
}

#[tokio::test]
async fn the_audit_log_is_only_added_to() {
    let Some(database) = Database::new("audit").await else { return };
    let (before, after) = (json!({ "language": "en" }), json!({ "language": "ru" }));
    let change = AuditChange {
        tenant_id: "t",
        actor: "ops",
        action: "group set",
        subject: "t/g",
        before: Some(&before),
        after: Some(&after),
    };
    database.store.audit(&change).await.unwrap();
    database.store.audit(&AuditChange { tenant_id: "u", ..change }).await.unwrap();
    let tenants = database.store.tenants().await.unwrap();
    assert_eq!(tenants, ["t", "u"], "of whom nothing else is stored");
    let entries = database.store.audit_entries("t", 0).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!((&*entries[0].action, entries[0].after.as_ref()), ("group set", Some(&after)));
    assert_eq!(database.store.audit_entries("t", 9_000_000_000_000).await.unwrap(), []);
    let mut owner = database.owner().await;
    run(&mut owner, "SELECT set_config('app.current_tenant', 't', false)").await.unwrap();
    for change in ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
        let refused = run(&mut owner, change).await.unwrap_err().to_string();
        assert!(refused.contains("audit_log is only added to"), "{change}: {refused}");
    }
    database.drop().await;
}
