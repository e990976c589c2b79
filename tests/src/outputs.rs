//! Two runs held against each other: every topic as a multiset of key, value and headers.

use crate::seen::{Bytes, Seen};
use std::collections::BTreeMap;

/// The one topic whose events hold a clock.
const DELIVERED: &str = "digest.delivered.v1";
/// Differences that are shown.
const SHOWN: usize = 8;

type Header = (String, Option<Bytes>);
type Shape<'a> = (&'a str, &'a Option<Bytes>, Option<&'a Bytes>, Vec<&'a Header>);

/// A record without what may differ between two runs: its place, and when a delivery was accepted.
fn shape(seen: &Seen) -> Shape<'_> {
    let clock = seen.topic == DELIVERED;
    let value = seen.value.as_ref().filter(|_| !clock);
    let headers = seen.headers.iter().filter(|header| !(clock && header.0 == "ce_time")).collect();
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
