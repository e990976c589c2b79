//! Letters counted: each is in a line, and there are few lines.

use super::{COUNTED_OVER, FULL_MAX, KINDS_MAX, Letter, Letters, Line};
use crate::{
    host::status::UnitStatus,
    test_support::{Log, example},
};
use processor::Emission;
use schemas::{DigestDlq, Fingerprint};
use std::time::{Duration, Instant};

fn letter(offset: i64, reason: &str) -> Letter {
    Letter {
        topic: "t.v1".to_owned(),
        partition: 3,
        offset,
        reason: reason.to_owned(),
        fingerprint: Fingerprint::of("topic", "t.v1", reason, "what was said"),
    }
}

/// Letters that the lines tell of.
fn letters(lines: &[Line]) -> u64 {
    let of = |line: &Line| if let Line::Count { new, .. } = line { *new } else { 1 };
    lines.iter().map(of).sum()
}

#[test]
fn ten_thousand_equal_failures_are_a_few_lines_that_count_them_all() {
    let (mut kept, start, mut lines) = (Letters::default(), Instant::now(), Vec::new());
    for number in 0..10_000_u32 {
        // A thousand a minute.
        let now = start + COUNTED_OVER * number / 1_000;
        lines.extend(kept.due(now));
        lines.extend(kept.add(letter(number.into(), "wrong_magic"), now));
    }
    lines.extend(kept.rest());
    let full = lines.iter().filter(|line| matches!(line, Line::Full(_))).count();
    assert_eq!((full as u64, lines.len()), (FULL_MAX, 20), "{lines:?}");
    assert_eq!(letters(&lines), 10_000);
    let Some(Line::Count { new, total, last, .. }) = lines.last() else { panic!("{lines:?}") };
    assert_eq!((*total, last), (10_000, &letter(9_999, "wrong_magic")));
    assert!(*new < 1_000, "{new}");
    assert!(kept.rest().is_empty() && kept.next_due().is_none());
}

#[test]
fn another_kind_has_lines_of_its_own_and_a_count_comes_when_its_time_is_over() {
    let (mut kept, start) = (Letters::default(), Instant::now());
    for offset in 0..12 {
        let line = kept.add(letter(offset, "wrong_magic"), start);
        assert_eq!(line, (offset < 10).then(|| Line::Full(letter(offset, "wrong_magic"))));
    }
    assert_eq!(kept.add(letter(12, "wrong_key"), start), Some(Line::Full(letter(12, "wrong_key"))));
    assert_eq!(kept.next_due(), Some(start + COUNTED_OVER));
    assert_eq!(kept.due(start + Duration::from_secs(59)), []);
    let last = letter(11, "wrong_magic");
    let kind = last.fingerprint.to_string();
    assert_eq!(kept.due(start + COUNTED_OVER), [Line::Count { kind, new: 2, total: 12, last }]);
    assert_eq!(kept.next_due(), None);
}

#[test]
fn kinds_are_bounded_and_those_that_come_too_late_are_counted_together() {
    let (mut kept, start) = (Letters::default(), Instant::now());
    let mut lines = Vec::new();
    for number in 0..KINDS_MAX as i64 + 50 {
        lines.extend(kept.add(letter(number, &format!("reason_{number}")), start));
    }
    assert_eq!(lines.len() as u64, KINDS_MAX as u64 + FULL_MAX);
    let rest = kept.rest();
    let [Line::Count { kind, new, total, .. }] = &rest[..] else { panic!("{rest:?}") };
    assert_eq!((kind.as_str(), *new, *total), ("(other)", 40, 50));
}

#[test]
fn a_line_names_unit_place_kind_and_reason() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(log.clone()).finish();
    let one = letter(9, "wrong_magic");
    let kind = one.fingerprint.to_string();
    tracing::subscriber::with_default(subscriber, || {
        Line::Full(one.clone()).tell("roles");
        Line::Count { kind: kind.clone(), new: 5, total: 15, last: one }.tell("roles");
    });
    let lines: Vec<serde_json::Value> =
        log.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [full, count] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(
        ["unit", "topic", "fingerprint", "reason", "level"].map(|name| full[name].as_str()),
        [Some("roles"), Some("t.v1"), Some(&*kind), Some("wrong_magic"), Some("WARN")]
    );
    assert_eq!((full["partition"].as_i64(), full["offset"].as_i64()), (Some(3), Some(9)));
    assert_eq!(full["message"], "input given up as a dead letter, see `gistmill dlq ls`");
    assert_eq!(
        ["new", "total", "last_partition", "last_offset"].map(|name| count[name].as_i64()),
        [Some(5), Some(15), Some(3), Some(9)]
    );
    assert_eq!((&count["fingerprint"], &count["reason"]), (&full["fingerprint"], &full["reason"]));
}

#[test]
fn what_a_unit_gave_up_and_no_line_has_told_is_told_when_it_ends() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, || {
        let status = UnitStatus::new("roles".to_owned());
        for offset in 0..10_000 {
            status.buried(letter(offset, "wrong_magic"));
            status.turned();
        }
        status.tell_letters();
        status.tell_letters();
    });
    let text = log.text();
    assert_eq!(text.matches("input given up as a dead letter").count(), 10, "{text}");
    assert_eq!(text.matches("inputs given up as dead letters").count(), 1, "{text}");
    assert!(text.contains("new=9990 total=10000 last_partition=3 last_offset=9999"), "{text}");
}

#[test]
fn of_what_a_source_publishes_its_own_letters_are_told_and_those_of_others_are_not() {
    let letter: DigestDlq = example();
    let emission = |stage: &str| {
        let record = Box::new(DigestDlq { stage: stage.to_owned(), ..letter.clone() });
        Emission { port: "dead_letters", record }
    };
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, || {
        let status = UnitStatus::new("telegram_export_source".to_owned());
        status.published("telegram_export_source", &[emission("telegram_export_source"), emission("roles")]);
    });
    let text = log.text();
    assert_eq!(text.matches("given up").count(), 1, "{text}");
    assert!(text.contains(&format!("reason=\"{}\"", letter.error_class)), "{text}");
    assert!(!text.contains(&letter.error), "no line holds what was said of the input: {text}");
}
