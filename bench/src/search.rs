//! How long a search for words takes among so many messages.
//!
//! Invariant: what it finds is held to where the words were written, before its time counts.

use crate::{
    clients,
    corpus::{Corpus, Place, word},
    dice::Dice,
    error::Error,
    figures::{LATENCY, Sheet, latency},
    fingerprint::Fingerprinting,
    generator::TENANT,
    pipeline::Pipeline,
    report::{Line, Report, Run},
    sender::Sender,
    session::{Findings, Options, Session, kafka_versions},
    sink,
    testbed::{INGESTED, Loaded, Say, Testbed},
    usage::life,
};
use schemas::GroupMessageIngested;
use state::{MessageHit, Outcome, Schema, SearchQuery, Store, StoreOptions};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// Searches of a kind in a run.
const SEARCHES: u64 = 200;
/// Most hits of a search.
const LIMIT: u32 = 10;
const SEED: u64 = 17;
/// Kinds of searches: what they are called, and the ranks that each of their words is drawn from.
const KINDS: [(&str, &[(u64, u64)]); 3] = [
    ("a rare word", &[(2_000, 20_000)]),
    ("a common word", &[(0, 50)]),
    ("a rare and a common word", &[(2_000, 20_000), (0, 50)]),
];

/// Searches messages for words, on a stack of its own.
///
/// # Errors
/// The stack does not start, or a search fails.
pub fn search(options: &Options, say: Say<'_>) -> Result<Report, Error> {
    let mut session = Session::begin("search", options, say)?;
    let bed = Testbed::start(session.teller())?;
    let mut findings = Findings { versions: kafka_versions(), ..Findings::default() };
    for messages in &options.records {
        let corpus = Corpus(*messages);
        session.say(format!("storing {messages} messages …"));
        let pipeline = Pipeline::with_tables(&bed, &options.program)?;
        let loaded = load(&pipeline, corpus)?;
        sink::store(&pipeline, &loaded)?;
        findings.inputs.push(loaded.fingerprint);
        let mut trial = Trial::new(&pipeline, corpus)?;
        for number in 0..options.runs {
            session.say(format!(
                "run {} of {}: {SEARCHES} searches of each kind …",
                number + 1,
                options.runs
            ));
            trial.run(number)?;
        }
        findings.lines.extend(trial.lines);
        findings.tables.push(trial.sheet.finish());
        pipeline.delete()?;
    }
    findings.notes = NOTES.iter().map(|note| (*note).to_owned()).collect();
    session.finish(findings)
}

fn load(pipeline: &Pipeline<'_>, corpus: Corpus) -> Result<Loaded, Error> {
    let (bed, prefix) = (pipeline.bed, pipeline.prefix.clone());
    let topic = prefix.topic(INGESTED);
    let sender = Sender::new(&bed.addresses.kafka, &topic, clients::LINGER_MS)?;
    let mut taken = Fingerprinting::default();
    for record in corpus.records(bed.schema_id::<GroupMessageIngested>(&prefix, INGESTED)?)? {
        taken.take(record.partition, record.key.as_bytes(), &record.value);
        sender.send(record.partition, record.key.as_bytes(), &record.value)?;
    }
    sender.finish()?;
    let ends = clients::ends(&bed.addresses.kafka, &topic)?;
    Ok(Loaded { prefix, topic, fingerprint: taken.finish(), ends })
}

struct Trial<'a> {
    pipeline: &'a Pipeline<'a>,
    store: Store,
    /// Ranks of the words of each search, by kind.
    searches: Vec<Vec<Vec<u64>>>,
    holders: BTreeMap<u64, BTreeSet<Place>>,
    lines: Vec<Line>,
    sheet: Sheet,
}

impl<'a> Trial<'a> {
    fn new(pipeline: &'a Pipeline<'a>, corpus: Corpus) -> Result<Self, Error> {
        let schema = Schema::new(&pipeline.prefix.postgres_schema()).unwrap_or_default();
        let options = StoreOptions { schema, ..StoreOptions::default() };
        let store = pipeline.bed.block_on(Store::open(&pipeline.bed.addresses.postgres, &options))?;
        let mut dice = Dice::new(SEED);
        let mut draw = |(from, to): &(u64, u64)| from + dice.below(to - from);
        let searches: Vec<Vec<Vec<u64>>> = KINDS
            .iter()
            .map(|(_, words)| (0..SEARCHES).map(|_| words.iter().map(&mut draw).collect()).collect())
            .collect();
        let wanted = searches.iter().flatten().flatten().copied().collect();
        let lines = KINDS.iter().map(|(kind, _)| Line::new(*kind, SEARCHES)).collect();
        let sheet = Sheet::new("search", &LATENCY);
        Ok(Self { pipeline, store, searches, holders: corpus.holders(&wanted), lines, sheet })
    }

    fn run(&mut self, number: usize) -> Result<(), Error> {
        for turn in 0..KINDS.len() {
            let at = (turn + number) % KINDS.len();
            let (before, began) = (life(std::process::id())?.1.cpu_seconds, Instant::now());
            let (times, compared) = self.ask(at)?;
            let run = Run {
                cpu_seconds: life(std::process::id())?.1.cpu_seconds - before,
                broker_cpu_seconds: None,
                wall_seconds: began.elapsed().as_secs_f64(),
                peak_bytes: None,
            };
            if compared.is_ok() {
                self.sheet.add(KINDS[at].0, &latency(times));
            }
            self.lines[at].add(run, compared);
        }
        Ok(())
    }

    fn ask(&self, at: usize) -> Result<(Vec<Duration>, Result<String, String>), Error> {
        let (mut times, mut compared) = (Vec::new(), Ok(format!("hits of {SEARCHES} searches")));
        for ranks in &self.searches[at] {
            let words: Vec<String> = ranks.iter().copied().map(word).collect();
            let query = SearchQuery {
                tenant_id: TENANT.to_owned(),
                text: words.join(" "),
                limit: LIMIT,
                ..SearchQuery::default()
            };
            let began = Instant::now();
            let outcome = self.pipeline.bed.block_on(self.store.search_messages(&query))?;
            times.push(began.elapsed());
            let hits = if let Outcome::Hits(hits) = outcome { hits } else { Vec::new() };
            if compared.is_ok()
                && let Err(why) = self.held(ranks, &hits)
            {
                compared = Err(format!("{}: {why}", query.text));
            }
        }
        Ok((times, compared))
    }

    /// Hits are messages with one of the words, no message twice, and as many as there are, up to the limit. Where a rare
    /// word brings hits, a common one need not.
    fn held(&self, ranks: &[u64], hits: &[MessageHit]) -> Result<(), String> {
        let found: BTreeSet<Place> = hits.iter().map(|hit| (hit.group_id.clone(), hit.message_id)).collect();
        let holders = |rank: &u64| self.holders.get(rank).map_or(0, BTreeSet::len);
        let least = ranks.first().map_or(0, holders).min(LIMIT as usize);
        if found.len() < hits.len() || found.len() < least {
            return Err(format!(
                "{} messages, {} of them different, of {least} at least",
                hits.len(),
                found.len()
            ));
        }
        let has_word = |place: &&Place| {
            ranks.iter().any(|rank| self.holders.get(rank).is_some_and(|holders| holders.contains(*place)))
        };
        match found.iter().find(|place| !has_word(place)) {
            Some((chat, id)) => Err(format!("message {id} of {chat} has none of the words")),
            None => Ok(()),
        }
    }
}

const NOTES: [&str; 3] = [
    "A line counts searches, not messages: 200 of each kind a run, one after another on one connection, ten hits at most. Its \
     processor time is the asker's; Postgres' is not told.",
    "Words are invented, and as rare and as common as words are (one of rank r comes 1/r as often as the first); messages have 4 \
     to 28 of them.",
    "By meaning was not measured: the stack of the benchmark has no Qdrant.",
];
