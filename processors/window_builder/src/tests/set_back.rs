//! A lane that ran ahead and is set back, one case a rule.

use super::*;

fn set_back(lane: &str, to: i64) -> GroupMessageIngested {
    GroupMessageIngested { set_back_to: Some(to), ..record(lane, Vec::new()) }
}

#[test]
fn after_a_wrong_promise_messages_are_late_until_the_lane_is_set_back() {
    let records = vec![
        record("live", vec![message(1, START)]),
        complete("live", START + 30 * DAY),
        record("live", vec![message(2, START + HOUR)]),
        set_back("live", START + HOUR),
        record("live", vec![message(3, START + 2 * HOUR)]),
        record("live", vec![message(4, START + DAY + HOUR)]),
        complete("live", START + 2 * DAY),
    ];
    let expected = ["", "r1 live 1@0", "drop late", "", "", "r2 live 3@4", "r1 live 1@5"];
    assert_eq!(told(records), expected);
}

#[test]
fn what_came_late_is_told_without_another_message() {
    let records = vec![
        complete("live", START + 30 * DAY),
        record("live", vec![message(1, START)]),
        record("live", vec![message(2, START - 9 * DAY)]),
        set_back("live", START),
        complete("live", START + DAY),
    ];
    assert_eq!(
        told(records),
        ["", "drop late", "drop late", "", "r1 live 1@1"],
        "but not beyond the horizon"
    );
}

#[test]
fn an_open_window_is_due_earlier() {
    let records = vec![
        complete("live", START + 5 * DAY),
        record("live", vec![message(1, START)]),
        set_back("live", START + 2 * DAY),
        complete("live", START + 2 * DAY + 4 * MINUTE),
        complete("live", START + 2 * DAY + 5 * MINUTE),
        complete("import", START + 5 * DAY),
        record("import", vec![message(2, START)]),
        set_back("import", START),
        complete("import", START + DAY),
    ];
    assert_eq!(told(records), ["", "", "", "", "r1 live 1@1", "", "", "", "r2 import 2@6"]);
}

#[test]
fn a_lane_that_is_not_ahead_stays() {
    let records = vec![
        set_back("live", START),
        complete("live", START),
        set_back("live", START),
        set_back("unknown", START),
        set_back("live", START - 1),
    ];
    assert_eq!(told(records), ["drop duplicate", "", "drop duplicate", "drop duplicate", ""]);
}
