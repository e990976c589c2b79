//! A session that is killed at every step, and from seeds: each message and each deletion once.

use super::*;

/// What is written, edited and deleted while a session is read, killed at this step if at all; all that came of it.
fn scenario(kills: &[usize]) -> World {
    let mut world = World::new(&[link(GARDEN, "garden", Some(0)), link(BASIC, "basic", None)]);
    world.kills = kills.to_vec();
    world.server.slice = 7;
    for number in 0..130 {
        world.server.post(GARDEN, &format!("old {number}"));
    }
    world.settle();
    for round in 0..6 {
        world.server.now += 2_000;
        let pushes = [
            world.server.post(GARDEN, &format!("new {round}")),
            world.server.post(BASIC, &format!("basic {round}")),
            world.server.private(),
        ];
        // One of three rounds is not told by itself.
        if round % 3 != 1 {
            for push in pushes {
                world.tell(push);
            }
        }
        world.settle();
    }
    world.server.now += 2_000;
    let pushes = [world.server.edit(GARDEN, 132, "edited"), world.server.delete(GARDEN, 131)];
    for push in pushes.into_iter().rev() {
        world.tell(push);
    }
    world.settle();
    let id = world.server.ids(BASIC)[0];
    let push = world.server.delete(BASIC, id);
    world.tell(push);
    world.pass(20 * 60 * 1000);
    world
}

fn assert_whole(world: &World, what: &str) {
    let mut history: Vec<i64> = world.told("garden", "").into_iter().map(|(id, ..)| id).collect();
    history.sort_unstable();
    assert_eq!(history, (1..=130).collect::<Vec<_>>(), "history, {what}");
    let ends = world.records.iter().filter(|record| record.complete_until == Some(END_OF_LANE)).count();
    assert_eq!(ends, 1, "ends of the history, {what}");
    for (group, ids, gone) in [("garden", 6, 131), ("basic", 6, world.first_basic())] {
        let live = world.live(group);
        let mut states = live.clone();
        states.sort_unstable();
        states.dedup();
        assert_eq!(states.len(), live.len(), "no state twice in {group}, {what}: {live:?}");
        let mut told: Vec<i64> =
            live.iter().filter(|(.., kind)| *kind != "deleted").map(|(id, ..)| *id).collect();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), ids, "messages of {group}, {what}: {live:?}");
        let deleted: Vec<i64> =
            live.iter().filter(|(.., kind)| *kind == "deleted").map(|(id, ..)| *id).collect();
        assert_eq!(deleted, [gone], "deletions of {group}, {what}");
    }
    assert!(world.texts("garden").contains(&"edited"), "{what}");
}

impl World {
    fn first_basic(&self) -> i64 {
        self.live("basic").first().map_or(0, |(id, ..)| *id)
    }
}

#[test]
fn a_kill_at_any_step_loses_and_repeats_nothing() {
    let whole = scenario(&[]);
    assert_whole(&whole, "no kill");
    assert!(whole.steps > 40, "{} steps", whole.steps);
    for step in 1..=whole.steps {
        assert_whole(&scenario(&[step]), &format!("killed at step {step}"));
    }
}

#[test]
fn two_kills_in_a_row_lose_and_repeat_nothing() {
    let steps = scenario(&[]).steps;
    for step in 1..=steps {
        assert_whole(&scenario(&[step, step + 1]), &format!("killed at steps {step} and {}", step + 1));
    }
}

/// Numbers that look random and are not.
struct Die(u64);

impl Die {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Chats that are written in, edited and deleted in, over a line that loses, doubles and turns around what it carries, with a peer
/// that refuses and a session that dies.
fn ordeal(seed: u64) {
    let mut die = Die(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let chats = [(GARDEN, "garden"), (COURT, "court"), (BASIC, "basic")];
    let mut world = World::new(&chats.map(|(chat, group)| link(chat, group, None)));
    world.server.slice = 1 + die.roll(20) as usize;
    world.settle();
    let mut on_the_way: Vec<Push> = Vec::new();
    for _ in 0..150 {
        let (chat, _) = chats[die.roll(3) as usize];
        world.server.now += die.roll(3_000) as i64 + 1_000;
        let ids = world.server.ids(chat);
        let any = (!ids.is_empty()).then(|| ids[die.roll(ids.len() as u64) as usize]);
        let push = match (die.roll(6), any) {
            (0, Some(id)) => world.server.edit(chat, id, "edited"),
            (1, Some(id)) => world.server.delete(chat, id),
            (2, _) => world.server.private(),
            _ => world.server.post(chat, "text"),
        };
        match die.roll(8) {
            0 => {}
            1 => on_the_way.extend([push.clone(), push]),
            _ => on_the_way.push(push),
        }
        while !on_the_way.is_empty() && die.roll(3) > 0 {
            let index = die.roll(on_the_way.len() as u64) as usize;
            let push = on_the_way.remove(index);
            world.tell(push);
        }
        match die.roll(40) {
            0 => world.kill(),
            1 => world.tell(Push::Interrupted("closed".to_owned())),
            2 => world.server.refusals.push_back(Refusal::Flood(die.roll(30) as u32)),
            3 => world.server.refusals.push_back(Refusal::Away("away".to_owned())),
            4 => world.engine.reset(&world.parts.clone()).expect("its own positions"),
            5 => world.kills = vec![world.steps + die.roll(4) as usize + 1],
            6 => world.server.refusals.push_back(Refusal::NoAnswer(60)),
            _ => {}
        }
        for _ in 0..die.roll(8) {
            world.step();
        }
    }
    world.pass(60 * 60 * 1000);
    for (chat, group) in chats {
        let shift = if chat == BASIC { SHIFT } else { 0 };
        let live = world.live(group);
        let mut states = live.clone();
        states.sort_unstable();
        states.dedup();
        assert_eq!(states.len(), live.len(), "seed {seed}: a state twice in {group}: {live:?}");
        for id in world.server.ids(chat) {
            let message = &world.server.messages[&(chat, id)];
            let revision = message.edit_date.map_or(0, |date| date - BEGIN / 1000);
            let newest =
                live.iter().filter(|(told, ..)| *told == id + shift).map(|(_, revision, _)| *revision).max();
            assert_eq!(newest, Some(revision), "seed {seed}: message {id} of {group}");
        }
        let told = |id: i64, is_deleted: bool| {
            live.iter().filter(|(told, _, kind)| *told == id && (*kind == "deleted") == is_deleted).count()
        };
        for (id, ..) in &live {
            let is_there = world.server.messages.contains_key(&(chat, id - shift));
            let wanted = usize::from(!is_there);
            assert_eq!(told(*id, true), wanted, "seed {seed}: deletions of {id} of {group}: {live:?}");
        }
    }
}

#[test]
fn from_seeds_every_chat_ends_as_telegram_has_it() {
    for seed in 1..=400 {
        ordeal(seed);
    }
}
