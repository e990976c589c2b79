//! The invariants, asked of what any client can see.

use crate::events;
use anyhow::Context;
use schemas::{DigestDelivered, GroupWindowReady};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tests::{Isolation, Pipeline, Seen, Stack, Stranger, TENANT, decode_all, repeats};

/// Differences that are told of one invariant.
const SHOWN: usize = 5;
const DAY_MS: i64 = 86_400_000;

/// What does not hold.
#[derive(Debug)]
pub(crate) struct Finding(String);

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One finding for all that breaks an invariant.
fn finding(invariant: &str, found: &[String]) -> Option<Finding> {
    let shown = found.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    (!found.is_empty()).then(|| Finding(format!("{invariant}: {} times: {shown}", found.len())))
}

/// I11: whatever happened, every unit runs.
pub(crate) fn ended(units: &[String]) -> Option<Finding> {
    finding("a unit has ended for good", units)
}

/// A subscriber that reads committed records all the while.
pub(crate) struct LiveReader {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Vec<Seen>>>,
}

impl LiveReader {
    pub(crate) fn start(stack: &Stack, pipeline: &Pipeline) -> anyhow::Result<Self> {
        let ends = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&ends);
        let mut stranger = Stranger::on(stack, pipeline, Isolation::Committed)?;
        let thread = thread::Builder::new().name("live reader".to_owned()).spawn(move || {
            loop {
                let is_last = asked.load(Ordering::Relaxed);
                match stranger.catch_up() {
                    Ok(_) if is_last => return Ok(stranger.into_seen()),
                    Err(error) if is_last => return Err(error),
                    // The broker is away now and then.
                    Ok(_) | Err(_) => thread::sleep(Duration::from_millis(300)),
                }
            }
        })?;
        Ok(Self { ends, thread })
    }

    /// I2, I5: whoever reads all the while sees what whoever comes later sees.
    pub(crate) fn finish(self, later: &[Seen]) -> anyhow::Result<Vec<Finding>> {
        self.ends.store(true, Ordering::Relaxed);
        let live = self.thread.join().map_err(|_| anyhow::anyhow!("the live reader panicked"))??;
        let place = |seen: &Seen| (seen.topic.clone(), seen.partition, seen.offset);
        let by_place = |seen: &[Seen]| -> BTreeMap<_, _> {
            seen.iter().map(|record| (place(record), (record.key.clone(), record.value.clone()))).collect()
        };
        let (live_places, later_places) = (by_place(&live), by_place(later));
        let twice = live.len() - live_places.len();
        let differ: Vec<String> = live_places
            .iter()
            .filter(|(place, value)| later_places.get(place) != Some(value))
            .chain(later_places.iter().filter(|(place, _)| !live_places.contains_key(place)))
            .map(|(place, _)| format!("{place:?}"))
            .collect();
        let twice: Vec<String> =
            (twice > 0).then(|| format!("{twice} places read twice")).into_iter().collect();
        Ok([finding("live and later readers differ", &differ), finding("read twice", &twice)]
            .into_iter()
            .flatten()
            .collect())
    }
}

/// A message as the files tell it in the end: revision, send time, author; none for one that is deleted.
type Newest = (i64, i64, Option<String>);

/// What the files say of each day of each group: messages and people, in their newest states.
fn days<'a>(
    files: impl Iterator<Item = (&'a str, &'a Path)>,
) -> anyhow::Result<BTreeMap<(String, i64), (i32, i32)>> {
    let mut newest: BTreeMap<(String, i64), Newest> = BTreeMap::new();
    for (group, file) in files {
        for line in fs::read_to_string(file)?.lines() {
            let line: serde_json::Value = serde_json::from_str(line).context("a line")?;
            let (id, sent_at) =
                (line["id"].as_i64().context("an id")?, line["sent_at"].as_i64().context("a time")?);
            let deleted = line["deleted_at"].as_i64();
            let revision = deleted.or(line["edited_at"].as_i64()).unwrap_or_default();
            let author = line["author"]["id"].as_str().filter(|_| deleted.is_none()).map(str::to_owned);
            let state = (revision, sent_at, author);
            let known = newest.entry((group.to_owned(), id)).or_insert_with(|| state.clone());
            // A deletion outranks every edit.
            let is_gone = known.2.is_none();
            if deleted.is_some() || (!is_gone && state.0 > known.0) {
                *known = state;
            }
        }
    }
    let mut days: BTreeMap<(String, i64), (i32, BTreeSet<String>)> = BTreeMap::new();
    for ((group, _), (_, sent_at, author)) in newest {
        let day = days.entry((group, sent_at - sent_at.rem_euclid(DAY_MS))).or_default();
        if let Some(author) = author {
            day.0 += 1;
            day.1.insert(author);
        }
    }
    Ok(days.into_iter().map(|(day, (messages, people))| (day, (messages, people.len() as i32))).collect())
}

/// What holds of a pipeline by itself: I2, I6, I7, I11, I12.
pub(crate) fn alone<'a>(
    pipeline: &Pipeline,
    seen: &[Seen],
    files: impl Iterator<Item = (&'a str, &'a Path)>,
) -> anyhow::Result<Vec<Finding>> {
    let mut findings: Vec<Finding> =
        finding("an event comes more than once", &repeats(seen)).into_iter().collect();
    findings.extend(finding("a window is not what the files say", &windows(pipeline, seen, files)?));
    let letters: Vec<String> = seen
        .iter()
        .filter(|record| record.topic == "digest.dlq.v1")
        .map(|record| format!("{} of {}", record.header("dlq_reason"), record.header("dlq_stage")))
        .collect();
    findings.extend(finding("a dead letter of good input", &letters));
    let transactions: serde_json::Value =
        serde_json::from_str(&pipeline.gistmill(&["txn", "ls", "--json"])?)?;
    let hanging: Vec<String> =
        transactions["hanging"].as_array().into_iter().flatten().map(ToString::to_string).collect();
    findings.extend(finding("a transaction hangs", &hanging));
    let counts = [
        (
            "rows beyond the offset of their sink",
            "SELECT count(*) FROM messages AS m WHERE m.source_offset >= (SELECT next_offset FROM sink_offsets WHERE \
             consumer_group = 'postgres_sink' AND topic = 'group.message.ingested.v1' AND partition = m.source_partition)",
        ),
        (
            "a delivery that nobody knows the end of",
            "SELECT count(*) FROM deliveries WHERE status IN ('planned', 'sending', 'unknown', 'failed')",
        ),
        (
            "a digest without its event in the outbox",
            "SELECT (SELECT count(*) FROM digests) - (SELECT count(*) FROM outbox WHERE port = 'persisted')",
        ),
    ];
    for (what, sql) in counts {
        let count = pipeline.rows.number(sql)?;
        findings.extend((count != 0).then(|| Finding(format!("{what}: {count}"))));
    }
    Ok(findings)
}

/// I6: the newest revision of each window has the counts of the files.
fn windows<'a>(
    pipeline: &Pipeline,
    seen: &[Seen],
    files: impl Iterator<Item = (&'a str, &'a Path)>,
) -> anyhow::Result<Vec<String>> {
    let mut found: BTreeMap<(String, i64), (i32, i32, i32)> = BTreeMap::new();
    for ready in decode_all::<GroupWindowReady>(pipeline, seen, "group.window.ready.v1")? {
        let newest = found.entry((ready.group_id.clone(), ready.window_start)).or_default();
        *newest = (*newest).max((ready.revision, ready.message_count, ready.participant_count));
    }
    let expected = days(files)?;
    let of = |day: &(String, i64)| found.get(day).map(|(_, messages, people)| (*messages, *people));
    let wrong = expected.iter().filter(|(day, counts)| of(day) != Some(**counts));
    let strange = found.keys().filter(|day| !expected.contains_key(day));
    Ok(wrong
        .map(|(day, counts)| format!("{day:?} has {:?}, by the files {counts:?}", of(day)))
        .chain(strange.map(|day| format!("{day:?} is not in the files")))
        .collect())
}

/// Of deliveries: which versions of which windows, on which channel, how.
type Deliveries = BTreeMap<(String, String), String>;

/// The newest delivery of each window: of versions that come close upon each other the older may be passed over.
fn deliveries(pipeline: &Pipeline, seen: &[Seen]) -> anyhow::Result<Deliveries> {
    let mut newest: BTreeMap<(String, String), (Vec<u32>, String)> = BTreeMap::new();
    for delivered in decode_all::<DigestDelivered>(pipeline, seen, "digest.delivered.v1")? {
        let version: Vec<u32> = delivered.version.split('.').filter_map(|part| part.parse().ok()).collect();
        let told = (version, delivered.status.clone());
        let known = newest
            .entry((delivered.window_id.clone(), delivered.channel.clone()))
            .or_insert_with(|| told.clone());
        if told.0 >= known.0 {
            *known = told;
        }
    }
    // Of a digest that is withdrawn before it was delivered nothing is told: which it was is a matter of time.
    Ok(newest
        .into_iter()
        .filter(|(_, (_, status))| status != "withdrawn")
        .map(|(place, (version, status))| (place, format!("{version:?} {status}")))
        .collect())
}

/// What the file sink has written: paths and bytes.
fn files(directory: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("could not list {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory)?.to_string_lossy().into_owned();
                found.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(found)
}

/// Two runs over the same input: one that was left alone, and this.
pub(crate) fn compared(
    (alone, expected): (&Pipeline, &[Seen]),
    (broken, seen): (&Pipeline, &[Seen]),
) -> anyhow::Result<Vec<Finding>> {
    let records = events::differences(&events::of(alone, expected)?, &events::of(broken, seen)?);
    let mut findings: Vec<Finding> =
        finding("records differ from those of the run left alone", &records).into_iter().collect();
    let export =
        |pipeline: &Pipeline| pipeline.gistmill(&["digest", "export", "--tenant", TENANT, "--canonical"]);
    let (left, right) = (export(alone)?, export(broken)?);
    let lines: Vec<String> = left
        .lines()
        .zip(right.lines())
        .filter(|(left, right)| left != right)
        .map(|(left, _)| left.chars().take(120).collect())
        .collect();
    findings.extend(finding("canonical exports differ", &lines));
    let (left, right) = (left.lines().count(), right.lines().count());
    findings.extend(
        (left != right).then(|| Finding(format!("{left} digests in the run left alone, {right} in this"))),
    );
    let told = (deliveries(alone, expected)?, deliveries(broken, seen)?);
    let places: BTreeSet<_> = told.0.keys().chain(told.1.keys()).collect();
    let differ: Vec<String> = places
        .into_iter()
        .map(|place| (place, told.0.get(place), told.1.get(place)))
        .filter(|(_, left, right)| left != right)
        .map(|(place, left, right)| format!("{place:?} {left:?} alone, {right:?} here"))
        .collect();
    findings.extend(finding("newest deliveries differ", &differ));
    let written = (files(&alone.files())?, files(&broken.files())?);
    let names: BTreeSet<&String> = written.0.keys().chain(written.1.keys()).collect();
    let differ: Vec<String> =
        names.into_iter().filter(|name| written.0.get(*name) != written.1.get(*name)).cloned().collect();
    findings.extend(finding("files differ", &differ));
    for (what, sql) in [
        ("states of messages", "SELECT count(*) FROM messages"),
        ("digests", "SELECT count(*) FROM digests"),
        ("blocked digests", "SELECT count(*) FROM blocked_digests"),
        ("rows of the outbox that persisted digests", "SELECT count(*) FROM outbox WHERE port = 'persisted'"),
    ] {
        let (left, right) = (alone.rows.number(sql)?, broken.rows.number(sql)?);
        findings.extend(
            (left != right)
                .then(|| Finding(format!("{what}: {left} in the run left alone, {right} in this"))),
        );
    }
    Ok(findings)
}
