//! Basic groups, whose updates are counted with those of all private chats.

use super::*;

#[test]
fn one_basic_group_that_cannot_be_read_holds_back_neither_the_others_nor_channels() {
    const YARD: i64 = -5_678;
    let links = [link(BASIC, "basic", None), link(YARD, "yard", None), link(GARDEN, "garden", None)];
    let mut world = World::new(&links);
    world.server.unreadable.insert(YARD);
    world.pass(10_000);
    let pushes = [world.server.post(BASIC, "here"), world.server.post(GARDEN, "there")];
    for push in pushes {
        world.tell(push);
    }
    world.settle();
    assert_eq!((world.texts("basic"), world.texts("garden")), (vec!["here"], vec!["there"]));
    assert_eq!(world.notes, [Note::Lost { chat: YARD, why: "CHAT_ID_INVALID".to_owned() }]);
    assert!(world.server.requests.len() < 10, "{:?}", world.server.requests);
    world.server.unreadable.clear();
    world.pass(31 * 60 * 1000);
    let push = world.server.post(YARD, "back");
    world.tell(push);
    world.settle();
    assert_eq!(world.texts("yard"), ["back"]);
}

#[test]
fn a_single_basic_group_that_cannot_be_read_is_left_alone() {
    let mut world = World::new(&[link(BASIC, "basic", None)]);
    world.server.unreadable.insert(BASIC);
    world.pass(25 * 60 * 1000);
    assert_eq!(world.server.requests.len(), 1);
    world.server.unreadable.clear();
    world.pass(10 * 60 * 1000);
    let push = world.server.post(BASIC, "back");
    world.tell(push);
    world.settle();
    assert_eq!(world.texts("basic"), ["back"]);
}

#[test]
fn basic_groups_are_told_among_private_chats_which_are_passed_over() {
    let mut world = World::new(&[link(BASIC, "basic", None)]);
    world.server.post(BASIC, "before");
    world.settle();
    let pushes = [world.server.private(), world.server.post(BASIC, "hello"), world.server.private()];
    for push in pushes {
        world.tell(push);
    }
    world.settle();
    assert_eq!(world.live("basic"), [(3 + SHIFT, 0, "new")]);
    let push = world.server.delete(BASIC, 3);
    world.tell(push);
    world.settle();
    let last = *world.live("basic").last().expect("told");
    assert_eq!((last.0, last.2), (3 + SHIFT, "deleted"));
    world.server.post(BASIC, "overnight");
    world.kill();
    world.settle();
    assert_eq!(world.texts("basic"), ["hello", "", "overnight"]);
}

#[test]
fn too_long_for_basic_groups_is_read_from_their_history() {
    let mut world = World::new(&[link(BASIC, "basic", None)]);
    world.server.post(BASIC, "before");
    world.settle();
    for number in 0..120 {
        world.server.post(BASIC, &format!("{number}"));
        world.server.private();
    }
    world.server.forget(BASIC, 3);
    world.kill();
    world.pass(5_000);
    assert_eq!(world.live("basic").len(), 120);
    let push = world.server.post(BASIC, "after");
    world.tell(push);
    world.settle();
    assert_eq!(world.live("basic").len(), 121);
}

#[test]
fn too_long_for_basic_groups_while_their_history_is_read_loses_nothing() {
    let mut world = World::new(&[link(BASIC, "basic", None)]);
    world.server.post(BASIC, "before");
    world.settle();
    for number in 0..250 {
        world.server.post(BASIC, &format!("{number}"));
    }
    world.server.forget(BASIC, 3);
    world.kill();
    while world.live("basic").is_empty() {
        world.step();
    }
    world.server.refusals.push_back(Refusal::Flood(600));
    world.settle();
    let push = world.server.post(BASIC, "meanwhile");
    world.tell(push);
    world.settle();
    assert_eq!(world.texts("basic").last(), Some(&"meanwhile"), "the history waits, what is told does not");
    world.server.private();
    world.server.post(BASIC, "unheard");
    world.server.forget(BASIC, 1);
    world.tell(Push::Interrupted("closed".to_owned()));
    world.pass(700_000);
    let mut told: Vec<i64> = world.live("basic").into_iter().map(|(id, ..)| id - SHIFT).collect();
    told.sort_unstable();
    assert_eq!(told, world.server.ids(BASIC)[1..]);
}

#[test]
fn a_group_that_becomes_a_supergroup_is_told_with_what_reaches_it() {
    let mut world = World::new(&[link(BASIC, "basic", None)]);
    world.settle();
    let push = world.server.post(BASIC, "hello");
    world.tell(push);
    let to = Place { chat: GARDEN, hash: 77 };
    world.tell(Push::Event { channel: None, pts: 2, count: 1, event: Event::Migrated { from: BASIC, to } });
    world.pass(10_000);
    assert_eq!(world.migrated, [(BASIC, to)]);
    world.pass(10 * 60 * 1000);
    let promised = world.records.iter().filter(|record| record.complete_until.is_some()).count();
    assert_eq!(promised, 0, "the supergroup's messages are still to come");
}
