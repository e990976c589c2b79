//! Each statement has one plan, whatever the statistics say: those of an empty table, of another tenant's rows, or none.
//!
//! Plans are compared, never times. Autovacuum is off, so that nothing gets better meanwhile.

mod explain;
mod filled;

use crate::database::{Database, run};
use explain::collect;
use filled::{FILL, ROWS, TABLES};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, types::Json};
use state::{Statement, statements};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Looks up the newest state of a message.
const NEWEST: &str = "messages_pkey backward (tenant_id, group_id, id, source_offset)";
/// The same, wherever in the log.
const OF_ID: &str = "messages_pkey backward (tenant_id, group_id, id)";
/// How each statement reads tables, in the order of its plan: index, direction, columns compared. `installation` has one
/// row.
const READS: [(&str, &[&str]); 184] = [
    ("api_keys::FIND", &["api_keys_pkey (prefix)"]),
    ("api_keys::LIST", &["api_keys_by_tenant (tenant_id, created_at)"]),
    ("api_keys::PRESENT", &[]),
    ("api_keys::PUT", &[]),
    ("api_keys::REVOKE", &["api_keys_pkey (prefix)"]),
    ("api_keys::TOUCH", &["api_keys_pkey (prefix)"]),
    ("as_of::AS_OF", &["messages_by_time (tenant_id, group_id, sent_at_ms, sent_at_ms)", NEWEST, NEWEST]),
    ("asked::BLOCKED", &["blocked_digests_pkey backward (tenant_id, window_id)"]),
    (
        "asked::NEWEST",
        &[
            "messages_by_time (tenant_id, group_id, sent_at_ms, sent_at_ms)",
            "messages_pkey (tenant_id, group_id, id)",
        ],
    ),
    ("audit::APPEND", &[]),
    ("audit::LIST", &["audit_log_pkey (tenant_id)"]),
    ("author_names::APPEND", &[]),
    ("author_names::AS_OF", &["author_names_pkey backward (tenant_id, group_id, author_id, source_offset)"]),
    (
        "author_names::NEWEST_BEFORE",
        &["author_names_pkey backward (tenant_id, group_id, author_id, source_offset)"],
    ),
    ("batch::KNOW_TENANT", &["tenants_pkey (tenant_id)"]),
    ("batch::LOCK_OFFSET", &["sink_offsets_pkey (consumer_group, topic, partition)"]),
    ("batch::LOCK_PARTITION", &[]),
    ("batch::MOVE_OFFSET", &["sink_offsets_pkey (consumer_group, topic, partition)"]),
    ("blocked::PUT", &[]),
    ("blocked::WITHDRAW", &["digests_by_version (tenant_id, window_id, revision, attempt)"]),
    ("deliveries::LEDGER", &["deliveries_pkey (tenant_id, window_id, channel, chat, part)"]),
    ("delivery_pages::AUDIT", &["audit_log_pkey backward (tenant_id, seq)"]),
    (
        "delivery_pages::DELIVERIES",
        &[
            "deliveries_by_time backward (tenant_id, planned_at, planned_at, window_id, channel, chat, revision, attempt, \
             part, part)",
        ],
    ),
    ("delivery_pages::OF_WINDOW", &["deliveries_pkey (tenant_id, window_id, part)"]),
    (
        "digest_reads::BLOCKED",
        &["blocked_digests_pkey (tenant_id)", "digests_by_version backward (tenant_id, window_id)"],
    ),
    ("digest_reads::BLOCKED_NEWEST", &["blocked_digests_pkey backward (tenant_id, window_id)"]),
    ("digest_reads::EXPORT", &["digests_pkey (tenant_id)"]),
    ("digest_reads::LIST", &["digests_pkey (tenant_id)"]),
    ("digest_reads::SHOW", &["digests_pkey (tenant_id, digest_id)"]),
    ("digest_reads::SHOW_WINDOW", &["digests_by_version backward (tenant_id, window_id)"]),
    ("digests::PUT", &["blocked_digests_pkey (tenant_id, window_id, revision, attempt)"]),
    ("earlier::BEFORE", &["messages_pkey backward (tenant_id, group_id, id, source_offset)"]),
    ("earlier::MESSAGES", &[NEWEST, NEWEST]),
    ("effects::CHATS", &["deliveries_pkey (tenant_id, window_id, channel)"]),
    ("effects::DISABLE_TARGET", &[]),
    ("effects::EFFECTS", &["deliveries_pkey (tenant_id, window_id, channel, chat)"]),
    ("effects::FORGET", &["deliveries_pkey (tenant_id, window_id, channel, chat, revision, attempt)"]),
    ("effects::MOVE_TARGET", &[]),
    ("effects::PUT", &[]),
    ("effects::RESEND", &["deliveries_pkey (tenant_id, window_id, channel, chat, revision, attempt, part)"]),
    ("effects::STATE", &["deliveries_pkey (tenant_id, window_id, channel, chat, revision, attempt)"]),
    (
        "effects::STATED",
        &["deliveries_pkey backward (tenant_id, window_id, channel, chat, revision, attempt)"],
    ),
    ("effects::TARGET", &["delivery_targets_pkey (tenant_id, channel, chat)"]),
    ("embeddings::KEEP", &[]),
    ("embeddings::KNOWN", &["embeddings_pkey (tenant_id, model, text_hash)"]),
    ("erased::AMONG", &["erased_messages_pkey (tenant_id, group_id, id)"]),
    ("erased::UNSEEN", &["erased_messages_by_time (tenant_id, group_id, sent_at_ms, sent_at_ms)", NEWEST]),
    ("index_bounds::BEGIN_FILLING", &["sink_offsets_pkey (consumer_group)"]),
    ("index_bounds::END_FILLING", &["index_fillings_pkey (collection, consumer_group)"]),
    (
        "index_bounds::FILLING",
        &[
            "index_fillings_pkey (collection, consumer_group)",
            "sink_offsets_pkey (consumer_group, topic, partition)",
        ],
    ),
    ("index_bounds::FIND", &["index_bounds_pkey (tenant_id, group_id, item)"]),
    ("index_bounds::RAISE", &[]),
    ("index_bounds::REWIND", &["sink_offsets_pkey (consumer_group)"]),
    (
        "kept_versions::BLOCKED",
        &[
            "blocked_digests_pkey backward (tenant_id, window_id)",
            "blocked_digests_pkey (tenant_id, window_id, revision, attempt)",
        ],
    ),
    (
        "kept_versions::DELIVERIES",
        &["deliveries_pkey (tenant_id, window_id, channel, chat, revision, attempt, part)"],
    ),
    (
        "kept_versions::DIGESTS",
        &[
            "digests_by_version backward (tenant_id, window_id)",
            "digests_by_version (tenant_id, window_id, revision, attempt)",
        ],
    ),
    ("known::COUNT", &["messages_pkey (tenant_id, group_id, id, source_offset)"]),
    ("letters::LIST", &[]),
    ("letters::SETTLE", &[]),
    ("link_codes::FORGET", &["link_codes_by_end (expires_at)"]),
    ("link_codes::MAKE", &[]),
    ("link_codes::USABLE", &["link_codes_pkey (code_hash)"]),
    ("link_codes::USE", &["link_codes_pkey (code_hash)"]),
    ("llm_requests::ASKED", &["llm_requests_by_user (tenant_id, user_id, created_at_ms)"]),
    ("llm_requests::COSTS", &["llm_requests_pkey (tenant_id, created_at_ms, created_at_ms)"]),
    ("llm_requests::END", &["llm_requests_pkey (tenant_id, created_at_ms, id)"]),
    ("llm_requests::LOCK", &[]),
    ("llm_requests::RESERVE", &[]),
    ("llm_requests::USED", &["llm_requests_pkey (tenant_id, created_at_ms)"]),
    ("mail_recipients::ADD", &["mail_recipients_pkey (tenant_id, group_id)"]),
    ("mail_recipients::LIST", &["mail_recipients_pkey (tenant_id)"]),
    ("mail_recipients::OF_GROUP", &["mail_recipients_pkey (tenant_id, group_id)"]),
    ("mail_recipients::REMOVE", &["mail_recipients_pkey (tenant_id, group_id, address)"]),
    ("maintenance::LAST", &["maintenance_status_pkey backward ()"]),
    ("message_pages::CITED", &[NEWEST, OF_ID]),
    ("message_pages::GROUP", &["messages_by_time backward (tenant_id, group_id, sent_at_ms)"]),
    (
        "message_pages::GROUPS",
        &[
            "messages_pkey (tenant_id, group_id)",
            "messages_pkey (tenant_id, group_id)",
            "messages_by_time backward (tenant_id, group_id, sent_at_ms)",
        ],
    ),
    (
        "message_pages::PAGE",
        &["messages_by_time (tenant_id, group_id, sent_at_ms, sent_at_ms, sent_at_ms)", OF_ID, OF_ID],
    ),
    (
        "message_way::BLOCKED",
        &["blocked_digests_pkey (tenant_id)", "blocked_digests_pkey backward (tenant_id, window_id)"],
    ),
    ("message_way::DELIVERED", &["deliveries_pkey (tenant_id, window_id)"]),
    (
        "message_way::DIGESTS",
        &[
            "digests_by_start backward (tenant_id, group_id, window_start_ms, window_start_ms)",
            "digests_by_version backward (tenant_id, window_id)",
        ],
    ),
    ("message_way::SAID", &["messages_pkey (tenant_id, group_id, id)"]),
    ("messages::APPEND", &[]),
    ("messages::COUNTS", &["messages_pkey (tenant_id)"]),
    (
        "messages::NEWEST_BEFORE",
        &["messages_pkey backward (tenant_id, group_id, id, revision, source_offset)"],
    ),
    ("migrate::LOCK", &[]),
    ("model_answers::KEEP", &[]),
    ("model_answers::KNOWN", &["model_answers_pkey (tenant_id, question, model)"]),
    ("model_calls::ANSWERED", &["llm_requests_pkey (tenant_id, created_at_ms, created_at_ms)"]),
    ("model_claims::CLAIM", &[]),
    ("model_claims::RELEASE", &["model_claims_pkey (tenant_id, question)"]),
    ("mutes::LIST", &["deliveries_muted (tenant_id)"]),
    ("mutes::PUT", &[]),
    ("mutes::UNTIL", &["chat_mutes_pkey backward (tenant_id, group_id, chat, at_ms)"]),
    ("offsets::BIND_CLUSTER", &[]),
    ("offsets::CLAIM", &[]),
    ("offsets::CLUSTER", &["Seq Scan installation"]),
    ("offsets::OFFSETS", &["sink_offsets_pkey ()"]),
    ("offsets::PASSED", &["sink_offsets_pkey (consumer_group, topic)"]),
    ("offsets::RESET", &["sink_offsets_pkey (consumer_group, topic, partition)"]),
    ("outbox::APPEND", &[]),
    ("outbox::LAG", &["outbox_pkey (xid, seq)"]),
    ("outbox::NEWEST", &["outbox_pkey backward ()"]),
    ("outbox::PAGE", &["outbox_pkey (xid, seq, xid)"]),
    ("outbox::PASSED", &["outbox_pkey backward (xid, seq)"]),
    ("outbox::SERVER", &[]),
    ("provider_keys::LIST", &["provider_keys_pkey (tenant_id)"]),
    ("provider_keys::PUT", &[]),
    ("provider_keys::RESEAL", &["provider_keys_pkey (tenant_id, owner, provider)"]),
    ("provider_keys::REVOKE", &["provider_keys_pkey (tenant_id, owner, provider)"]),
    ("queue::COURIER", &[]),
    ("queue::DROP", &["delivery_queue_pkey (tenant_id, window_id, channel, chat)"]),
    ("queue::DUE", &["delivery_queue_due (channel, next_at)"]),
    ("queue::FREE", &["delivery_queue_due (channel, next_at)"]),
    ("queue::HOLD", &["delivery_queue_pkey (tenant_id, window_id, channel, chat)"]),
    ("queue::PUT", &[]),
    ("queue::WAITING", &["delivery_queue_pkey (tenant_id)"]),
    ("queue_entry::AGAIN", &["delivery_queue_pkey (tenant_id, window_id, channel, chat)"]),
    ("queue_entry::END", &["delivery_queue_pkey (tenant_id, window_id, channel, chat)"]),
    ("queue_entry::LEASE", &["delivery_queue_pkey (tenant_id, window_id, channel, chat)"]),
    ("queue_entry::POSTPONE", &["delivery_queue_pkey (tenant_id, window_id, channel, chat)"]),
    ("queue_entry::STANDING", &["deliveries_pkey (tenant_id, window_id, channel, revision, attempt, part)"]),
    ("queue_entry::TAKE", &["delivery_queue_pkey (tenant_id, window_id, channel, chat)"]),
    ("retention::MARK", &["retention_pkey (tenant_id)"]),
    ("retention::SET", &[]),
    ("retention::SHOW", &["retention_pkey (tenant_id)"]),
    ("search::ASK", &[]),
    ("search::BITMAPS", &[]),
    ("search::COUNT", &["Bitmap Heap Scan message_words"]),
    ("search::MESSAGES", &["Bitmap Heap Scan message_words", OF_ID, OF_ID]),
    ("search::REQUIRED", &[]),
    ("search::WORDS", &[]),
    (
        "search_digests::CITING",
        &[
            "digests_by_start backward (tenant_id, group_id, window_start_ms, window_start_ms)",
            "digests_by_version backward (tenant_id, window_id)",
        ],
    ),
    (
        "search_digests::DIGESTS",
        &["digests_pkey (tenant_id)", "digests_by_version backward (tenant_id, window_id)"],
    ),
    ("search_found::AUTHORS", &["author_names_pkey (tenant_id)"]),
    ("search_found::DIGESTS", &["digests_by_version backward (tenant_id, window_id)"]),
    ("search_found::MESSAGES", &[OF_ID, OF_ID]),
    ("store::ACT_FOR", &[]),
    ("store::MIGRATED", &[]),
    ("store::ROLE", &[]),
    ("store::TENANTS", &["tenants_pkey ()"]),
    ("subscribers::COUNT", &["telegram_subscribers_pkey (tenant_id, group_id)"]),
    ("subscribers::END", &["telegram_subscribers_pkey (tenant_id, group_id, person_id)"]),
    ("subscribers::END_ALL", &["telegram_subscribers_by_person (person_id)"]),
    ("subscribers::END_ONE", &["telegram_subscribers_by_id (id)"]),
    ("subscribers::LIST", &["telegram_subscribers_pkey (tenant_id, group_id)"]),
    ("subscribers::OF_GROUP", &["telegram_subscribers_pkey (tenant_id, group_id)"]),
    ("subscribers::PUT", &[]),
    ("telegram_chats::FIND", &["telegram_chats_pkey (chat_id)"]),
    ("telegram_chats::LINK", &[]),
    ("telegram_chats::LIST", &["telegram_chats_pkey ()"]),
    ("telegram_chats::UNLINK", &["telegram_chats_pkey (chat_id)"]),
    ("telegram_sessions::OTHERS", &["telegram_chats_pkey ()"]),
    ("telegram_sessions::PLACED", &["messages_pkey (tenant_id, group_id, id)"]),
    (
        "telegram_sessions::SESSION_CHATS",
        &["telegram_session_chats_pkey ()", "telegram_chats_pkey (chat_id)"],
    ),
    ("telegram_sessions::SESSION_ENDED", &["provider_keys_pkey (tenant_id, owner, provider)"]),
    ("telegram_sessions::TAKE", &[]),
    ("telegram_sessions::TAKEN", &["telegram_session_chats_pkey (chat_id)"]),
    ("telegram_sessions::WHY_ENDED", &["provider_keys_pkey (tenant_id)"]),
    ("topics::APPEND", &[]),
    ("topics::IS_FORUM", &["topics_pkey (tenant_id, group_id, source_partition)"]),
    (
        "topics::PLACES",
        &[NEWEST, "topics_pkey (tenant_id, group_id, source_partition, topic_id)", NEWEST, NEWEST],
    ),
    ("unsettled::DISABLED", &["delivery_targets_pkey (tenant_id)"]),
    ("unsettled::ENABLE", &["delivery_targets_pkey (tenant_id, channel, chat)"]),
    ("unsettled::IS_PARTLY_SENT", &["deliveries_pkey (tenant_id, window_id, channel, part)"]),
    ("unsettled::SETTLE", &["deliveries_unknown (tenant_id, channel, part)"]),
    ("unsettled::UNKNOWN", &["deliveries_unknown (tenant_id)"]),
    ("verify::DIGESTS", &["digests_pkey (tenant_id)"]),
    ("verify::STATES", &[NEWEST, NEWEST]),
    ("webhooks::ADD_SECRET", &[]),
    ("webhooks::END_SECRETS", &["webhook_secrets_pkey (tenant_id, group_id)"]),
    ("webhooks::FIND", &["webhooks_pkey backward (tenant_id, group_id)"]),
    ("webhooks::FORGET_SECRETS", &["webhook_secrets_pkey (tenant_id, group_id)"]),
    ("webhooks::GET", &["webhooks_pkey (tenant_id, group_id)"]),
    ("webhooks::LIST", &["webhooks_pkey (tenant_id)"]),
    ("webhooks::REMOVE", &["webhooks_pkey (tenant_id, group_id)"]),
    ("webhooks::RESEAL", &["webhook_secrets_pkey (tenant_id, group_id, id)"]),
    ("webhooks::SECRETS", &["webhook_secrets_pkey (tenant_id, group_id)"]),
    ("webhooks::SET", &[]),
    ("window_pages::BLOCKED_BOUNDS", &["blocked_digests_pkey backward (tenant_id, window_id)"]),
    ("window_pages::BOUNDS", &["digests_by_version backward (tenant_id, window_id)"]),
    (
        "window_pages::DIGESTS",
        &[
            "digests_by_page backward (tenant_id, window_start_ms, window_start_ms, size_hours, group_id, window_id)",
            "digests_by_version (tenant_id, window_id, revision, attempt)",
        ],
    ),
    ("window_pages::VERSIONS", &["digests_by_version backward (tenant_id, window_id)"]),
    (
        "window_pages::WINDOWS",
        &[
            "digests_by_page backward (tenant_id, window_start_ms, window_start_ms, size_hours, group_id, window_id)",
            "digests_by_version (tenant_id, window_id, revision, attempt)",
            "blocked_digests_by_page backward (tenant_id, window_start_ms, window_start_ms, size_hours, group_id, window_id)",
            "blocked_digests_pkey (tenant_id, window_id, revision, attempt)",
            "digests_by_version (tenant_id, window_id, revision, attempt)",
        ],
    ),
];

/// Statements that may scan bitmaps, since an index of words has nothing else.
const LOOK_UP_WORDS: [&str; 2] = ["search::COUNT", "search::MESSAGES"];

/// A value for a parameter of a statement, as SQL.
fn argument(statement: &Statement, number: usize, kind: &str) -> &'static str {
    match (statement.name, number, kind) {
        ("outbox::LAG" | "outbox::PAGE" | "outbox::PASSED", 0, _) => "'0'",
        ("search::MESSAGES" | "search_digests::DIGESTS", 2, _) => "array_fill('w'::text, ARRAY[3])",
        (_, _, "bytea") => "'\\x05'",
        (_, _, "text") => "'t'",
        (_, _, "text[]") => "array_fill('g'::text, ARRAY[1000])",
        (_, _, "bigint[]") => "array_fill(5::bigint, ARRAY[1000])",
        (_, _, "bytea[]") => "array_fill('\\x05'::bytea, ARRAY[1000])",
        (_, _, "integer[]") => "array_fill(0, ARRAY[1000])",
        (_, _, "double precision[]") => "array_fill(1::float8, ARRAY[3])",
        (_, _, "boolean") => "true",
        (_, _, "boolean[]") => "array_fill(false, ARRAY[1000])",
        (_, _, "json" | "jsonb") => "'{}'",
        _ => "7",
    }
}

/// A connection that holds every statement prepared, as the store's connections do.
struct Planner {
    connection: PgConnection,
    mode: &'static str,
    arguments: BTreeMap<&'static str, String>,
}

fn prepared(statement: &Statement) -> String {
    statement.name.replace("::", "_").to_lowercase()
}

impl Planner {
    async fn new(database: &Database, mode: &'static str) -> Self {
        let mut connection = database.app().await;
        let mut arguments = BTreeMap::new();
        run(&mut connection, "SELECT set_config('app.current_tenant', 't', false)").await.unwrap();
        run(&mut connection, "SELECT set_config('app.outbox_reader', 'on', false)").await.unwrap();
        run(&mut connection, &format!("SET plan_cache_mode = {mode}")).await.unwrap();
        for statement in statements() {
            if statement.name == "store::BEGIN" {
                let pinned = statement.sql.replace("BEGIN; ", "").replace("LOCAL ", "");
                sqlx::raw_sql(AssertSqlSafe(pinned)).execute(&mut connection).await.unwrap();
                continue;
            }
            let name = prepared(statement);
            run(&mut connection, &format!("PREPARE {name} AS {}", statement.sql)).await.unwrap();
            let types = "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = $1";
            let types: Vec<String> =
                sqlx::query_scalar(types).bind(&name).fetch_one(&mut connection).await.unwrap();
            let values: Vec<_> =
                types.iter().enumerate().map(|(n, kind)| argument(statement, n, kind)).collect();
            arguments.insert(statement.name, values.join(", "));
        }
        Self { connection, mode, arguments }
    }

    /// How every statement would read the tables now.
    async fn reads(&mut self) -> BTreeMap<&'static str, Vec<String>> {
        let mut all = BTreeMap::new();
        for statement in statements() {
            let Some(arguments) = self.arguments.get(statement.name) else { continue };
            let call = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
            let sql = format!("EXPLAIN (FORMAT JSON) EXECUTE {}{call}", prepared(statement));
            let bitmaps = LOOK_UP_WORDS.contains(&statement.name);
            run(&mut self.connection, &format!("SET enable_bitmapscan = {bitmaps}")).await.unwrap();
            let plan: Json<Value> =
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection).await.unwrap();
            let mut found = Vec::new();
            collect(&plan[0]["Plan"], &mut found);
            all.insert(statement.name, found);
        }
        all
    }
}

async fn fill(database: &Database, tenant: &str) {
    let mut app = database.app().await;
    run(&mut app, &format!("SELECT set_config('app.current_tenant', '{tenant}', false)")).await.unwrap();
    for sql in FILL {
        sqlx::query(sql).bind(ROWS).execute(&mut app).await.unwrap();
    }
}

/// Runs a statement for each table in the place of `each`.
async fn each_table(database: &Database, action: &str) {
    let mut owner = database.owner().await;
    for table in TABLES {
        run(&mut owner, &action.replace("each", table)).await.unwrap();
    }
}

/// Holds every statement to its plan on each of the connections.
async fn assert_one_plan(planners: &mut [Planner], when: &str) {
    let expected: BTreeMap<&str, Vec<String>> =
        READS.iter().map(|(name, reads)| (*name, reads.iter().map(ToString::to_string).collect())).collect();
    for planner in planners {
        let found = planner.reads().await;
        let differs: Vec<_> = found
            .iter()
            .filter(|(name, reads)| expected.get(*name) != Some(*reads))
            .map(|(name, reads)| format!("{name} reads {reads:?}, expected {:?}", expected.get(name)))
            .collect();
        assert!(differs.is_empty(), "{when}, {}:\n{}", planner.mode, differs.join("\n"));
        assert_eq!(found.len(), expected.len(), "{when}");
    }
}

/// Connections that plan now: once for all values, and for each value.
async fn planners(database: &Database) -> [Planner; 2] {
    [Planner::new(database, "force_generic_plan").await, Planner::new(database, "force_custom_plan").await]
}

#[tokio::test]
async fn statistics_of_an_empty_table_change_no_plan() {
    let Some(database) = Database::new("plans_empty").await else { return };
    each_table(&database, "ALTER TABLE each SET (autovacuum_enabled = false)").await;
    let mut never_analysed = planners(&database).await;
    assert_one_plan(&mut never_analysed, "empty and never analysed").await;
    each_table(&database, "ANALYZE each").await;
    let mut analysed = planners(&database).await;
    assert_one_plan(&mut analysed, "analysed when empty").await;
    fill(&database, "t").await;
    // The plans made while the table was empty are still cached; new ones know its size and nothing of its columns.
    assert_one_plan(&mut analysed, "cached when empty").await;
    assert_one_plan(&mut planners(&database).await, "filled since").await;
    database.drop().await;
}

#[tokio::test]
async fn statistics_of_another_tenant_change_no_plan() {
    let Some(database) = Database::new("plans_other").await else { return };
    each_table(&database, "ALTER TABLE each SET (autovacuum_enabled = false)").await;
    fill(&database, "other").await;
    each_table(&database, "ANALYZE each").await;
    let mut early = planners(&database).await;
    assert_one_plan(&mut early, "another tenant's rows").await;
    fill(&database, "t").await;
    assert_one_plan(&mut early, "cached before the tenant came").await;
    assert_one_plan(&mut planners(&database).await, "a tenant unknown to the statistics").await;
    database.drop().await;
}

#[test]
fn every_statement_of_the_library_is_held_to_a_plan() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        for constant in text.split("pub(crate) const ").skip(1).filter(|rest| rest.contains(": &str")) {
            let (name, value) = constant.split_once(": &str").unwrap();
            // Of a macro, its first literal.
            let value = value
                .trim_start_matches([' ', '='])
                .trim_start_matches("with_text!(")
                .trim_start_matches(['=', ' ', '\n', '"']);
            if value.starts_with(|c: char| c.is_ascii_uppercase()) {
                found.insert(format!("{module}::{name}"));
            }
        }
        for call in ["sqlx::query(", "sqlx::query_as(", "sqlx::query_scalar(", "begin_with("] {
            let unnamed = text.split(call).skip(1).any(|rest| rest.trim_start().starts_with('"'));
            assert!(!unnamed, "{}: a statement without a name", path.display());
        }
    }
    assert_eq!(found, statements().iter().map(|statement| statement.name.to_owned()).collect());
}
