use super::*;
use schemas::Record;
use serde_json::json;

const GARDEN: i64 = -1001;
const SHED: i64 = -1002;
const NOW: i64 = 1_790_000_000_000;

fn links() -> BTreeMap<i64, Group> {
    let group = |name: &str| Group::new("acme", name).expect("names");
    BTreeMap::from([(GARDEN, group("garden")), (SHED, group("shed"))])
}

fn message(update_id: i64, chat: i64, message_id: i64) -> Value {
    json!({ "update_id": update_id, "message": {
        "message_id": message_id, "date": 1_789_999_000 + message_id, "text": "hi",
        "chat": { "id": chat, "type": "supergroup", "title": "Chat" },
        "from": { "id": 7, "is_bot": false, "first_name": "Ann" },
    } })
}

fn turned(before: &BotPosition, updates: Vec<Value>, now: i64, is_drained: bool) -> Turned {
    let links = links();
    let around = Around { identity: "bot/42", links: &links, now, is_drained };
    turn(before, read(updates).expect("updates"), &around)
}

fn at(next: i64) -> BotPosition {
    BotPosition { next: Some(next), read_at: NOW - 1000, ..BotPosition::default() }
}

/// Group and ids of messages, by record.
fn ids(turned: &Turned) -> Vec<(String, Vec<i64>)> {
    let of = |record: &GroupMessageIngested| {
        (record.group_id.clone(), record.messages.iter().map(|message| message.id).collect())
    };
    turned.records.iter().map(of).collect()
}

#[test]
fn messages_go_to_the_groups_of_their_chats_in_their_order() {
    let updates = vec![message(10, SHED, 1), message(11, GARDEN, 5), message(12, SHED, 2)];
    let turned = turned(&at(10), updates, NOW, false);
    assert_eq!(ids(&turned), [("garden".to_owned(), vec![5]), ("shed".to_owned(), vec![1, 2])]);
    assert_eq!((turned.position.next, turned.notes.len(), turned.skipped.len()), (Some(13), 0, 0));
    let first = &turned.records[0];
    assert_eq!(
        (first.lane.as_str(), first.observed_at, first.key()),
        ("live", NOW, "acme/garden".to_owned())
    );
    assert_ne!(first.ingest_trace_id, turned.records[1].ingest_trace_id);
}

#[test]
fn a_chat_that_nobody_linked_is_counted_and_named_once_and_nothing_of_it_is_kept() {
    let updates = vec![message(10, -1009, 1), message(11, -1009, 2), message(12, GARDEN, 1)];
    let turned = turned(&at(10), updates, NOW, false);
    assert_eq!(ids(&turned), [("garden".to_owned(), vec![1])]);
    assert_eq!(turned.skipped, BTreeMap::from([("unlinked", 2)]));
    assert_eq!(turned.notes, [Note::Unlinked { chat: -1009 }]);
    assert_eq!(turned.position.next, Some(13));
}

#[test]
fn a_smaller_id_after_a_quiet_week_is_new_and_a_gap_is_named() {
    let smaller = turned(&at(900), vec![message(10, GARDEN, 1), message(11, GARDEN, 2)], NOW, false);
    assert_eq!(ids(&smaller), [("garden".to_owned(), vec![1, 2])]);
    assert_eq!(smaller.notes, [Note::Renumbered { from: 900, to: 10 }]);
    assert_eq!(smaller.position.next, Some(12), "the last one read, not the greatest");
    let gap = turned(&at(900), vec![message(905, GARDEN, 1)], NOW, false);
    assert_eq!((gap.notes, gap.position.next), (vec![Note::Gap { from: 900, to: 905 }], Some(906)));
    let week = BotPosition { read_at: NOW - QUIET_MS, ..at(900) };
    let larger = turned(&week, vec![message(905, GARDEN, 1)], NOW, false);
    assert_eq!(larger.notes, [Note::Renumbered { from: 900, to: 905 }], "after a week nobody can tell");
    let first = turned(&BotPosition::default(), vec![message(905, GARDEN, 1)], NOW, false);
    assert_eq!((first.notes, first.position.next), (vec![], Some(906)));
}

#[test]
fn what_is_not_known_moves_the_position_and_stops_nothing() {
    let updates = vec![
        json!({ "update_id": 10, "kind_of_tomorrow": {} }),
        json!({ "update_id": 11, "message": 5 }),
        message(12, GARDEN, 1),
    ];
    let turned = turned(&at(10), updates, NOW, false);
    assert_eq!(turned.skipped, BTreeMap::from([("bad_shape", 1), ("unknown_update", 1)]));
    assert_eq!((ids(&turned).len(), turned.position.next), (1, Some(13)));
    assert!(read(vec![json!({ "message": {} })]).is_none(), "no update of the Bot API");
}

#[test]
fn a_group_that_moves_is_told_where() {
    let service = |update_id, chat: i64| {
        json!({ "update_id": update_id, "message": {
        "message_id": 9, "date": 9, "chat": { "id": chat, "type": "group" }, "migrate_to_chat_id": -1005 } })
    };
    let turned = turned(&at(10), vec![service(10, SHED), service(11, -3)], NOW, false);
    assert_eq!(turned.notes, [Note::Migrated { from: SHED, to: -1005 }], "of a linked chat alone");
    assert_eq!(turned.skipped, BTreeMap::from([("service", 2)]));
}

#[test]
fn a_lane_is_said_complete_only_when_nothing_waits() {
    let heard = turned(&at(10), vec![message(10, GARDEN, 1)], NOW, true);
    assert!(heard.records.iter().all(|record| record.complete_until.is_none()), "a minute has to pass");
    let later = NOW + 60_000;
    let busy = turned(&heard.position, vec![message(11, GARDEN, 2)], later, false);
    assert!(busy.records.iter().all(|record| record.complete_until.is_none()));
    let drained = turned(&heard.position, vec![message(11, GARDEN, 2)], later, true);
    let promises: Vec<_> = drained.records.iter().map(|record| record.complete_until).collect();
    assert_eq!(promises, [None, Some(later - PROMISE_BEHIND_MS)], "after the messages");
    let quiet = turned(&drained.position, Vec::new(), later + 60_000, true);
    assert_eq!(quiet.records.len(), 1);
    assert_eq!(quiet.position.next, Some(12));
}

#[test]
fn the_same_answer_gives_the_same_records() {
    let updates = || vec![message(10, SHED, 1), message(11, GARDEN, 5)];
    let twice = [updates(), updates()].map(|updates| turned(&at(10), updates, NOW, true));
    assert_eq!(twice[0].records, twice[1].records);
    assert_eq!(twice[0].position, twice[1].position);
}
