//! Times searches of one tenant among the messages of ten: `cargo run -p state --example search_times [MESSAGES]`, with
//! `GISTMILL_POSTGRES__URL` and `GISTMILL_POSTGRES__OWNER_URL` set.
//!
//! Invariant: messages and queries are a function of the arguments, so two runs differ in time only. Words are as common
//! as in a chat: the n-th commonest is said in one of about n messages.

use schemas::Message;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use state::{
    BatchBounds, MessageRow, Opened, Outcome, Schema, SearchQuery, SinkPartition, Store, StoreOptions,
};
use std::{io::Write, time::Instant};

type Failure = Box<dyn std::error::Error>;

const TENANTS: usize = 10;
const WORDS: usize = 30_000;
const BATCH: usize = 5_000;
const SEARCHES: usize = 300;

/// Numbers that look drawn: a linear congruential generator (Knuth's MMIX).
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    /// A rank, each with a chance of about one in its number.
    fn word(&mut self) -> String {
        let share = self.below(1_000_000) as f64 / 1_000_000.0;
        let rank = (WORDS as f64).powf(share) as usize;
        if rank.is_multiple_of(2) { format!("word{rank}x") } else { format!("слово{rank}ж") }
    }

    fn text(&mut self, words: usize) -> String {
        (0..words).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }
}

async fn fill(store: &Store, count: usize) -> Result<(), Failure> {
    let partition = SinkPartition {
        consumer_group: "search_times".to_owned(),
        topic: "messages".to_owned(),
        physical_topic: "messages".to_owned(),
        partition: 0,
    };
    let claim = store.claim(&partition, "search_times").await?;
    let mut drawn = Drawn(1);
    let per_tenant = count.div_ceil(TENANTS);
    for (number, first) in (0..count).step_by(BATCH).enumerate() {
        let end_offset = i64::try_from(number)? + 1;
        let bounds = BatchBounds { partition: partition.clone(), claim, end_offset };
        let Opened::Batch(mut batch) = store.open_batch(&bounds).await? else { continue };
        let mut messages = Vec::new();
        for at in first..count.min(first + BATCH) {
            let words = 3 + drawn.below(15);
            let id = i64::try_from(at)?;
            // Most of them are the tenant's that is searched.
            let tenant = if at < count - per_tenant { 0 } else { 1 + at % (TENANTS - 1) };
            messages.push((format!("t{tenant}"), Message::plain(id, id * 1_000, &drawn.text(words))));
        }
        let row = |(tenant_id, message): &'_ (String, Message)| (tenant_id.clone(), message.clone());
        let owned: Vec<_> = messages.iter().map(row).collect();
        let rows: Vec<_> = owned
            .iter()
            .map(|(tenant_id, message)| MessageRow {
                tenant_id,
                group_id: "g",
                source_partition: 0,
                source_offset: end_offset,
                message,
            })
            .collect();
        batch.insert_messages(&rows).await?;
        batch.commit().await?;
    }
    Ok(())
}

async fn search(store: &Store, words: usize, out: &mut dyn Write) -> Result<(), Failure> {
    let mut drawn = Drawn(2);
    let (mut times, mut hits) = (Vec::new(), 0);
    for _ in 0..SEARCHES {
        let text = drawn.text(words);
        let query = SearchQuery { tenant_id: "t0".to_owned(), text, limit: 10, ..SearchQuery::default() };
        let begun = Instant::now();
        if let Outcome::Hits(found) = store.search_messages(&query).await? {
            hits += found.len();
        }
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    let share = |percent: usize| times[times.len() * percent / 100];
    writeln!(
        out,
        "{words:>2} words: p50 {:>6.1} ms, p95 {:>6.1} ms, p99 {:>6.1} ms, {:.1} hits",
        share(50),
        share(95),
        share(99),
        hits as f64 / SEARCHES as f64
    )?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the server is where `gistmill stack env` says")]
fn address(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let count = std::env::args().nth(1).map_or(Ok(100_000), |count| count.parse())?;
    let owner = address("GISTMILL_POSTGRES__OWNER_URL")?;
    let schema = Schema::of_prefix("search_times")?;
    state::migrate(&owner, &schema).await?;
    let options = StoreOptions { schema: schema.clone(), ..StoreOptions::default() };
    let store = Store::open(&address("GISTMILL_POSTGRES__URL")?, &options).await?;
    let out = &mut std::io::stdout().lock();
    fill(&store, count).await?;
    writeln!(out, "{count} messages of {TENANTS} tenants, {SEARCHES} searches each:")?;
    for words in [1, 2, 3, 5, 12] {
        search(&store, words, out).await?;
    }
    store.close().await;
    let mut connection = PgConnection::connect(&owner).await?;
    sqlx::query(AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"))).execute(&mut connection).await?;
    Ok(())
}
