//! What a session is told when something is in the way: waits, refusals, lines that break.

use super::*;

#[test]
fn lost_packets_are_noticed_by_their_numbers_and_a_lost_connection_by_itself() {
    let mut world = garden();
    for (start, seq) in [(7, 7), (8, 9), (10, 10)] {
        world.tell(Push::Numbered { start, seq });
    }
    world.server.post(GARDEN, "one");
    world.settle();
    assert_eq!(world.texts("garden").len(), 0);
    world.tell(Push::Numbered { start: 12, seq: 12 });
    world.settle();
    assert_eq!(world.texts("garden"), ["one"]);
    world.server.post(GARDEN, "two");
    world.tell(Push::Interrupted("reset by peer".to_owned()));
    world.settle();
    assert_eq!(world.texts("garden"), ["one", "two"]);
    assert_eq!(world.notes, [Note::Interrupted("reset by peer".to_owned())]);
}

#[test]
fn a_wait_of_a_day_is_obeyed_to_the_second_while_updates_go_on() {
    let mut world = garden();
    world.server.post(GARDEN, "lost");
    let push = world.server.post(GARDEN, "heard");
    world.tell(push);
    world.server.refusals.push_back(Refusal::Flood(86_400));
    world.pass(1_000);
    let asked_at = BEGIN + 500;
    let asked = world.server.requests.len();
    world.pass(86_400_000 - 501);
    assert_eq!((world.server.requests.len(), world.texts("garden").len()), (asked, 0));
    let due = asked_at + 86_400_000;
    assert!(world.server.now < due);
    world.server.now = due;
    world.settle();
    assert_eq!(world.texts("garden"), ["lost", "heard"]);
    assert_eq!(world.notes, [Note::Flood { method: Method::ChannelDifference, seconds: 86_400 }]);
    let promised = world.records.iter().filter_map(|record| record.complete_until).max();
    assert!(promised.is_none_or(|until| until >= due - 15_000), "nothing is promised of what is not read");
}

#[test]
fn a_wait_for_the_history_holds_back_no_update() {
    let mut world = World::new(&[link(GARDEN, "garden", Some(0))]);
    for number in 0..250 {
        world.server.post(GARDEN, &format!("{number}"));
    }
    while world.engine.chats[&GARDEN].state.import.is_none() || world.server.requests.len() < 2 {
        world.step();
    }
    world.server.refusals.push_back(Refusal::Flood(3_600));
    world.settle();
    let push = world.server.post(GARDEN, "now");
    world.tell(push);
    world.settle();
    assert_eq!(world.live("garden"), [(251, 0, "new")]);
    world.pass(3_610_000);
    assert_eq!(world.told("garden", "").len(), 250);
}

#[test]
fn more_than_is_told_is_read_from_the_history_and_named() {
    let mut world = garden();
    let push = world.server.post(GARDEN, "first");
    world.tell(push);
    world.settle();
    for number in 0..230 {
        world.server.post(GARDEN, &format!("{number}"));
    }
    world.server.forget(GARDEN, 5);
    world.kill();
    world.settle();
    world.pass(5_000);
    let told: Vec<i64> = world.live("garden").into_iter().map(|(id, ..)| id).collect();
    assert_eq!(told, (2..=232).collect::<Vec<_>>());
    assert_eq!(world.notes, [Note::TooLong { chat: GARDEN }]);
    let push = world.server.post(GARDEN, "after");
    world.tell(push);
    world.settle();
    assert_eq!(world.live("garden").last(), Some(&(233, 0, "new")));
}

#[test]
fn a_session_that_is_over_says_why_and_asks_no_more() {
    for end in [End::LoggedOut, End::Banned, End::UsedTwice] {
        let mut world = garden();
        world.server.refusals.push_back(Refusal::Ended(end));
        world.tell(Push::Interrupted("closed".to_owned()));
        world.settle();
        let asked = world.server.requests.len();
        world.tell(Push::Interrupted("closed".to_owned()));
        world.settle();
        assert_eq!((world.over, world.server.requests.len()), (Some(end), asked));
    }
}

#[test]
fn a_peer_that_is_away_is_left_alone_for_longer_each_time() {
    let mut world = garden();
    world.server.refusals.extend((0..7).map(|_| Refusal::Away("no route".to_owned())));
    world.server.post(GARDEN, "meanwhile");
    world.tell(Push::Interrupted("closed".to_owned()));
    let asked = world.server.requests.len();
    world.pass(1_000 + 2_000 + 4_000 + 8_000);
    assert_eq!(world.server.requests.len() - asked, 5);
    world.pass(59_000);
    assert_eq!(world.server.requests.len() - asked, 5, "the breaker is open");
    world.pass(1_000 + 120_000 + 240_000);
    assert_eq!(world.texts("garden"), ["meanwhile"]);
    assert!(world.notes.contains(&Note::Broken("could not reach Telegram: no route".to_owned())));
    assert_eq!(world.notes.last(), Some(&Note::Mended));
}

#[test]
fn a_chat_that_cannot_be_read_is_named_and_holds_back_no_other() {
    let mut world = World::new(&[link(GARDEN, "garden", None), link(COURT, "court", None)]);
    world.settle();
    world.tell(Push::Behind(Some(GARDEN)));
    world.server.refusals.push_back(Refusal::NoAccess("CHANNEL_PRIVATE".to_owned()));
    world.settle();
    let push = world.server.post(COURT, "on");
    world.tell(push);
    world.settle();
    assert_eq!(world.texts("court"), ["on"]);
    assert_eq!(world.notes, [Note::Lost { chat: GARDEN, why: "CHANNEL_PRIVATE".to_owned() }]);
    world.server.post(GARDEN, "back");
    world.pass(30 * 60 * 1000);
    assert_eq!(world.texts("garden"), ["back"]);
}

#[test]
fn an_answer_that_does_not_come_may_have_lost_more_with_it() {
    let mut world = World::new(&[link(GARDEN, "garden", None), link(COURT, "court", None)]);
    world.settle();
    world.server.post(COURT, "unheard");
    world.tell(Push::Behind(Some(GARDEN)));
    world.server.refusals.push_back(Refusal::NoAnswer(60));
    world.pass(1_000);
    assert_eq!(world.texts("court"), ["unheard"]);
}
