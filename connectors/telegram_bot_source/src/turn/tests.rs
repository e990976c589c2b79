use super::*;
use commands::words;
use schemas::Record;
use serde_json::json;
use state::Redeemed;
use text::Language;

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
    turned_beside(before, updates, (now, is_drained), &BTreeSet::new())
}

/// The same, where sessions read these chats.
fn turned_beside(
    before: &BotPosition,
    updates: Vec<Value>,
    (now, is_drained): (i64, bool),
    of_sessions: &BTreeSet<i64>,
) -> Turned {
    let links = links();
    let bot = Some("gist_bot");
    let around = Around { identity: "bot/42", links: &links, of_sessions, bot, now, is_drained };
    turn(before, read(updates).expect("updates"), &around)
}

#[test]
fn messages_of_a_chat_that_a_session_reads_are_told_by_it_alone_and_commands_are_heard() {
    let command = json!({ "update_id": 12, "message": {
        "message_id": 7, "date": NOW / 1000, "text": "/digest",
        "entities": [{ "type": "bot_command", "offset": 0, "length": 7 }],
        "chat": { "id": GARDEN, "type": "supergroup", "title": "Chat" },
        "from": { "id": 7, "is_bot": false, "first_name": "Ann" } } });
    let updates = vec![message(10, GARDEN, 5), message(11, SHED, 1), command];
    let turned = turned_beside(&at(10), updates, (NOW, true), &BTreeSet::from([GARDEN]));
    assert_eq!(turned.skipped, BTreeMap::from([("read_by_session", 1)]));
    assert_eq!(ids(&turned), [("garden".to_owned(), vec![]), ("shed".to_owned(), vec![1])]);
    assert_eq!(turned.records[0].command.as_ref().map(|command| &*command.name), Some("digest"));
    let heard: Vec<&str> = turned.position.groups.iter().map(|heard| &*heard.group_id).collect();
    assert_eq!(heard, ["shed"], "what it does not read it does not promise");
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

fn command(update_id: i64, chat: i64, text: &str) -> Value {
    let mut update = message(update_id, chat, update_id);
    let length = text.split(' ').next().unwrap_or_default().len();
    update["message"]["text"] = text.into();
    update["message"]["entities"] = json!([{ "type": "bot_command", "offset": 0, "length": length }]);
    update
}

#[test]
fn a_command_takes_its_place_in_its_groups_log_and_is_no_message() {
    let mut help = command(12, GARDEN, "/help@Gist_Bot  me");
    help["message"]["message_thread_id"] = 45.into();
    help["message"]["is_topic_message"] = true.into();
    help["message"]["from"]["language_code"] = "ru-RU".into();
    let turned = turned(&at(10), vec![message(10, GARDEN, 10), help, message(13, GARDEN, 13)], NOW, false);
    assert_eq!(
        ids(&turned).into_iter().map(|(_, ids)| ids).collect::<Vec<_>>(),
        [vec![10], vec![], vec![13]]
    );
    let command = turned.records[1].command.clone().expect("a command");
    assert_eq!((command.name.as_str(), command.arguments.as_str()), ("help", "me"));
    assert_eq!((command.chat.as_str(), command.message_id), ("-1001/45", 12));
    assert_eq!((command.asked_by.as_str(), command.language.as_str()), ("user7", "ru"));
    assert_eq!(command.asked_at, (1_789_999_000 + 12) * 1000);
    assert!(!turned.records[1].tells_of_its_lane());
    assert_eq!((turned.answers.len(), turned.skipped.len()), (0, 0));
}

#[test]
fn a_command_that_asks_for_nothing_here_is_no_message_either() {
    let mut edited = command(14, GARDEN, "/help");
    edited["edited_message"] = edited["message"].take();
    edited.as_object_mut().expect("an object").remove("message");
    let mut passed_on = command(15, GARDEN, "/help");
    passed_on["message"]["forward_origin"] =
        json!({ "type": "hidden_user", "sender_user_name": "Bo", "date": 1 });
    let mut bots = command(16, GARDEN, "/help");
    bots["message"]["from"]["is_bot"] = true.into();
    let others = [
        command(11, GARDEN, "/help@other_bot"),
        edited,
        passed_on,
        bots,
        command(17, GARDEN, "/stat@other_bot"),
    ];
    let turned = turned(&at(11), others.to_vec(), NOW, false);
    let told: Vec<&str> = turned
        .records
        .iter()
        .flat_map(|record| &record.messages)
        .map(|message| message.text.as_str())
        .collect();
    assert_eq!((told, turned.answers.len()), (vec!["/stat@other_bot"], 0), "one to a bot of another kind is");
    assert_eq!(turned.skipped, BTreeMap::from([("command", 4)]));
}

#[test]
fn a_chat_that_is_no_groups_is_answered_without_a_tenant() {
    let mut private = command(11, 7, "/start");
    private["message"]["chat"] = json!({ "id": 7, "type": "private", "first_name": "Ann" });
    let turned = turned(&at(10), vec![command(10, -1009, "/help"), private], NOW, false);
    assert_eq!((turned.records.len(), turned.notes.len()), (0, 0));
    let of = |answer: &GroupCommandAnswered| (answer.key(), answer.chat.clone(), answer.reply_to);
    let answers: Vec<_> = turned.answers.iter().map(of).collect();
    let group = ("~telegram/-1009".to_owned(), "-1009".to_owned(), Some(10));
    assert_eq!(answers, [group, ("~telegram/7".to_owned(), "7".to_owned(), Some(11))]);
    assert!(turned.answers[1].text.contains("Add me to a group"), "{}", turned.answers[1].text);
}

#[test]
fn who_asks_a_hundred_times_a_minute_is_told_so_once_also_after_a_restart() {
    let mut position = at(10);
    let (mut commands, mut skipped) = (Vec::new(), 0);
    for id in 0..100 {
        let turned = turned(&position, vec![command(10 + id, GARDEN, "/help")], NOW, false);
        position = BotPosition::parse(Some(&turned.position.encode().expect("encodes"))).expect("parses");
        commands.extend(turned.records.into_iter().filter_map(|record| record.command));
        skipped += turned.skipped.get("too_many_commands").copied().unwrap_or_default();
    }
    let over: Vec<bool> = commands.iter().map(|command| command.is_over_limit).collect();
    // Messages are a second apart: forty of them are of the next minute.
    assert_eq!(over, [[false; 5].as_slice(), &[true], &[false; 5], &[true]].concat());
    assert_eq!(skipped, 100 - 12);
}

#[test]
fn a_command_keeps_its_identity_whatever_the_updates_id_is() {
    let id = |update_id: i64| {
        let mut update = command(10, GARDEN, "/help");
        update["update_id"] = update_id.into();
        let turned = turned(&at(update_id), vec![update], NOW, false);
        turned.records[0].command.clone().expect("a command").id
    };
    assert_eq!(id(10), id(900));
}

#[test]
fn the_same_answer_gives_the_same_records() {
    let updates = || vec![message(10, SHED, 1), message(11, GARDEN, 5)];
    let twice = [updates(), updates()].map(|updates| turned(&at(10), updates, NOW, true));
    assert_eq!(twice[0].records, twice[1].records);
    assert_eq!(twice[0].position, twice[1].position);
}

const CODE: &str = "/link 7g1a-02c0-280y";

#[test]
fn a_code_is_looked_up_by_the_source_and_is_in_no_log() {
    let turned = turned(&at(10), vec![command(10, GARDEN, "/link@gist_bot 7g1a-02c0-280y")], NOW, false);
    assert_eq!((turned.records.len(), turned.answers.len(), turned.position.next), (0, 0, Some(11)));
    let linking = turned.linking.expect("a code");
    assert_eq!((linking.chat, linking.code.shown().as_str()), (GARDEN, "7G1A-02C0-280Y"));
    let said = |redeemed| linking.answered(redeemed);
    assert_eq!(said(Redeemed::Linked).text, words(Language::En).linked);
    assert_eq!(said(Redeemed::OfAnotherGroup).text, words(Language::En).linked_to_another);
    let wrong = said(Redeemed::NoCode);
    assert_eq!(
        (wrong.text.as_str(), wrong.key()),
        (words(Language::En).no_such_code, format!("~telegram/{GARDEN}"))
    );
    assert!(!serde_json::to_string(&wrong).expect("JSON").to_uppercase().contains("7G1A"));
}

#[test]
fn what_cannot_be_a_code_is_answered_as_a_wrong_one_is() {
    let said = |update| turned(&at(10), vec![update], NOW, false).answers.remove(0).text;
    assert_eq!(said(command(10, -1009, "/link")), words(Language::En).no_such_code);
    assert_eq!(said(command(10, -1009, "/link 12345")), words(Language::En).no_such_code);
    assert_eq!(said(command(10, 7, CODE)), words(Language::En).link_in_a_group);
    let elsewhere = turned(&at(10), vec![command(10, -1009, "/link@other_bot 7g1a-02c0-280y")], NOW, false);
    assert!(elsewhere.linking.is_none() && elsewhere.answers.is_empty());
}

#[test]
fn who_guesses_codes_is_refused_after_a_few_also_after_a_restart() {
    let mut position = at(10);
    let (mut looked_up, mut answers, mut skipped) = (0, Vec::new(), Vec::new());
    for id in 0..60 {
        // One in a chat of its own each minute: no limit of commands is reached.
        let mut guess = command(10 + id, -2000 - id, CODE);
        guess["message"]["date"] = (1_789_999_000 + 60 * (id % 50)).into();
        let turned = turned(&position, vec![guess], NOW, false);
        position = BotPosition::parse(Some(&turned.position.encode().expect("encodes"))).expect("parses");
        looked_up += usize::from(turned.linking.is_some());
        answers.extend(turned.answers.into_iter().map(|answer| answer.text));
        skipped.extend(turned.skipped.into_keys());
    }
    assert_eq!((looked_up, answers), (5, vec![words(Language::En).too_many_codes.to_owned()]));
    assert_eq!(skipped, ["too_many_codes"; 54]);
}

#[test]
fn what_may_link_a_chat_ends_a_turn() {
    let updates = [command(10, GARDEN, CODE), command(11, GARDEN, "/help"), message(12, GARDEN, 1)];
    let ends: Vec<bool> = read(updates.to_vec()).expect("updates").iter().map(Read::ends_a_turn).collect();
    assert_eq!(ends, [true, false, false]);
}
