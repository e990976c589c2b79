use super::*;
use std::collections::BTreeSet;

fn metrics() -> Arc<Metrics> {
    Metrics::new(None).expect("distinct names")
}

/// Names of families that a text describes.
fn described(text: &str) -> BTreeSet<&str> {
    let name = |line: &'_ str| line.strip_prefix("# HELP ")?.split(' ').next().map(str::len);
    text.lines().filter_map(|line| Some(&line["# HELP ".len()..][..name(line)?])).collect()
}

fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

#[test]
fn what_is_counted_shows() {
    let metrics = metrics();
    metrics.fate("topic", ("emit", ""));
    metrics.committed("topic", 7, Duration::from_millis(4));
    let fingerprint = Fingerprint::of("topic", "t.v1", "wrong_magic", "first byte is 0x01");
    metrics.buried("topic", "t.v1", ("wrong_magic", fingerprint));
    let text = metrics.text();
    assert_eq!(
        value(&text, r#"gistmill_events_total{fate="emit",reason="",unit="topic"}"#),
        Some(1.0),
        "{text}"
    );
    assert_eq!(
        value(&text, r#"gistmill_commit_seconds_bucket{unit="topic",le="0.005"}"#),
        Some(1.0),
        "{text}"
    );
    assert_eq!(value(&text, r#"gistmill_committed_total{unit="topic"}"#), Some(7.0), "{text}");
    assert!(value(&text, r#"gistmill_last_commit_timestamp_seconds{unit="topic"}"#) > Some(1.7e9), "{text}");
    let letters = format!(
        r#"gistmill_dead_letters_total{{fingerprint="{fingerprint}",reason="wrong_magic",topic="t.v1",unit="topic"}}"#
    );
    assert_eq!(value(&text, &letters), Some(1.0), "{text}");
}

#[test]
fn a_unit_is_in_one_state_and_waits_for_a_peer_it_names() {
    let metrics = metrics();
    let unit = UnitStatus::new("topic".to_owned());
    metrics.units([&*unit]);
    unit.waiting("could not reach postgres at 127.0.0.1:1");
    metrics.units([&*unit]);
    let text = metrics.text();
    let states = UnitStatus::STATES
        .map(|state| value(&text, &format!(r#"gistmill_unit_state{{state="{state}",unit="topic"}}"#)));
    let expected = UnitStatus::STATES.map(|state| Some(if state == "waiting" { 1.0 } else { 0.0 }));
    assert_eq!(states, expected, "{text}");
    let waiting = r#"gistmill_waiting{peer="postgres",unit="topic"}"#;
    let ready = r#"gistmill_ready{unit="topic"}"#;
    assert_eq!((value(&text, waiting), value(&text, ready)), (Some(1.0), Some(0.0)), "{text}");
    unit.ready();
    metrics.units([&*unit]);
    let text = metrics.text();
    assert_eq!((value(&text, waiting), value(&text, ready)), (None, Some(1.0)), "{text}");
}

#[test]
fn a_peer_that_is_left_alone_is_told_until_it_is_asked_again() {
    let metrics = metrics();
    let told = |metrics: &Metrics| {
        value(&metrics.text(), r#"gistmill_breaker_open{peer="telegram",unit="telegram_sink"}"#)
    };
    assert_eq!(told(&metrics), None, "of a unit that has asked nobody nothing is said");
    for (is_open, expected) in [(true, 1.0), (false, 0.0)] {
        metrics.breaker("telegram_sink", ("telegram", is_open));
        assert_eq!(told(&metrics), Some(expected));
    }
}

#[test]
fn the_first_delivery_of_a_channel_is_seen_to_be_one_more() {
    let metrics = metrics();
    let count = |metrics: &Metrics| {
        value(&metrics.text(), r#"digest_delivery_latency_seconds_count{channel="file"}"#)
    };
    metrics.delivers_by("file");
    assert_eq!(count(&metrics), Some(0.0));
    metrics.delivered("file", 3.0);
    assert_eq!(count(&metrics), Some(1.0));
}

#[test]
fn what_could_not_be_measured_has_no_old_number() {
    let metrics = metrics();
    let lag = TopicLag { unit: "roles".into(), topic: "t.v1".into(), records: 4, offsets: 6, seconds: 2.5 };
    let outbox = OutboxLag { unit: "outbox".into(), rows: 3, oldest_seconds: 1.5 };
    let transactions = OpenTransactions { running: 2, ending: 0, hanging: 1, oldest_seconds: 31.0 };
    let (stalled, at_seconds) = (vec![("roles".to_owned(), 1)], 1.8e9);
    let maintained_at_seconds = Some(1.7e9);
    let (lag, outboxes) = (vec![lag], vec![outbox]);
    let findings = Findings { lag, stalled, outboxes, transactions, maintained_at_seconds, at_seconds };
    metrics.measured(Some(&findings));
    let text = metrics.text();
    for (series, expected) in [
        (r#"gistmill_lag_records{topic="t.v1",unit="roles"}"#, 4.0),
        (r#"gistmill_lag_offsets{topic="t.v1",unit="roles"}"#, 6.0),
        (r#"gistmill_lag_seconds{topic="t.v1",unit="roles"}"#, 2.5),
        (r#"gistmill_stalled_partitions{unit="roles"}"#, 1.0),
        (r#"gistmill_outbox_rows{unit="outbox"}"#, 3.0),
        (r#"gistmill_outbox_age_seconds{unit="outbox"}"#, 1.5),
        (r#"gistmill_open_transactions{state="hanging"}"#, 1.0),
        ("gistmill_oldest_open_transaction_seconds", 31.0),
        ("gistmill_last_maintenance_timestamp_seconds", 1.7e9),
        ("gistmill_measured_timestamp_seconds", 1.8e9),
    ] {
        assert_eq!(value(&text, &format!("{series} ")), Some(expected), "{series}: {text}");
    }
    metrics.measured(None);
    let text = metrics.text();
    for gone in ["gistmill_lag_", "gistmill_outbox_", "gistmill_last_maintenance_"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    assert_eq!(value(&text, "gistmill_measured_timestamp_seconds "), Some(1.8e9), "when it last went well");
}

#[test]
fn nothing_is_exposed_that_is_not_listed() {
    let metrics = metrics();
    metrics.fate("topic", ("emit", ""));
    metrics.measured(Some(&Findings::default()));
    let (text, families) = (metrics.text(), catalogue());
    let listed: BTreeSet<&str> = families.iter().map(|family| family.name).collect();
    let found = described(&text);
    assert!(found.is_subset(&listed), "{:?}", found.difference(&listed));
    let process: BTreeSet<&str> =
        listed.iter().copied().filter(|name| name.starts_with("process_")).collect();
    assert!(process.is_subset(&found), "{:?}", process.difference(&found));
    for family in families.iter().filter(|family| found.contains(family.name)) {
        assert!(text.contains(&format!("# HELP {} {}\n", family.name, family.help)), "{}", family.name);
    }
}

#[test]
fn two_thousand_tenants_fit_into_a_scrape() {
    let metrics = metrics();
    for number in 0..2_000 {
        let name = format!("a-tenant-with-a-name-of-some-length-{number:04}");
        let tenant = metrics.tenants.label(&name);
        for outcome in ["ok", "retry", "fallback", "degraded"] {
            metrics.digests.with_label_values(&[tenant, outcome]).inc();
        }
        metrics.context_duplicates.with_label_values(&[tenant]).inc();
        metrics.context_history_matches.with_label_values(&[tenant]).inc();
    }
    let text = metrics.text();
    assert!(text.len() < 2 << 20, "{} bytes", text.len());
    let other = value(&text, r#"gistmill_digests_total{outcome="ok",tenant="(other)"}"#);
    assert_eq!(other, Some(1_000.0), "the first thousand have series of their own");
    assert!(text.contains(r#"tenant="a-tenant-with-a-name-of-some-length-0999""#));
}

#[test]
fn failures_of_ever_new_kinds_do_not_make_ever_more_series() {
    let metrics = metrics();
    for kind in 0..2 * labels::FINGERPRINTS_MAX {
        let letters =
            [char::from_u32(0x430 + kind as u32).unwrap_or('?').to_string(), "x".repeat(kind)].concat();
        metrics.buried("topic", "t.v1", ("bad", Fingerprint::of("topic", "t.v1", "bad", &letters)));
    }
    let text = metrics.text();
    let series = text.lines().filter(|line| line.starts_with("gistmill_dead_letters_total{")).count();
    assert_eq!(series, labels::FINGERPRINTS_MAX + 1, "those seen first, and one for all others");
    let others =
        r#"gistmill_dead_letters_total{fingerprint="(other)",reason="bad",topic="t.v1",unit="topic"}"#;
    assert_eq!(value(&text, others), Some(labels::FINGERPRINTS_MAX as f64));
}
