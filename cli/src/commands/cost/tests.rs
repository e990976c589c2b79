//! What a line of the command stands for, and what is said of a cost that is not known.

use super::*;

fn costs(state: &str, currency: &str, calls: i64) -> LlmCosts {
    LlmCosts {
        day: "2026-11-29".to_owned(),
        group_id: "garden".to_owned(),
        user_id: if state == "failed" { "user7".to_owned() } else { String::new() },
        payer: "operator".to_owned(),
        stage: "writer".to_owned(),
        provider: "pro".to_owned(),
        model: "small".to_owned(),
        currency: currency.to_owned(),
        state: state.to_owned(),
        calls,
        tokens_in: 100 * calls,
        tokens_out: 10 * calls,
        tokens_reserved: if state == "unknown" { 500 } else { 0 },
        cost_micros: if currency.is_empty() { 0 } else { 1_500_000 },
    }
}

fn told(json: bool) -> String {
    told_by(vec![By::Group, By::Model], json)
}

fn told_by(by: Vec<By>, json: bool) -> String {
    let arguments = Arguments { tenant: None, month: None, by, json };
    let mut sums = BTreeMap::new();
    for costs in [costs("settled", "USD", 3), costs("failed", "USD", 1), costs("unknown", "", 2)] {
        add(&mut sums, "acme", &arguments.by, &costs);
    }
    let mut out = Vec::new();
    print(&sums, &arguments, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn costs_add_up_by_currency_and_what_is_not_known_says_so() {
    assert_eq!(
        told(false),
        "cost unknown  acme/garden/small  0 calls, 2 unknown; 200 tokens read, 20 written, at most 500 more\n\
         3.000000 USD  acme/garden/small  3 calls, 1 failed; 400 tokens read, 40 written\n"
    );
    let lines: Vec<serde_json::Value> =
        told(true).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["cost"], &lines[1]["cost"]), (&json!(null), &json!(3.0)));
    assert_eq!(lines[1]["group"], "garden");
}

#[test]
fn who_asked_has_a_line_beside_what_nobody_asked_for() {
    assert_eq!(
        told_by(vec![By::Day, By::User, By::Payer], false),
        "cost unknown  acme/2026-11-29/-/operator  0 calls, 2 unknown; 200 tokens read, 20 written, at most 500 more\n\
         1.500000 USD  acme/2026-11-29/-/operator  3 calls; 300 tokens read, 30 written\n\
         1.500000 USD  acme/2026-11-29/user7/operator  0 calls, 1 failed; 100 tokens read, 10 written\n"
    );
    let lines: Vec<serde_json::Value> =
        told_by(vec![By::User], true).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let users: Vec<_> = lines.iter().map(|line| line["user"].clone()).collect();
    assert_eq!(users, [json!(null), json!(null), json!("user7")]);
}

#[test]
fn a_month_is_one_of_utc() {
    let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
    let november = (at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    assert_eq!(month(None, now).unwrap(), november);
    assert_eq!(month(Some("2026-11"), now).unwrap(), november);
    assert_eq!(month(Some("2026-12"), now).unwrap().1, at("2027-01-01T00:00:00Z"));
    assert!(month(Some("11/2026"), now).unwrap_err().to_string().contains("expected 2026-11"));
}
