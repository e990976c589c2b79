//! The records of the common job: a day of 200 chats, as a live source would write it.
//!
//! Invariant: the records are a function of the seed and their number, on every machine, so that two runs of any engine read
//! the same bytes; their sha256 is told with each result.

use crate::dice::Dice;
use engine::murmur2_partition;
use schemas::{Author, END_OF_LANE, GroupMessageIngested, GroupSettings, LIVE_LANE, Message, Record as _};
use std::collections::VecDeque;

/// Partitions of every topic of the job, as in the map.
pub(crate) const PARTITIONS: i32 = 4;
/// Tenant of all chats.
pub(crate) const TENANT: &str = "bench";
/// Size of the windows, in hours.
pub(crate) const SIZE_HOURS: i32 = 1;
const CHATS: u32 = 200;
/// Exponent of the Zipf distribution of messages over chats.
const SKEW: f64 = 1.1;
const AUTHORS: u64 = 40;
const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// 2026-01-05T00:00:00Z.
pub(crate) const BEGIN_MS: i64 = 1_767_571_200_000;
/// Later than every window's end and grace: engines whose clock is the newest event time have to see it.
const END_MS: i64 = BEGIN_MS + DAY_MS + 2 * HOUR_MS;
/// Newest records that one of is written again when a duplicate is due.
const REMEMBERED: usize = 64;
/// A chat ends twice: Kafka Streams looks for windows to emit before a record moves its clock on.
const ENDINGS: u32 = 2;
const WORDS: [&str; 32] = [
    "about",
    "after",
    "again",
    "and",
    "because",
    "before",
    "broker",
    "build",
    "change",
    "could",
    "deploy",
    "everybody",
    "find",
    "from",
    "group",
    "have",
    "later",
    "maybe",
    "message",
    "never",
    "offset",
    "please",
    "question",
    "release",
    "should",
    "something",
    "tomorrow",
    "the",
    "we",
    "what",
    "with",
    "yesterday",
];

/// A record and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Generated {
    /// What is written.
    pub(crate) record: GroupMessageIngested,
    /// Partition of its key.
    pub(crate) partition: i32,
    /// Its number in the partition.
    pub(crate) offset: i64,
}

/// Which records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// Another seed, other records.
    pub(crate) seed: u64,
    /// Records with a message; settings and ends of the chats come before and after them.
    pub(crate) messages: u64,
}

impl Job {
    /// The job that results are told of, with so many messages.
    pub(crate) fn of(messages: u64) -> Self {
        Self { seed: 7, messages }
    }

    /// All records, control among them.
    pub(crate) fn records(self) -> u64 {
        self.messages + u64::from(CHATS * (1 + ENDINGS))
    }

    /// The records in the order in which they are written.
    pub(crate) fn generate(self) -> Generator {
        let mut total = 0;
        // Integers: the last bit of a power is not the same everywhere.
        let weight = |rank: u32| (f64::from(rank).powf(-SKEW) * 1e9) as u64;
        let bounds = (1..=CHATS).map(|rank| {
            total += weight(rank);
            total
        });
        Generator {
            job: self,
            bounds: bounds.collect(),
            dice: Dice::new(self.seed),
            next: 0,
            ids: vec![0; CHATS as usize],
            recent: VecDeque::with_capacity(REMEMBERED),
            offsets: [0; PARTITIONS as usize],
        }
    }
}

/// The records of a [`Job`]: 2 % up to 5 minutes out of order, 0.1 % one to two hours late, 0.5 % told again.
#[derive(Debug)]
pub(crate) struct Generator {
    job: Job,
    bounds: Vec<u64>,
    dice: Dice,
    next: u64,
    ids: Vec<i64>,
    recent: VecDeque<(u32, Message)>,
    offsets: [i64; PARTITIONS as usize],
}

impl Generator {
    fn record(&mut self, chat: u32, observed_at: i64, messages: Vec<Message>) -> GroupMessageIngested {
        let [high, low] = [self.dice.roll(), self.dice.roll()];
        GroupMessageIngested {
            tenant_id: TENANT.to_owned(),
            group_id: format!("chat{chat}"),
            lane: LIVE_LANE.to_owned(),
            observed_at,
            messages,
            ingest_trace_id: format!("{high:016x}{low:016x}"),
            ..GroupMessageIngested::default()
        }
    }

    fn settings(&mut self, chat: u32) -> GroupMessageIngested {
        let settings = GroupSettings { window_hours: vec![SIZE_HOURS], ..GroupSettings::default() };
        GroupMessageIngested { settings: Some(settings), ..self.record(chat, BEGIN_MS, Vec::new()) }
    }

    fn ending(&mut self, chat: u32) -> GroupMessageIngested {
        GroupMessageIngested { complete_until: Some(END_OF_LANE), ..self.record(chat, END_MS, Vec::new()) }
    }

    fn message(&mut self, number: u64) -> GroupMessageIngested {
        let passed = u128::from(number) * DAY_MS as u128 / u128::from(self.job.messages);
        let now = BEGIN_MS + passed as i64;
        if self.dice.below(1_000) < 5 && !self.recent.is_empty() {
            let told = self.dice.below(self.recent.len() as u64) as usize;
            let (chat, message) = self.recent[told].clone();
            return self.record(chat, now, vec![message]);
        }
        let point = self.dice.below(self.bounds.last().copied().unwrap_or_default());
        let chat = self.bounds.partition_point(|bound| *bound <= point) as u32;
        let behind = match self.dice.below(1_000) {
            0 => HOUR_MS + self.dice.below(60 * MINUTE_MS) as i64,
            1..21 => self.dice.below(5 * MINUTE_MS) as i64,
            _ => 0,
        };
        let message = self.said(chat, (now - behind).max(BEGIN_MS));
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((chat, message.clone()));
        self.record(chat, now, vec![message])
    }

    fn said(&mut self, chat: u32, sent_at: i64) -> Message {
        self.ids[chat as usize] += 1;
        let id = self.ids[chat as usize];
        let author = self.dice.below(AUTHORS);
        let words = 8 + self.dice.below(25);
        let text: Vec<&str> =
            (0..words).map(|_| WORDS[self.dice.below(WORDS.len() as u64) as usize]).collect();
        let answers = self.dice.below(10) < 3;
        let to = id - 1 - self.dice.below(20) as i64;
        let author =
            Author { id: format!("user{author}"), name: format!("Member number {author}"), is_bot: false };
        Message {
            author: Some(author),
            reply_to: Some(to).filter(|to| answers && *to > 0),
            ..Message::plain(id, sent_at, &text.join(" "))
        }
    }
}

impl Iterator for Generator {
    type Item = Generated;

    fn next(&mut self) -> Option<Generated> {
        let chats = u64::from(CHATS);
        let number = self.next;
        let record = if number < chats {
            self.settings(number as u32)
        } else if number < chats + self.job.messages {
            self.message(number - chats)
        } else if number < self.job.records() {
            self.ending(((number - chats - self.job.messages) % chats) as u32)
        } else {
            return None;
        };
        self.next += 1;
        let partition = murmur2_partition(record.key().as_bytes(), PARTITIONS);
        let offset = &mut self.offsets[partition as usize];
        *offset += 1;
        Some(Generated { record, partition, offset: *offset - 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use std::collections::{BTreeMap, BTreeSet};

    fn sha256(job: Job) -> String {
        Fingerprint::of(job, 1).expect("records of the schema").sha256
    }

    #[test]
    fn the_same_seed_makes_the_same_bytes_and_another_does_not() {
        let job = Job::of(2_000);
        assert_eq!(sha256(job), sha256(job));
        assert_ne!(sha256(job), sha256(Job { seed: 8, ..job }));
        assert_ne!(sha256(job), sha256(Job { messages: 2_001, ..job }));
    }

    #[test]
    fn every_record_is_one_that_readers_take() {
        for Generated { record, .. } in Job::of(3_000).generate() {
            assert_eq!(record.check(0), Ok(()), "{record:?}");
        }
    }

    #[test]
    fn there_are_as_many_records_as_told_and_each_partition_counts_its_own() {
        let job = Job::of(1_000);
        let mut counts: BTreeMap<i32, i64> = BTreeMap::new();
        for generated in job.generate() {
            let count = counts.entry(generated.partition).or_default();
            assert_eq!(generated.offset, *count);
            *count += 1;
        }
        assert_eq!(counts.values().sum::<i64>(), job.records() as i64);
        assert_eq!(counts.len(), PARTITIONS as usize);
    }

    #[test]
    fn some_are_late_some_out_of_order_and_some_told_again() {
        let records: Vec<_> = Job::of(50_000).generate().filter(|g| !g.record.messages.is_empty()).collect();
        let behind = |g: &&Generated| g.record.observed_at - g.record.messages[0].sent_at;
        let share = |count: usize| count as f64 / records.len() as f64;
        let late = share(records.iter().filter(|g| behind(g) >= HOUR_MS).count());
        let out_of_order = share(records.iter().filter(|g| (10_000..HOUR_MS).contains(&behind(g))).count());
        assert!((0.0005..0.002).contains(&late), "{late}");
        assert!((0.015..0.03).contains(&out_of_order), "{out_of_order}");
        let mut seen = BTreeSet::new();
        let is_again = |g: &&Generated| !seen.insert((g.record.key(), g.record.messages[0].id));
        let again = share(records.iter().filter(is_again).count());
        assert!((0.003..0.008).contains(&again), "{again}");
    }

    #[test]
    fn the_first_chats_have_most_messages() {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for generated in Job::of(20_000).generate().filter(|g| !g.record.messages.is_empty()) {
            *counts.entry(generated.record.group_id).or_default() += 1;
        }
        let of = |chat: &str| counts.get(chat).copied().unwrap_or_default();
        assert!(of("chat0") > 4 * of("chat9"), "{counts:?}");
        assert!(of("chat9") > 4 * of("chat99"), "{counts:?}");
        assert!(counts.len() > 190, "{}", counts.len());
    }
}
