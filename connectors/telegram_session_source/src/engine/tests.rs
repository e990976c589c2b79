//! A session against a peer with a script: what is told of each message, whatever goes wrong on the way.

use super::*;
use crate::{
    peer::{Place, Refusal},
    test_support::{BEGIN, Server},
};
use ingest::Group;
use schemas::{END_OF_LANE, LIVE_LANE, Message};

mod kills;

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
fn basic_groups_are_told_among_private_chats_which_are_passed_over() {
    let mut world = World::new(&[link(BASIC, "basic", None)]);
    world.server.post(BASIC, "before");
    world.settle();
    let pushes = [world.server.private(), world.server.post(BASIC, "hello"), world.server.private()];
    pushes.into_iter().for_each(|push| world.tell(push));
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
fn a_group_that_becomes_a_supergroup_is_told_with_what_reaches_it() {
    let mut world = World::new(&[link(BASIC, "basic", None)]);
    world.settle();
    let to = Place { chat: GARDEN, hash: 77 };
    world.tell(Push::Event { channel: None, pts: 1, count: 1, event: Event::Migrated { from: BASIC, to } });
    world.pass(10_000);
    assert_eq!(world.migrated, [(BASIC, to)]);
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
