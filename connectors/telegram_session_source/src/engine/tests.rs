//! A session against a peer with a script: what is told of each message, whatever goes wrong on the way.

use super::*;
use crate::{
    peer::{Event, Method, Place, Push},
    refusal::Refusal,
    test_support::{BEGIN, Server},
};
use ingest::Group;
use schemas::{END_OF_LANE, LIVE_LANE, Message};

mod basic;
mod kills;
mod trouble;

const GARDEN: i64 = -1_001_234_567_890;
const COURT: i64 = -1_009_876_543_210;
const BASIC: i64 = -4_321;
const USER: i64 = 42;
const SHIFT: i64 = ingest::telegram::BASIC_GROUP_SHIFT;

fn link(chat: i64, group: &str, history_from: Option<i64>) -> Link {
    let group = Group::new("acme", group).expect("names");
    Link { place: Place { chat, hash: 9 }, group, id: 1, history_from, begin: None }
}

fn plan(links: &[Link]) -> Plan {
    Plan { user: USER, links: links.to_vec(), silence_ms: 15 * 60 * 1000, own_bot: None }
}

/// A session, its peer, and what is committed.
struct World {
    server: Server,
    engine: Engine,
    plan: Plan,
    parts: BTreeMap<String, Position>,
    records: Vec<GroupMessageIngested>,
    skipped: BTreeMap<&'static str, u64>,
    notes: Vec<Note>,
    over: Option<End>,
    /// Messages that the database knows, by group and id.
    stored: BTreeMap<(String, i64), Known>,
    /// Steps that were taken; at these the session is killed.
    steps: usize,
    kills: Vec<usize>,
    migrated: Vec<(i64, Place)>,
}

impl World {
    fn new(links: &[Link]) -> Self {
        let plan = plan(links);
        Self {
            server: Server::new(),
            engine: Engine::new(plan.clone(), &BTreeMap::new()).expect("no position"),
            plan,
            parts: BTreeMap::new(),
            records: Vec::new(),
            skipped: BTreeMap::new(),
            notes: Vec::new(),
            over: None,
            stored: BTreeMap::new(),
            steps: 0,
            kills: Vec::new(),
            migrated: Vec::new(),
        }
    }

    fn kill(&mut self) {
        self.engine = Engine::new(self.plan.clone(), &self.parts).expect("its own position");
    }

    /// True where the session is killed at this step.
    fn dies(&mut self) -> bool {
        self.steps += 1;
        let dies = self.kills.contains(&self.steps);
        if dies {
            self.kill();
        }
        dies
    }

    /// One step; until when it waits, if it does.
    fn step(&mut self) -> Option<i64> {
        let now = self.server.now;
        match self.engine.step(now).expect("positions are written") {
            Step::Ask(request) => {
                if !self.dies() {
                    let answer = self.server.answer(&request);
                    if !self.dies() {
                        self.engine.answer(answer, request.method(), now);
                    }
                }
            }
            Step::Look { chat, ids, .. } => {
                let group = self.group(chat);
                let known = ids.iter().filter_map(|id| self.stored.get(&(group.clone(), *id)).copied());
                let known: Vec<Known> = known.collect();
                if !self.dies() {
                    self.engine.found(chat, &known, now);
                }
            }
            Step::Give(turn) => {
                if !self.dies() {
                    self.commit(*turn);
                    if !self.dies() {
                        self.engine.committed();
                    }
                }
            }
            Step::Wait(until) => {
                self.notes.extend(self.engine.notes());
                return Some(until);
            }
            Step::Over(end) => {
                self.over = Some(end);
                return Some(i64::MAX);
            }
        }
        self.notes.extend(self.engine.notes());
        None
    }

    fn group(&self, chat: i64) -> String {
        let of = self.plan.links.iter().find(|link| link.place.chat == chat);
        of.map(|link| link.group.group_id().to_owned()).unwrap_or_default()
    }

    fn commit(&mut self, turn: Turn) {
        for message in turn.records.iter().flat_map(|record| &record.messages) {
            let (id, sent_at, revision) = (message.id, message.sent_at, message.revision);
            let group = turn.records.iter().find(|record| record.messages.contains(message));
            let group = group.map(|record| record.group_id.clone()).unwrap_or_default();
            self.stored.insert((group, id), Known { id, sent_at, revision });
        }
        self.records.extend(turn.records);
        self.parts.extend(turn.positions);
        self.migrated.extend(turn.migrated);
        for (reason, count) in turn.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    /// Steps until there is nothing to do now.
    fn settle(&mut self) -> i64 {
        for _ in 0..10_000 {
            if let Some(until) = self.step() {
                return until;
            }
        }
        panic!("the session never rests");
    }

    /// Lets time pass, step by step, until so many ms later.
    fn pass(&mut self, ms: i64) {
        let end = self.server.now + ms;
        loop {
            let until = self.settle();
            if until > end {
                self.server.now = end;
                self.settle();
                return;
            }
            self.server.now = until;
        }
    }

    fn tell(&mut self, push: Push) {
        let now = self.server.now;
        self.engine.push(push, now);
    }

    /// States of a group's lane, in order: id, revision in seconds since the beginning, kind.
    fn told(&self, group: &str, lane: &str) -> Vec<(i64, i64, &str)> {
        let of = |record: &&GroupMessageIngested| {
            record.group_id == group && (record.lane == lane || (lane.is_empty() && record.lane != LIVE_LANE))
        };
        let messages = self.records.iter().filter(of).flat_map(|record| &record.messages);
        let seconds = |revision: i64| if revision == 0 { 0 } else { (revision - BEGIN) / 1000 };
        messages.map(|message| (message.id, seconds(message.revision), &*message.kind)).collect()
    }

    fn live(&self, group: &str) -> Vec<(i64, i64, &str)> {
        self.told(group, LIVE_LANE)
    }

    fn texts(&self, group: &str) -> Vec<&str> {
        let of = |record: &&GroupMessageIngested| record.group_id == group;
        let messages: Vec<&Message> =
            self.records.iter().filter(of).flat_map(|record| &record.messages).collect();
        messages.iter().map(|message| &*message.text).collect()
    }
}

fn garden() -> World {
    let mut world = World::new(&[link(GARDEN, "garden", None)]);
    world.server.post(GARDEN, "before");
    world.settle();
    world
}

#[test]
fn what_is_told_is_told_at_once_and_what_was_before_is_not() {
    let mut world = garden();
    let push = world.server.post(GARDEN, "hello");
    world.tell(push);
    world.settle();
    let push = world.server.edit(GARDEN, 2, "hello all");
    world.tell(push);
    world.settle();
    assert_eq!(world.live("garden"), [(2, 0, "new"), (2, 0, "edited")]);
    assert_eq!(world.texts("garden"), ["hello", "hello all"]);
    let push = world.server.delete(GARDEN, 2);
    world.tell(push);
    world.settle();
    let gone = world.records.last().expect("a record").messages.first().expect("a message").clone();
    assert_eq!((gone.id, &*gone.kind, gone.sent_at, gone.revision), (2, "deleted", BEGIN, BEGIN + 1));
}

#[test]
fn a_session_and_a_bot_make_the_same_of_a_message() {
    let mut world = garden();
    let push = world.server.post(GARDEN, "hello");
    world.tell(push);
    world.settle();
    let of_bot = ingest::telegram::told(world.server.messages[&(GARDEN, 2)].clone());
    let ingest::telegram::Told::Message(draft) = of_bot else { panic!("a message") };
    assert_eq!(world.records[0].messages, [draft.finish()]);
    assert_eq!(world.records[0].lane, LIVE_LANE);
    assert_eq!(world.records[0].messages[0].author.as_ref().map(|author| &*author.id), Some("user7"));
}

#[test]
fn a_duplicate_is_told_once_and_what_comes_out_of_order_in_order() {
    let mut world = garden();
    let pushes: Vec<Push> = (0..4).map(|number| world.server.post(GARDEN, &format!("{number}"))).collect();
    for index in [2, 0, 0, 3, 1, 2, 3] {
        world.tell(pushes[index].clone());
        world.settle();
    }
    assert_eq!(world.texts("garden"), ["0", "1", "2", "3"]);
    let asked = world.server.requests.len();
    world.pass(60_000);
    assert_eq!(world.server.requests.len(), asked, "nothing was missing");
}

#[test]
fn a_gap_is_asked_for_after_half_a_second() {
    let mut world = garden();
    world.server.post(GARDEN, "lost");
    let push = world.server.post(GARDEN, "heard");
    world.tell(push);
    let until = world.settle();
    assert_eq!((until - BEGIN, world.texts("garden").len()), (500, 0));
    world.pass(500);
    assert_eq!(world.texts("garden"), ["lost", "heard"]);
}

#[test]
fn a_night_offline_loses_nothing() {
    let mut world = garden();
    world.server.slice = 10;
    for number in 0..95 {
        world.server.now += 300_000;
        world.server.post(GARDEN, &format!("{number}"));
    }
    world.server.delete(GARDEN, 40);
    world.kill();
    world.settle();
    let told: Vec<i64> = world.live("garden").into_iter().map(|(id, ..)| id).collect();
    let wanted: Vec<i64> = (2..=96).filter(|id| *id != 40).collect();
    assert_eq!(told, wanted, "all but the one that is gone, which nobody was told of");
}

#[test]
fn the_history_is_another_lane_from_where_it_is_wanted_and_ends() {
    let mut world = World::new(&[link(GARDEN, "garden", Some(BEGIN + 100_000))]);
    for number in 0..350 {
        world.server.post(GARDEN, &format!("{number}"));
        world.server.now += 1_000;
    }
    world.settle();
    let push = world.server.post(GARDEN, "now");
    world.tell(push);
    world.pass(10_000);
    let history: Vec<i64> = world.told("garden", "").into_iter().map(|(id, ..)| id).collect();
    assert_eq!(history, (101..=350).collect::<Vec<_>>());
    assert_eq!(world.live("garden"), [(351, 0, "new")]);
    let of_history: Vec<_> = world.records.iter().filter(|record| record.lane != LIVE_LANE).collect();
    assert_eq!(of_history.last().expect("records").complete_until, Some(END_OF_LANE));
    let mut lanes: Vec<&str> = of_history.iter().map(|record| &*record.lane).collect();
    lanes.dedup();
    assert_eq!(lanes.len(), 1);
    let traces: std::collections::BTreeSet<&str> =
        world.records.iter().map(|record| &*record.ingest_trace_id).collect();
    assert_eq!(traces.len(), world.records.len(), "each record has a trace of its own");
}

#[test]
fn a_message_that_was_told_long_ago_is_gone_with_its_own_time() {
    let mut world = garden();
    let known = Known { id: 1, sent_at: BEGIN - 5_000, revision: 0 };
    let push = world.server.delete(GARDEN, 1);
    world.tell(push);
    world.settle();
    assert_eq!(world.live("garden"), [], "the database does not know it up to now");
    world.stored.insert(("garden".to_owned(), 1), known);
    world.kill();
    world.pass(30_000);
    let gone = &world.records.last().expect("a record").messages[0];
    assert_eq!((gone.id, gone.sent_at, &*gone.kind), (1, BEGIN - 5_000, "deleted"));
    let push = world.server.post(GARDEN, "x");
    world.tell(push);
    world.tell(Push::Event { channel: Some(GARDEN), pts: 4, count: 1, event: Event::Deleted(vec![99]) });
    world.pass(11 * 60 * 1000);
    assert_eq!(world.skipped.get("unknown_deleted"), Some(&1));
}

#[test]
fn a_lane_is_promised_each_minute_while_a_chat_is_read_whole() {
    let mut world = garden();
    let push = world.server.post(GARDEN, "hello");
    world.tell(push);
    world.pass(180_000);
    let promised: Vec<i64> = world.records.iter().filter_map(|record| record.complete_until).collect();
    assert_eq!(promised, [60_000, 120_000, 180_000].map(|at| BEGIN + at - 15_000));
    world.server.refusals.push_back(Refusal::Flood(600));
    world.tell(Push::Behind(Some(GARDEN)));
    world.pass(599_000);
    let later = world.records.iter().filter_map(|record| record.complete_until).count();
    assert_eq!(later, 3, "what is behind is promised nothing");
}

#[test]
fn a_digest_that_the_own_bot_posts_is_no_message_of_the_chat() {
    let mut world = World::new(&[link(GARDEN, "garden", None)]);
    world.plan.own_bot = Some(7);
    world.kill();
    world.settle();
    let push = world.server.post(GARDEN, "digest");
    world.tell(push);
    world.pass(10_000);
    assert_eq!((world.live("garden").len(), world.skipped.get("own_post")), (0, Some(&1)));
}

#[test]
fn a_chat_that_is_linked_anew_begins_anew() {
    let mut world = garden();
    world.server.post(GARDEN, "while nobody read");
    world.plan.links[0].id = 2;
    world.kill();
    world.settle();
    let push = world.server.post(GARDEN, "now");
    world.tell(push);
    world.settle();
    assert_eq!(world.texts("garden"), ["now"]);
}

#[test]
fn what_comes_between_the_choice_of_a_chat_and_its_first_reading_is_read() {
    let mut world = World::new(&[]);
    world.server.post(GARDEN, "before");
    world.server.post(BASIC, "before");
    let tops =
        [(GARDEN, Some(1)), (BASIC, None)].map(|(chat, pts)| crate::peer::Top { chat, pts, message: 1 });
    let [garden, basic] = tops;
    world.server.post(GARDEN, "between");
    world.server.post(BASIC, "between");
    let links = [(GARDEN, "garden", garden), (BASIC, "basic", basic)];
    world.plan = plan(&links.map(|(chat, group, top)| Link { begin: Some(top), ..link(chat, group, None) }));
    world.kill();
    world.pass(5_000);
    assert_eq!(
        (world.live("garden"), world.live("basic")),
        (vec![(2, 0, "new")], vec![(2 + SHIFT, 0, "new")])
    );
}
