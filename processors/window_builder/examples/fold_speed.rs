//! Times the Fold alone on the common job: `cargo run --release -p window_builder --example fold_speed [messages]`.
//!
//! Invariant: the input is a function of the arguments, so two runs differ in time only.

use processor::{Event, Fold, FoldState, Outcome, SourcePosition};
use schemas::{Author, END_OF_LANE, GroupMessageIngested, GroupSettings, LIVE_LANE, Message};
use std::{collections::BTreeMap, io::Write, time::Instant};
use window_builder::{GroupState, WindowBuilder};

const GROUPS: u64 = 200;
const AUTHORS: u64 = 40;
const DAY_MS: i64 = 86_400_000;
const BEGIN_MS: i64 = 19_000 * DAY_MS;

/// `SplitMix64`.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut value = *state;
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn record(group: u64, messages: Vec<Message>, observed_at: i64) -> GroupMessageIngested {
    GroupMessageIngested {
        tenant_id: "bench".to_owned(),
        group_id: format!("chat{group}"),
        lane: LIVE_LANE.to_owned(),
        observed_at,
        messages,
        ..GroupMessageIngested::default()
    }
}

fn message(id: i64, author: u64, sent_at: i64) -> Message {
    Message {
        author: Some(Author { id: format!("user{author}"), name: "name".to_owned(), is_bot: false }),
        ..Message::plain(id, sent_at, "a message of the usual length, about as long as people write in chats")
    }
}

/// A day of messages: Zipf over groups, 2 % up to five minutes out of order, 0.1 % an hour, 0.5 % twice.
fn log(messages: i64, sizes: &[i32]) -> Vec<Event<GroupMessageIngested>> {
    let mut seed = 7;
    let weights: Vec<f64> = (1..=GROUPS).map(|rank| (rank as f64).powf(-1.1)).collect();
    let total: f64 = weights.iter().sum();
    let mut ids = vec![0_i64; GROUPS as usize];
    let mut values = Vec::new();
    for group in 0..GROUPS {
        let settings = GroupSettings { window_hours: sizes.to_vec(), ..GroupSettings::default() };
        let control = record(group, Vec::new(), BEGIN_MS);
        values.push(GroupMessageIngested { settings: Some(settings), ..control });
    }
    for n in 0..messages {
        let mut point = random(&mut seed) as f64 / u64::MAX as f64 * total;
        let group = weights
            .iter()
            .take_while(|weight| {
                point -= **weight;
                point > 0.0
            })
            .count()
            % weights.len();
        let now = BEGIN_MS + DAY_MS * n / messages;
        let back = match random(&mut seed) % 1_000 {
            0 => 3_600_000,
            1..21 => (random(&mut seed) % 300_000) as i64,
            _ => 0,
        };
        ids[group] += 1;
        let state = message(ids[group], random(&mut seed) % AUTHORS, (now - back).max(BEGIN_MS));
        values.push(record(group as u64, vec![state.clone()], now));
        if random(&mut seed).is_multiple_of(200) {
            values.push(record(group as u64, vec![state], now));
        }
    }
    for group in 0..GROUPS {
        let control = record(group, Vec::new(), BEGIN_MS + DAY_MS);
        values.push(GroupMessageIngested { complete_until: Some(END_OF_LANE), ..control });
    }
    let source =
        |offset| SourcePosition { topic: "ingested".into(), partition: 0, offset, append_time_ms: 0 };
    (0..).zip(values).map(|(offset, value)| Event { value, source: source(offset) }).collect()
}

fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4096
}

fn main() -> std::io::Result<()> {
    let messages = std::env::args().nth(1).and_then(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let mut out = std::io::stdout();
    for sizes in [&[24][..], &[1, 4]] {
        let fold = WindowBuilder { horizon_ms: 0, ..WindowBuilder::default() };
        let log = log(messages, sizes);
        let before = resident_bytes();
        let mut groups: BTreeMap<&str, GroupState> = BTreeMap::new();
        let (start, mut windows) = (Instant::now(), 0);
        for event in &log {
            let state = groups.entry(&event.value.group_id).or_default();
            if let Ok(Outcome::Emit(ready)) = fold.step(state, event) {
                windows += ready.len();
            }
        }
        let elapsed = start.elapsed();
        let resident = resident_bytes().saturating_sub(before);
        let (mut parts, mut bytes) = (0, 0);
        for state in groups.values_mut() {
            state.drain_changes(&mut |_, value| {
                parts += 1;
                bytes += value.map_or(0, |value| value.len());
            });
        }
        let each = |total: usize| total as f64 / messages as f64 / sizes.len() as f64;
        writeln!(
            out,
            "{sizes:?} h: {messages} messages, {windows} windows, {:.0} records/s, {:.2} B of snapshot and {:.2} B \
             of memory per message and size ({parts} parts)",
            log.len() as f64 / elapsed.as_secs_f64(),
            each(bytes),
            each(resident),
        )?;
    }
    Ok(())
}
