//! Random logs from seeds: the Fold equals the oracle, whatever is restored when.
//!
//! Invariant: a failing case prints its seed, and the seed alone makes it again.

use crate::{
    WindowBuilder,
    oracle::{Expected, LoggedMessage, Oracle, as_of},
};
use processor::{Event, Fold, FoldState, SourcePosition};
use schemas::{Author, END_OF_LANE, GroupMessageIngested, GroupSettings, GroupWindowReady, Message, Record};
use std::collections::{BTreeMap, BTreeSet};

const SEEDS: u64 = 1_500;
const RECORDS: i64 = 120;
const MINUTE_MS: i64 = 60_000;
/// Two days before clocks change in Berlin.
const BEGIN_MS: i64 = 1_729_814_400_000;

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, bound: i64) -> i64 {
        (self.next() % bound.max(1) as u64) as i64
    }

    fn one_in(&mut self, chance: i64) -> bool {
        self.below(chance) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as i64) as usize].clone()
    }
}

/// Makes a log: each lane walks through time at its own pace.
struct Log {
    random: Random,
    pace_ms: i64,
    now_ms: BTreeMap<&'static str, i64>,
}

impl Log {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let pace_ms = random.pick(&[2, 20, 90, 400]) * MINUTE_MS;
        Self { random, pace_ms, now_ms: BTreeMap::new() }
    }

    fn record(&mut self, offset: i64) -> Event<GroupMessageIngested> {
        let lane = self.random.pick(&["live", "live", "live", "import-a", "import-b"]);
        let step_ms = self.random.below(self.pace_ms);
        let now_ms = self.now_ms.entry(lane).or_insert(BEGIN_MS);
        *now_ms += step_ms;
        let now_ms = *now_ms;
        let count = self.random.pick(&[0, 1, 1, 1, 1, 2, 5]);
        let value = GroupMessageIngested {
            tenant_id: "acme".to_owned(),
            group_id: "qa".to_owned(),
            lane: lane.to_owned(),
            observed_at: now_ms,
            messages: (0..count).map(|_| self.message(now_ms)).collect(),
            ingest_trace_id: String::new(),
            complete_until: self.complete_until(now_ms),
            set_back_to: self.random.one_in(25).then(|| now_ms - self.random.below(3 * 24 * 60) * MINUTE_MS),
            topics: (0..self.random.pick(&[0, 0, 0, 0, 0, 0, 1, 2])).map(|_| self.topic()).collect(),
            settings: self.random.one_in(25).then(|| self.settings()),
            command: None,
        };
        let source = SourcePosition { topic: "ingested".into(), partition: 3, offset, append_time_ms: 0 };
        Event { value, source }
    }

    fn message(&mut self, now_ms: i64) -> Message {
        let away_ms = match self.random.below(12) {
            0 => -self.random.below(8 * 60) * MINUTE_MS,
            1 => -self.random.below(4 * 24 * 60) * MINUTE_MS,
            2 => self.random.below(30 * 60) * MINUTE_MS,
            _ => -self.random.below(20) * MINUTE_MS,
        };
        let id = (now_ms + away_ms - BEGIN_MS).div_euclid(3 * MINUTE_MS);
        let moved = i64::from(self.random.one_in(40)) * self.random.below(50);
        let kind = match self.random.below(10) {
            0 => "deleted",
            1 | 2 => "edited",
            _ => "new",
        };
        let author = self.random.pick(&[Some("ann"), Some("bob"), Some("name:eve"), None]);
        let name = self.random.pick(&["", "A name"]).to_owned();
        Message {
            id,
            revision: if kind == "new" { 0 } else { self.random.below(3) },
            kind: if self.random.one_in(200) { "odd" } else { kind }.to_owned(),
            author: author.map(|id| Author { id: id.to_owned(), name, is_bot: false }),
            sent_at: if self.random.one_in(200) {
                0
            } else {
                BEGIN_MS + (id + moved) * 3 * MINUTE_MS + id.rem_euclid(7)
            },
            text: self.random.pick(&["", "text", "text", "text"]).to_owned(),
            entities: Vec::new(),
            reply_to: self.reply_to(id),
            topic_id: self.random.one_in(30).then(|| self.topic()),
            media: None,
            forward: None,
            reactions: Vec::new(),
        }
    }

    fn topic(&mut self) -> i64 {
        self.random.pick(&[-10_001, -10_002, -10_003, 5])
    }

    /// Nobody, a topic's creation, or a message nearby.
    fn reply_to(&mut self, id: i64) -> Option<i64> {
        match self.random.below(8) {
            0 => Some(self.topic()),
            1..4 => Some(id - 1 - self.random.below(20)),
            _ => None,
        }
    }

    fn complete_until(&mut self, now_ms: i64) -> Option<i64> {
        match self.random.below(20) {
            0 => Some(END_OF_LANE),
            1 => Some(now_ms + self.random.below(5 * 24 * 60) * MINUTE_MS),
            2..5 => Some(now_ms - self.random.below(10) * MINUTE_MS),
            _ => None,
        }
    }

    fn settings(&mut self) -> GroupSettings {
        let sizes: [&[i32]; 7] = [&[24], &[4], &[2, 24], &[1, 6], &[12], &[1, 2, 4, 6, 12, 24], &[5]];
        let zones =
            ["UTC", "Europe/Berlin", "America/Havana", "Asia/Kolkata", "Pacific/Apia", "Nowhere/City"];
        GroupSettings {
            window_hours: self.random.pick(&sizes).to_vec(),
            time_zone: self.random.pick(&zones).to_owned(),
            day_start_minutes: self.random.pick(&[0, 0, 0, 540, 1425, -1]),
            chat: self.random.one_in(2).then(|| "-100".to_owned()),
            ..GroupSettings::default()
        }
    }
}

fn fold() -> WindowBuilder {
    WindowBuilder { horizon_ms: 2 * 24 * 60 * MINUTE_MS, ..WindowBuilder::default() }
}

type State = <WindowBuilder as Fold>::State;
type Parts = BTreeMap<String, Vec<u8>>;

fn save(state: &mut State, parts: &mut Parts) {
    state.drain_changes(&mut |part, value| match value {
        Some(value) => {
            parts.insert(part.to_owned(), value);
        }
        None => {
            parts.remove(part);
        }
    });
}

fn restored(parts: &Parts, backwards: bool) -> State {
    let mut state = State::default();
    let mut order: Vec<_> = parts.iter().collect();
    if backwards {
        order.reverse();
    }
    for (part, value) in order {
        state.restore(part, value).expect("own part");
    }
    state
}

fn replay(state: &mut State, events: &[Event<GroupMessageIngested>]) {
    for event in events.iter().filter(|event| event.value.check(event.source.append_time_ms).is_ok()) {
        drop(fold().step(state, event));
    }
}

#[derive(Default)]
struct Seen {
    refused: BTreeSet<&'static str>,
    dropped: BTreeSet<&'static str>,
    revisions: usize,
    corrected: usize,
    of_imports: usize,
}

/// Counts of a revision are those of an as-of read at its offset.
fn check_as_of(log: &[LoggedMessage], ready: &GroupWindowReady) {
    let content = as_of(log, ready.window_start, ready.window_end, ready.source_offset);
    assert_eq!(content.len() as i32, ready.message_count, "messages as of the offset");
    let authors: BTreeSet<_> =
        content.iter().filter_map(|message| message.author.as_ref().map(|author| &author.id)).collect();
    assert_eq!(authors.len() as i32, ready.participant_count, "participants as of the offset");
}

/// Runs one log. Snapshots are taken and restored at random points, the latter with a replay from the last one.
fn run(seed: u64, seen: &mut Seen) {
    let (mut log, mut random) = (Log::new(seed), Random(!seed));
    let events: Vec<_> = (0..RECORDS).map(|n| log.record(n * 2)).collect();
    let (fold, mut oracle) = (fold(), Oracle::new(fold()));
    let (mut state, mut parts, mut marker) = (State::default(), Parts::new(), 0);
    let mut visible = Vec::new();
    for (n, event) in events.iter().enumerate() {
        // The runtime asks before any reader sees the record: what it lets pass, the store has too.
        if let Err(invalid) = event.value.check(event.source.append_time_ms) {
            seen.refused.insert(invalid.reason);
            continue;
        }
        visible.extend(LoggedMessage::of(event));
        let result = Expected::of(&fold.step(&mut state, event));
        assert_eq!(result, oracle.step(event), "record {n}: {event:?}");
        match &result {
            Expected::Reject(reason) => panic!("{reason}: what the check lets pass is not refused"),
            Expected::Drop(reason) => {
                seen.dropped.insert(reason);
            }
            Expected::Emit(ready) => {
                seen.revisions += ready.len();
                seen.corrected += ready.iter().filter(|ready| ready.revision > 1).count();
                seen.of_imports += ready.iter().filter(|ready| ready.lane != "live").count();
            }
        }
        if let Expected::Emit(ready) = &result {
            for ready in ready {
                check_as_of(&visible, ready);
            }
        }
        if random.one_in(15) {
            save(&mut state, &mut parts);
            marker = n + 1;
        }
        if random.one_in(20) {
            state = restored(&parts, random.one_in(2));
            replay(&mut state, &events[marker..=n]);
        }
    }
    save(&mut state, &mut parts);
    let mut undisturbed = State::default();
    replay(&mut undisturbed, &events);
    let mut expected = Parts::new();
    save(&mut undisturbed, &mut expected);
    assert_eq!(parts, expected, "snapshots of a disturbed and an undisturbed run");
}

#[test]
fn fold_equals_the_oracle_over_random_logs() {
    let mut seen = Seen::default();
    for seed in 0..SEEDS {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed, &mut seen)));
        assert!(outcome.is_ok(), "seed {seed}");
    }
    assert_eq!(Vec::from_iter(seen.refused), ["bad_sent_at", "bad_settings", "unknown_kind"]);
    assert_eq!(Vec::from_iter(seen.dropped), ["duplicate", "empty", "late"]);
    assert!(seen.revisions > 10_000, "revisions: {}", seen.revisions);
    assert!(seen.corrected > 2_000, "revisions after the first: {}", seen.corrected);
    assert!(seen.of_imports > 2_000, "revisions by imports: {}", seen.of_imports);
}
