//! Lines of what was before, by how long ago it was.

use super::*;
use crate::Extent;
use schemas::{Digest, EarlierMessage, WindowRef};

const DAY: i64 = 86_400_000;
/// Friday, 2026-03-06.
const TODAY: i64 = 1_772_755_200_000;

/// The line of a subject that came up so many days before, at noon, and its ids.
fn told(language: &str, days_ago: &[i64]) -> Option<(String, Vec<i64>)> {
    let json = serde_json::json!({
        "language": language, "headline": "", "summary": [], "topics": [], "decisions": [], "questions": [],
        "actions": [], "mood": {"label": "neutral", "positive": 0.0, "negative": 0.0, "neutral": 1.0, "message_ids": []},
        "participants": [], "links": [], "message_count": 1, "participant_count": 1,
        "quality": {"score": 1.0, "guard": 1.0, "faithfulness": 1.0, "coverage": 1.0, "speakers": 1.0,
            "repetition": 1.0, "length": 1.0},
    });
    let mut digest: Digest = serde_json::from_value(json).expect("a digest");
    let earlier = days_ago
        .iter()
        .zip(1..)
        .map(|(ago, message_id)| EarlierMessage { message_id, sent_at: TODAY - ago * DAY + DAY / 2 });
    digest.recalls =
        vec![Recall { title: "Certificate".to_owned(), message_id: 70, earlier: earlier.collect() }];
    let window = WindowRef { window_start: TODAY, window_end: TODAY + DAY, ..fixtures::window() };
    let view = View {
        tenant_id: "acme",
        group_id: "team",
        digest_id: "d",
        version: "1.0",
        window: &window,
        digest: &digest,
        extent: Extent::Page,
    };
    recalled(&view, Wording::of(language)).pop()
}

fn text(language: &str, days_ago: &[i64]) -> String {
    told(language, days_ago).map(|line| line.0).unwrap_or_default()
}

#[test]
fn days_of_this_week_have_names_and_older_ones_dates() {
    assert_eq!(text("en", &[3]), "Certificate — as on Tuesday (2026-03-03)");
    assert_eq!(text("ru", &[3]), "Certificate — как во вторник (2026-03-03)");
    assert_eq!(text("ru", &[2]), "Certificate — как в среду (2026-03-04)");
    assert_eq!(text("en", &[7]), "Certificate — as on 2026-02-27");
    assert_eq!(text("ru", &[400, 500]), "Certificate — как 2025-01-30, 2024-10-22");
}

#[test]
fn three_times_in_a_month_are_told_and_one_day_counts_once() {
    assert_eq!(
        text("en", &[3, 20]),
        "Certificate — as on Tuesday (2026-03-03), 2026-02-14, the third time in 30 days"
    );
    assert_eq!(
        text("ru", &[8, 20, 30]),
        "Certificate — как 2026-02-26, 2026-02-14, 2026-02-04, в четвёртый раз за 30 дней"
    );
    assert_eq!(text("en", &[20, 20]), "Certificate — as on 2026-02-14");
    assert_eq!(text("en", &[20, 31]), "Certificate — as on 2026-02-14, 2026-02-03");
}

#[test]
fn the_line_leads_to_this_message_and_to_the_earlier_ones() {
    assert_eq!(told("en", &[3, 20]).map(|line| line.1), Some(vec![70, 1, 2]));
    assert_eq!(told("en", &[]), None);
}
