//! `postgres_sink` beside the least that its rows cost: COPY into a temporary table and an upsert, by hand.
//!
//! Invariant: the rows by hand are those that the sink has stored, and in the end both have the same.

use crate::{
    database::Database,
    error::Error,
    figures::Sheet,
    generator::Job,
    pipeline::Pipeline,
    report::{Line, Report, Run, Target},
    running::Running,
    session::{Findings, Options, Session, kafka_versions},
    testbed::{INGESTED, Loaded, Say, Testbed},
    usage::life,
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

const SINK: &str = "postgres_sink";
const BY_HAND: &str = "COPY → temporary table → upsert, by hand";
/// Rows of a transaction by hand: of the sizes from 1,000 to 5,000, between which it makes little difference.
const BATCH: i64 = 2_000;
/// Longest wait for the sink.
const PATIENCE: Duration = Duration::from_mins(20);
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// A column of the table.
const ROWS_A_SECOND: usize = 0;

/// Columns that a message is made of; when a row was written is the database's own affair.
const MESSAGE: &str = "tenant_id, group_id, id, revision, source_offset, source_partition, kind, sent_at_ms, author_id, \
     author_name, author_is_bot, text, reply_to, topic_id, extra";
const NAME: &str = "tenant_id, group_id, author_id, source_offset, source_partition, name";
const WORDS: &str = "tenant_id, group_id, id, revision, source_offset, sent_at_ms, words";

/// Stores the common job by the sink and by hand, on a stack of its own.
///
/// # Errors
/// The stack does not start, or the sink ends.
pub fn sink(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("sink", options, say)?;
    let bed = Testbed::start(session.teller())?;
    let mut findings = Findings { versions: kafka_versions(), ..Findings::default() };
    for messages in &options.records {
        let job = Job::of(*messages);
        let mut lines = [SINK, BY_HAND].map(|name| Line::new(name, job.records()));
        let mut sheet = Sheet::new("writer", &[("rows per s", 0), ("Postgres CPU s", 2)]);
        for number in 0..options.runs {
            session.say(format!("run {} of {}: writing the records …", number + 1, options.runs));
            let pipeline = Pipeline::with_tables(&bed, &options.program)?;
            let loaded = bed.load_into(pipeline.prefix.clone(), job)?;
            if number == 0 {
                findings.inputs.push(loaded.fingerprint.clone());
            }
            session.say(format!("run {}: {SINK} …", number + 1));
            let stored = by_sink(&pipeline, &loaded)?;
            session.say(format!("run {}: by hand …", number + 1));
            let copied = by_hand(&pipeline, &options.program)?;
            let compared = if stored.rows == copied.rows {
                Ok(format!("the same {} messages", stored.count))
            } else {
                Err(format!("by the sink {}; by hand {}", stored.rows.join(", "), copied.rows.join(", ")))
            };
            for (line, stored) in lines.iter_mut().zip([stored, copied]) {
                let Taken { run, postgres_seconds } = stored.taken;
                line.add(run, compared.clone());
                let per_second = stored.count as f64 / run.wall_seconds;
                sheet.add(&line.name, &[Some(per_second), Some(postgres_seconds)]);
            }
            pipeline.delete()?;
        }
        conclude(&mut findings, *messages, (lines, sheet));
    }
    findings.notes = NOTES.iter().map(|note| (*note).to_owned()).collect();
    session.finish(findings)
}

/// What writing took.
struct Taken {
    run: Run,
    postgres_seconds: f64,
}

/// What a writer has stored.
struct Stored {
    taken: Taken,
    count: u64,
    /// How many rows each table has, and a hash of them.
    rows: Vec<String>,
}

fn by_sink(pipeline: &Pipeline<'_>, loaded: &Loaded) -> Result<Stored, Error> {
    let bed = pipeline.bed;
    let mut tables = Database::connect(bed, &pipeline.prefix)?;
    let (kafka, postgres) = (bed.broker_seconds()?, bed.postgres_seconds()?);
    let mut running = pipeline.unit(SINK)?;
    let wall = wait(&mut tables, loaded, &mut running)?;
    let usage = running.usage()?;
    let (kafka, postgres_seconds) = (bed.broker_seconds()? - kafka, bed.postgres_seconds()? - postgres);
    running.stop()?;
    let run = Run {
        cpu_seconds: usage.cpu_seconds,
        broker_cpu_seconds: Some(kafka),
        wall_seconds: wall.as_secs_f64(),
        peak_bytes: Some(usage.peak_bytes),
    };
    stored(&mut tables, Taken { run, postgres_seconds })
}

/// Lets the sink store what was written.
pub(crate) fn store(pipeline: &Pipeline<'_>, loaded: &Loaded) -> Result<(), Error> {
    let mut tables = Database::connect(pipeline.bed, &pipeline.prefix)?;
    let mut running = pipeline.unit(SINK)?;
    wait(&mut tables, loaded, &mut running)?;
    running.stop()
}

/// Waits until the sink's offsets, which are in the transactions of its rows, are at the ends.
fn wait(tables: &mut Database<'_>, loaded: &Loaded, running: &mut Running) -> Result<Duration, Error> {
    let expected: i64 = loaded.ends.iter().sum();
    let offsets = format!(
        "SELECT coalesce(sum(next_offset), 0)::text FROM sink_offsets WHERE consumer_group = '{SINK}' AND topic = '{INGESTED}'"
    );
    while running.started.elapsed() < PATIENCE {
        if tables.text(offsets.clone())?.parse::<i64>() == Ok(expected) {
            return Ok(running.started.elapsed());
        }
        running.check()?;
        std::thread::park_timeout(LOOK_INTERVAL);
    }
    Err(running.slow(PATIENCE))
}

/// Writes what the sink has stored into tables of another prefix. Names of authors are few: they go with the first batch.
fn by_hand(pipeline: &Pipeline<'_>, program: &Path) -> Result<Stored, Error> {
    let bed = pipeline.bed;
    let mut source = Database::connect(bed, &pipeline.prefix)?;
    let batches = batches(&mut source)?;
    let names = source.copy_out(&format!("SELECT {NAME} FROM author_names"))?;
    let target = Pipeline::with_tables(bed, program)?;
    let mut tables = Database::connect(bed, &target.prefix)?;
    for (table, columns, of) in [("new_messages", MESSAGE, "messages"), ("new_names", NAME, "author_names")] {
        let select = format!("SELECT {columns} FROM {of} WHERE false");
        tables.execute(format!("CREATE TEMPORARY TABLE {table} ON COMMIT DELETE ROWS AS {select}"))?;
    }
    let (own, postgres) = (own_seconds()?, bed.postgres_seconds()?);
    let began = Instant::now();
    for (number, batch) in batches.iter().enumerate() {
        tables.execute("BEGIN".to_owned())?;
        tables.copy_in(&format!("new_messages ({MESSAGE})"), batch)?;
        tables.execute(upsert())?;
        if number == 0 {
            tables.copy_in(&format!("new_names ({NAME})"), &names)?;
            let select = format!("SELECT {NAME} FROM new_names ON CONFLICT DO NOTHING");
            tables.execute(format!("INSERT INTO author_names ({NAME}) {select}"))?;
        }
        tables.execute("COMMIT".to_owned())?;
    }
    let run = Run {
        cpu_seconds: own_seconds()? - own,
        broker_cpu_seconds: None,
        wall_seconds: began.elapsed().as_secs_f64(),
        peak_bytes: None,
    };
    let postgres_seconds = bed.postgres_seconds()? - postgres;
    let stored = stored(&mut tables, Taken { run, postgres_seconds })?;
    target.delete()?;
    Ok(stored)
}

/// New messages, and the words of those that were not there.
fn upsert() -> String {
    format!(
        "WITH added AS (INSERT INTO messages ({MESSAGE}) SELECT {MESSAGE} FROM new_messages ON CONFLICT DO NOTHING \
         RETURNING tenant_id, group_id, id, revision, source_offset, sent_at_ms, text) \
         INSERT INTO message_words ({WORDS}) SELECT tenant_id, group_id, id, revision, source_offset, sent_at_ms, \
         to_tsvector('pg_catalog.russian', left(text, 65536)) || array_to_tsvector(ARRAY[' ' || tenant_id]) \
         FROM added WHERE text <> ''"
    )
}

/// Messages in the order of the log, so many at a time.
fn batches(source: &mut Database<'_>) -> Result<Vec<Vec<u8>>, Error> {
    source.execute(format!(
        "CREATE TEMPORARY TABLE ordered AS SELECT {MESSAGE}, row_number() OVER (ORDER BY source_offset, source_partition) AS at \
         FROM messages; CREATE INDEX ON ordered (at)"
    ))?;
    let count: i64 =
        source.text("SELECT count(*)::text FROM ordered".to_owned())?.parse().unwrap_or_default();
    let batch = |from: i64| {
        let to = from + BATCH;
        source
            .copy_out(&format!("SELECT {MESSAGE} FROM ordered WHERE at > {from} AND at <= {to} ORDER BY at"))
    };
    (0..count).step_by(BATCH as usize).map(batch).collect()
}

fn stored(tables: &mut Database<'_>, taken: Taken) -> Result<Stored, Error> {
    let mut rows = Vec::new();
    for (table, columns) in [("messages", MESSAGE), ("message_words", WORDS), ("author_names", NAME)] {
        // Each row by its hash, added up: order is no part of it, and a row that is there twice counts twice.
        let hash = format!("('x' || left(md5(row ({columns})::text), 15))::bit(60)::bigint");
        let sum = format!("SELECT count(*) || ' rows, ' || coalesce(sum({hash}), 0) FROM {table}");
        rows.push(format!("{table}: {}", tables.text(sum)?));
    }
    let count = tables.text("SELECT count(*)::text FROM messages".to_owned())?.parse().unwrap_or_default();
    Ok(Stored { taken, count, rows })
}

/// Processor time of this process, in seconds.
fn own_seconds() -> Result<f64, Error> {
    Ok(life(std::process::id())?.1.cpu_seconds)
}

fn conclude(findings: &mut Findings, messages: u64, (lines, sheet): ([Line; 2], Sheet)) {
    let speed = |name| sheet.median(name, ROWS_A_SECOND);
    let share = speed(SINK).zip(speed(BY_HAND)).map(|(ours, limit)| ours * 100.0 / limit);
    let what = format!("{SINK}: rows per second, of those by hand, {messages} messages");
    findings.targets.push(Target::at_least(what, 70.0, "%", share).of("sink"));
    findings.lines.extend(lines);
    findings.tables.push(sheet.finish());
}

const NOTES: [&str; 3] = [
    "The sink's time begins with its process: its start, reading Kafka, decoding, and asking what is stored already are in it. By \
     hand, rows that are known to be new are sent as the database keeps them, 2,000 a transaction.",
    "Both fill the same tables: messages, the index of their words, names of authors. They are compared by a hash of every row.",
    "Both have one connection; the machine's cores are shared with Postgres.",
];
