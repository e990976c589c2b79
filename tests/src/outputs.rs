//! Two runs held against each other: every topic as a multiset of key, value and headers; and one against itself: each
//! event once.

use crate::seen::{Bytes, Seen};
use std::collections::BTreeMap;

/// The one topic whose events hold a clock.
const DELIVERED: &str = "digest.delivered.v1";
/// The one topic whose headers say how long work took, and those headers.
const STARTED: &str = "digest.stage.started.v1";
const TIMES: [&str; 3] = ["ce_workms", "ce_lookupms", "ce_modelms"];
/// Differences that are shown.
const SHOWN: usize = 8;

type Header = (String, Option<Bytes>);
type Shape<'a> = (&'a str, &'a Option<Bytes>, Option<&'a Bytes>, Vec<&'a Header>);

/// A record without what may differ between two runs: its place, when a delivery was accepted, and how long the work of a stage took.
fn shape(seen: &Seen) -> Shape<'_> {
    let clock = seen.topic == DELIVERED;
    let value = seen.value.as_ref().filter(|_| !clock);
    let times = seen.topic == STARTED;
    let is_measured = |name: &str| (clock && name == "ce_time") || (times && TIMES.contains(&name));
    let headers = seen.headers.iter().filter(|header| !is_measured(&header.0)).collect();
    (&seen.topic, &seen.key, value, headers)
}

/// What one run has more often than the other, in words; records are named by topic, key and id, never by content.
pub fn differences(expected: &[Seen], found: &[Seen]) -> Vec<String> {
    let mut counts: BTreeMap<Shape<'_>, (i64, &Seen)> = BTreeMap::new();
    for seen in expected {
        counts.entry(shape(seen)).or_insert((0, seen)).0 += 1;
    }
    for seen in found {
        counts.entry(shape(seen)).or_insert((0, seen)).0 -= 1;
    }
    let name = |(count, seen): (i64, &Seen)| {
        let what = if count > 0 { "missing" } else { "too many" };
        format!("{what} ×{}: {} {} {}", count.abs(), seen.topic, seen.key_text(), seen.header("ce_id"))
    };
    counts.into_values().filter(|(count, _)| *count != 0).map(name).collect()
}

/// Fails when two runs differ.
///
/// # Panics
/// With the first differences.
pub fn assert_equal(expected: &[Seen], found: &[Seen]) {
    let differences = differences(expected, found);
    let shown = differences.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n  ");
    assert!(differences.is_empty(), "{} records differ:\n  {shown}", differences.len());
}

/// Events that a topic has more than once, in words.
pub fn repeats(seen: &[Seen]) -> Vec<String> {
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for record in seen {
        *counts.entry((&record.topic, record.header("ce_id"))).or_default() += 1;
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|((topic, id), count)| format!("×{count}: {topic} {id}"))
        .collect()
}

/// Fails when a topic has an event more than once.
///
/// # Panics
/// With the first of them.
pub fn assert_once(seen: &[Seen]) {
    let repeats = repeats(seen);
    let shown = repeats.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n  ");
    assert!(repeats.is_empty(), "{} events come more than once:\n  {shown}", repeats.len());
}
