use super::*;
use schemas::{Author, END_OF_LANE, GroupMessageIngested, Message};

const MINUTE_MS: i64 = 60_000;

/// A message of a chat by an author, sent in a minute of the day and observed in another.
fn said(chat: &str, (id, author): (i64, &str), sent: i64, observed: i64) -> GroupMessageIngested {
    let author = Author { id: author.to_owned(), name: String::new(), is_bot: false };
    let message = Message { author: Some(author), ..Message::plain(id, sent * MINUTE_MS, "") };
    GroupMessageIngested {
        tenant_id: "t".to_owned(),
        group_id: chat.to_owned(),
        observed_at: observed * MINUTE_MS,
        messages: vec![message],
        ..GroupMessageIngested::default()
    }
}

fn ending(chat: &str) -> GroupMessageIngested {
    GroupMessageIngested {
        messages: Vec::new(),
        complete_until: Some(END_OF_LANE),
        ..said(chat, (0, ""), 0, 3_000)
    }
}

/// All in partition 0, in this order.
fn logged(records: Vec<GroupMessageIngested>) -> impl Iterator<Item = Generated> {
    (0..).zip(records).map(|(offset, record)| Generated { record, partition: 0, offset })
}

/// Hour, revision, messages, participants, offset.
fn told(rule: Rule, records: Vec<GroupMessageIngested>) -> Vec<(i64, i32, i32, i32, Option<i64>)> {
    let rows = rows(rule, logged(records));
    let short = |row: &Row| {
        let offset = row.as_of.map(|(_, offset)| offset);
        (row.start_ms / HOUR_MS, row.revision, row.messages, row.participants, offset)
    };
    rows.iter().map(short).collect()
}

#[test]
fn a_window_counts_messages_and_people_once() {
    let records = || {
        vec![
            said("a", (1, "ann"), 10, 10),
            said("a", (2, "bo"), 20, 20),
            said("a", (3, "ann"), 30, 30),
            said("a", (2, "bo"), 20, 31),
            ending("a"),
        ]
    };
    assert_eq!(told(Rule::ChatRevised, records()), [(0, 1, 3, 2, Some(3))]);
    assert_eq!(told(Rule::PartitionOnce, records()), [(0, 1, 3, 2, None)]);
}

#[test]
fn a_message_of_less_than_five_minutes_ago_is_in_time() {
    let records = || {
        vec![
            said("a", (1, "ann"), 10, 10),
            said("a", (2, "ann"), 64, 64),
            said("a", (3, "ann"), 59, 64),
            ending("a"),
        ]
    };
    assert_eq!(told(Rule::ChatRevised, records()), [(0, 1, 2, 1, Some(2)), (1, 1, 1, 1, Some(1))]);
    assert_eq!(told(Rule::PartitionOnce, records()), [(0, 1, 2, 1, None), (1, 1, 1, 1, None)]);
}

#[test]
fn a_late_message_makes_a_revision_or_is_dropped() {
    let records = || {
        vec![
            said("a", (1, "ann"), 10, 10),
            said("a", (2, "ann"), 65, 65),
            said("a", (3, "bo"), 59, 66),
            ending("a"),
        ]
    };
    let revised = [(0, 1, 1, 1, Some(0)), (0, 2, 2, 2, Some(2)), (1, 1, 1, 1, Some(1))];
    assert_eq!(told(Rule::ChatRevised, records()), revised);
    assert_eq!(told(Rule::PartitionOnce, records()), [(0, 1, 1, 1, None), (1, 1, 1, 1, None)]);
}

#[test]
fn late_messages_within_five_minutes_of_the_clock_are_one_revision() {
    let late = |id, now| said("a", (id, "ann"), 20, now);
    let mut records = vec![said("a", (1, "ann"), 10, 10), said("a", (2, "ann"), 65, 65)];
    records.extend([late(3, 65), said("a", (4, "ann"), 69, 69), late(5, 69)]);
    // The clock passes 60 + 5 minutes: the revision with both.
    records.extend([said("a", (6, "ann"), 70, 70), late(7, 70), ending("a")]);
    let of_first: Vec<_> =
        told(Rule::ChatRevised, records).into_iter().filter(|(hour, ..)| *hour == 0).collect();
    assert_eq!(of_first, [(0, 1, 1, 1, Some(0)), (0, 2, 3, 1, Some(4)), (0, 3, 4, 1, Some(6))]);
}

#[test]
fn a_late_duplicate_changes_nothing_but_the_offset_of_what_comes_after() {
    let records = |more: Vec<GroupMessageIngested>| {
        let mut records = vec![
            said("a", (1, "ann"), 10, 10),
            said("a", (2, "ann"), 65, 65),
            said("a", (1, "ann"), 10, 65),
            said("a", (3, "ann"), 75, 75),
        ];
        records.extend(more);
        records.push(ending("a"));
        told(Rule::ChatRevised, records).into_iter().filter(|(hour, ..)| *hour == 0).collect::<Vec<_>>()
    };
    assert_eq!(records(Vec::new()), [(0, 1, 1, 1, Some(0))]);
    let late = said("a", (4, "bo"), 11, 75);
    assert_eq!(records(vec![late]), [(0, 1, 1, 1, Some(0)), (0, 2, 2, 2, Some(4))]);
}

#[test]
fn the_clock_is_a_chats_own_or_its_partitions() {
    let records = || {
        vec![
            said("a", (1, "ann"), 10, 10),
            said("b", (1, "ann"), 70, 70),
            said("a", (2, "ann"), 15, 71),
            ending("a"),
            ending("b"),
        ]
    };
    assert_eq!(told(Rule::ChatRevised, records()), [(0, 1, 2, 1, Some(2)), (1, 1, 1, 1, Some(1))]);
    assert_eq!(told(Rule::PartitionOnce, records()), [(0, 1, 1, 1, None), (1, 1, 1, 1, None)]);
    assert_eq!(told(Rule::ChatOnce, records()), [(0, 1, 2, 1, None), (1, 1, 1, 1, None)]);
}

#[test]
fn each_row_is_told_with_the_record_that_closed_its_window() {
    let records = vec![
        said("a", (1, "ann"), 10, 10),
        said("a", (2, "ann"), 64, 64),
        said("a", (3, "ann"), 65, 65),
        ending("a"),
    ];
    let closed = closings(logged(records)).into_iter().map(|(row, number)| (row.start_ms / HOUR_MS, number));
    assert_eq!(closed.collect::<Vec<_>>(), [(0, 2), (1, 3)]);
}

#[test]
fn rows_are_compared_as_a_multiset() {
    let records = vec![said("a", (1, "ann"), 10, 10), said("a", (2, "ann"), 70, 70), ending("a")];
    let expected = rows(Rule::ChatRevised, logged(records));
    assert_eq!(difference(&expected, &expected), None);
    let twice = [expected[0].clone(), expected[0].clone(), expected[1].clone()];
    let found = difference(&expected, &twice).expect("one is there twice");
    assert_eq!((found.missing, found.extra), (0, 1));
    let found = difference(&expected, &expected[1..]).expect("one is missing");
    assert_eq!((found.missing, found.extra), (1, 0));
    let mut other = expected.clone();
    other[1].messages += 1;
    let found = difference(&expected, &other).expect("one has another count");
    assert_eq!((found.missing, found.extra), (1, 1));
    assert!(
        found.to_string().starts_with("1 rows are missing and 1 are too many; the first is missing: Row")
    );
}

#[test]
fn the_oracle_agrees_with_the_fold_itself() {
    use processor::{Event, Fold as _, Outcome, SourcePosition};
    let job = crate::generator::Job::of(20_000);
    let (fold, mut states, mut found) =
        (window_builder::WindowBuilder::default(), BTreeMap::new(), Vec::new());
    for Generated { record, partition, offset } in job.generate() {
        let state = states.entry(record.key()).or_insert_with(window_builder::GroupState::default);
        let source = SourcePosition { topic: "ingested".into(), partition, offset, append_time_ms: 0 };
        let outcome = fold.step(state, &Event { value: record, source }).expect("no rejects");
        if let Outcome::Emit(emissions) = outcome {
            found.extend(
                emissions
                    .iter()
                    .filter_map(|emission| emission.downcast::<schemas::GroupWindowReady>())
                    .map(Row::from),
            );
        }
    }
    found.sort_unstable();
    assert_eq!(difference(&rows(Rule::ChatRevised, job.generate()), &found), None);
    assert!(found.iter().any(|row| row.revision > 1));
}
