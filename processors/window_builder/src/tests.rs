//! Tables: what each kind of record comes to, one case a rule.

use crate::{
    GroupState, WindowBuilder,
    oracle::{Expected, Oracle},
};
use processor::{Event, Fold, FoldState, SourcePosition};
use proptest::prelude::*;
use schemas::{Author, END_OF_LANE, GroupMessageIngested, GroupSettings, GroupWindowReady, Message, Record};

mod knowledge;
mod set_back;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const MINUTE: i64 = 60_000;
/// A midnight in UTC.
const START: i64 = 20_000 * DAY;

fn message(id: i64, sent_at: i64) -> Message {
    Message {
        author: Some(Author { id: format!("user{}", id % 3), name: String::new(), is_bot: false }),
        ..Message::plain(id, sent_at, "")
    }
}

fn record(lane: &str, messages: Vec<Message>) -> GroupMessageIngested {
    GroupMessageIngested {
        tenant_id: "acme".to_owned(),
        group_id: "qa".to_owned(),
        lane: lane.to_owned(),
        observed_at: messages.iter().map(|message| message.sent_at).max().unwrap_or(START),
        messages,
        ..GroupMessageIngested::default()
    }
}

fn complete(lane: &str, until: i64) -> GroupMessageIngested {
    GroupMessageIngested { complete_until: Some(until), ..record(lane, Vec::new()) }
}

fn event(value: GroupMessageIngested, offset: i64) -> Event<GroupMessageIngested> {
    let source = SourcePosition { topic: "ingested".into(), partition: 1, offset, append_time_ms: 0 };
    Event { value, source }
}

/// (revision, lane, messages, offset) of what each record makes ready, or the reason.
fn told(records: Vec<GroupMessageIngested>) -> Vec<String> {
    let (fold, mut state) = (WindowBuilder::default(), GroupState::default());
    let mut oracle = Oracle::new(WindowBuilder::default());
    let tell = |ready: &GroupWindowReady| {
        format!("r{} {} {}@{}", ready.revision, ready.lane, ready.message_count, ready.source_offset)
    };
    let mut all = Vec::new();
    for (offset, value) in records.into_iter().enumerate() {
        let event = event(value, offset as i64);
        // As the runtime asks before any reader sees the record.
        if let Err(invalid) = event.value.check(event.source.append_time_ms) {
            all.push(format!("refuse {}", invalid.reason));
            continue;
        }
        let result = Expected::of(&fold.step(&mut state, &event));
        assert_eq!(result, oracle.step(&event), "oracle at {offset}");
        all.push(match result {
            Expected::Emit(ready) => ready.iter().map(tell).collect::<Vec<_>>().join(", "),
            Expected::Drop(reason) => format!("drop {reason}"),
            Expected::Reject(reason) => format!("reject {reason}"),
        });
    }
    all
}

fn edited(id: i64, revision: i64, sent_at: i64) -> Message {
    Message { kind: "edited".to_owned(), revision, ..message(id, sent_at) }
}

fn deleted(id: i64, sent_at: i64) -> Message {
    Message { kind: "deleted".to_owned(), author: None, ..message(id, sent_at) }
}

#[test]
fn live_window_closes_a_grace_after_its_end_or_by_promise() {
    let seen = |sent_at| record("live", vec![message(sent_at, sent_at)]);
    assert_eq!(
        told(vec![seen(START), seen(START + DAY + 5 * MINUTE - 1), seen(START + DAY + 5 * MINUTE)]),
        ["", "", "r1 live 1@0"]
    );
    assert_eq!(
        told(vec![seen(START), complete("live", START + DAY - 1), complete("live", START + DAY)]),
        ["", "", "r1 live 1@0"]
    );
}

#[test]
fn stamp_ahead_of_the_sources_clock_closes_nothing_and_is_not_lost() {
    let ahead =
        GroupMessageIngested { observed_at: START + 1, ..record("live", vec![message(2, START + 3 * DAY)]) };
    let records = vec![record("live", vec![message(1, START)]), ahead, complete("live", END_OF_LANE)];
    assert_eq!(told(records), ["", "", "r1 live 1@0, r1 live 1@1"]);
}

#[test]
fn late_edited_and_deleted_messages_make_one_revision_a_grace_period() {
    let records = vec![
        record("live", vec![message(1, START), message(2, START + 1)]),
        complete("live", START + DAY),
        record("live", vec![edited(1, 7, START)]),
        record("live", vec![deleted(2, START + 1)]),
        record("live", vec![edited(2, 9, START + 1)]),
        complete("live", START + DAY + 5 * MINUTE - 1),
        complete("live", START + DAY + 5 * MINUTE),
        record("live", vec![deleted(1, START)]),
        complete("live", START + 2 * DAY),
    ];
    let expected = ["", "r1 live 2@0", "", "", "drop duplicate", "", "r2 live 1@4", "", "r3 live 0@7"];
    assert_eq!(told(records), expected);
}

#[test]
fn beyond_the_horizon_a_message_is_late_and_counts_in_the_next_revision() {
    let records = vec![
        record("live", vec![message(1, START)]),
        complete("live", START + 8 * DAY - 1),
        record("live", vec![message(2, START)]),
        complete("live", START + 8 * DAY + 5 * MINUTE),
        record("live", vec![message(3, START)]),
        complete("live", START + 9 * DAY),
        record("old", vec![message(4, START)]),
        complete("old", END_OF_LANE),
    ];
    assert_eq!(told(records), ["", "r1 live 1@0", "", "r2 live 2@2", "drop late", "", "", "r3 old 4@6"]);
}

#[test]
fn same_again_changes_nothing() {
    let with_text = |text: &str| Message { text: text.to_owned(), ..message(1, START) };
    let same = || record("live", vec![with_text("text")]);
    let other_text = with_text("other");
    let records = vec![
        same(),
        same(),
        complete("live", START + DAY),
        record("live", vec![other_text]),
        complete("live", START + 2 * DAY),
    ];
    let expected = ["", "drop duplicate", "r1 live 1@1", "drop duplicate", "drop duplicate"];
    assert_eq!(told(records), expected);
}

#[test]
fn an_import_closes_by_itself_and_reopens_until_its_end() {
    let records = vec![
        record("july", vec![message(1, START)]),
        record("july", vec![message(2, START + 2 * DAY)]),
        record("july", vec![message(3, START + 1)]),
        record("july", vec![message(4, START + 20 * DAY)]),
        complete("july", END_OF_LANE),
        record("august", vec![message(1, START), message(3, START + 1)]),
        complete("august", END_OF_LANE),
        record("live", vec![message(1, START)]),
        complete("live", START + DAY),
    ];
    assert_eq!(
        told(records),
        [
            "",
            "r1 july 1@0",
            "",
            "r1 july 1@1",
            "r1 july 1@3, r2 july 2@2",
            "drop duplicate",
            "drop duplicate",
            "drop duplicate",
            "r3 live 2@7"
        ]
    );
}

#[test]
fn settings_hold_for_windows_opened_after_them() {
    let settings = |window_hours: &[i32], time_zone: &str| GroupMessageIngested {
        settings: Some(GroupSettings {
            window_hours: window_hours.to_vec(),
            time_zone: time_zone.to_owned(),
            ..GroupSettings::default()
        }),
        ..record("live", Vec::new())
    };
    let (fold, mut state) = (WindowBuilder::default(), GroupState::default());
    let mut ready = Vec::new();
    let records = [
        record("live", vec![message(1, START + HOUR)]),
        settings(&[12, 24], "Europe/Berlin"),
        record("live", vec![message(2, START + 2 * HOUR), message(3, START + DAY + HOUR)]),
        complete("live", END_OF_LANE),
    ];
    for (offset, value) in records.into_iter().enumerate() {
        if let Expected::Emit(more) = Expected::of(&fold.step(&mut state, &event(value, offset as i64))) {
            ready.extend(more);
        }
    }
    let bounds = ready.iter().map(|ready| {
        (ready.size_hours, ready.window_start - START, ready.window_end - START, ready.message_count)
    });
    let day_in_berlin_is_cut_where_the_old_day_ends =
        [(24, 0, DAY, 2), (12, DAY, DAY + 10 * HOUR, 1), (24, DAY, 2 * DAY - 2 * HOUR, 1)];
    assert_eq!(bounds.collect::<Vec<_>>(), day_in_berlin_is_cut_where_the_old_day_ends);
    assert_eq!(ready[0].settings.time_zone, "UTC");
    assert_eq!(ready[1].settings.time_zone, "Europe/Berlin");
}

#[test]
fn what_no_reader_can_use_never_comes_and_nothing_else_is_refused() {
    let one = |change: fn(&mut GroupMessageIngested)| {
        let mut value = record("live", vec![message(1, START)]);
        change(&mut value);
        told(vec![value]).remove(0)
    };
    assert_eq!(one(|r| r.messages[0].kind = "pinned".to_owned()), "refuse unknown_kind");
    assert_eq!(one(|r| r.messages[0].sent_at = -1), "refuse bad_sent_at");
    assert_eq!(one(|r| r.messages[0].revision = -1), "refuse bad_revision");
    assert_eq!(one(|r| r.complete_until = Some(-5)), "refuse bad_complete_until");
    assert_eq!(one(|r| r.tenant_id = "a/b".to_owned()), "refuse bad_name");
    let no_sizes = GroupSettings { window_hours: Vec::new(), ..GroupSettings::default() };
    assert_eq!(
        told(vec![GroupMessageIngested { settings: Some(no_sizes), ..record("live", Vec::new()) }]),
        ["refuse bad_settings"]
    );
    assert_eq!(told(vec![record("live", Vec::new())]), ["drop empty"]);
    let command = Some(schemas::Command::default());
    let command = GroupMessageIngested { command, ..record("live", Vec::new()) };
    assert_eq!(told(vec![command]), ["drop command"]);
}

fn any_record() -> impl Strategy<Value = GroupMessageIngested> {
    let last_day = 253_402_214_400_000_i64..=253_402_300_799_999;
    let sent_at = prop_oneof![START..START + 9 * DAY, last_day, any::<i64>()];
    let revision = prop_oneof![0_i64..3, any::<i64>()];
    let one = (any::<i64>(), revision, "new|edited|deleted|odd", sent_at, "[a-c]{0,1}");
    let one = one.prop_map(|(id, revision, kind, sent_at, author)| Message {
        revision,
        kind,
        author: Some(Author { id: author, name: String::new(), is_bot: false }),
        ..message(id, sent_at)
    });
    let until = prop::option::of(prop_oneof![Just(END_OF_LANE), START..START + 9 * DAY, any::<i64>()]);
    let settings = prop::option::of((prop::collection::vec(0_i32..25, 0..3), "UTC|Asia/Kolkata|x"));
    let parts = ("live|a|", prop::collection::vec(one, 0..4), until, settings, any::<i64>());
    parts.prop_map(|(lane, messages, complete_until, settings, observed_at)| GroupMessageIngested {
        observed_at,
        complete_until,
        settings: settings.map(|(window_hours, time_zone)| GroupSettings {
            window_hours,
            time_zone,
            ..GroupSettings::default()
        }),
        ..record(&lane, messages)
    })
}

proptest! {
    #[test]
    fn no_record_panics_and_none_that_passed_the_check_is_refused(
        records in prop::collection::vec(any_record(), 1..12),
    ) {
        let (fold, mut state) = (WindowBuilder::default(), GroupState::default());
        for (offset, value) in records.into_iter().enumerate() {
            if value.check(0).is_ok() {
                prop_assert!(fold.step(&mut state, &event(value, offset as i64)).is_ok());
            }
        }
    }

    #[test]
    fn no_part_panics(part in "[gt]|[sawp]/-?[0-9]{1,20}|w/4/-?[0-9]{1,20}|.{0,6}", value: Vec<u8>) {
        let mut state = GroupState::default();
        drop(state.restore(&part, &value));
    }
}
