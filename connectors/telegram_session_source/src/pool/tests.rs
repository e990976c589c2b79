//! Several sessions as they run, over peers with scripts.

use super::*;
use crate::{
    peer::{Answer, Place, Request, Top},
    recent::Known,
    refusal::Refusal,
    test_support::Server,
};
use ingest::Group;
use std::sync::{Arc, Mutex};

const GARDEN: i64 = -1_001_234_567_890;
const COURT: i64 = -1_009_876_543_210;

#[derive(Clone)]
struct Scripted(Arc<Mutex<Server>>);

impl Peer for Scripted {
    async fn call(&self, request: Request) -> Result<Answer, Refusal> {
        self.0.lock().expect("the script").answer(&request)
    }
}

/// A database that knows nothing.
struct Empty;

impl Lookup for Empty {
    async fn placed(&self, _: (&str, &str), _: &[i64]) -> Result<Vec<Known>, String> {
        Ok(Vec::new())
    }
}

fn wanted(user: i64, chat: i64, group: &str) -> Wanted {
    let begin = Some(Top { chat, pts: Some(0), message: 0 });
    let group = Group::new("acme", group).expect("names");
    let link = Link { place: Place { chat, hash: 1 }, group, id: 1, history_from: None, begin };
    Wanted { tenant_id: "acme".to_owned(), user, links: vec![link], login: vec![1] }
}

struct Session {
    server: Scripted,
    pushes: mpsc::Sender<Push>,
}

fn start(pool: &mut Pool, wanted: Wanted) -> Session {
    let server = Scripted(Arc::new(Mutex::new(Server::new())));
    let (pushes, receiver) = mpsc::channel(16);
    pool.start(wanted, (server.clone(), receiver), Empty).expect("no position");
    Session { server, pushes }
}

impl Session {
    async fn post(&self, chat: i64, text: &str) {
        let push = self.server.0.lock().expect("the script").post(chat, text);
        self.pushes.send(push).await.expect("a session");
    }
}

/// The next message that is given, with its session; what is given without one is committed on the way.
async fn message(pool: &mut Pool) -> (i64, String, BTreeMap<String, Position>) {
    loop {
        match pool.next().await {
            Event::Turn(user, turn) => {
                let text = turn.records.iter().flat_map(|record| &record.messages).next();
                if let Some(text) = text.map(|message| message.text.clone()) {
                    return (user, text, turn.positions);
                }
                pool.committed();
            }
            other => panic!("{other:?}"),
        }
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(test);
}

#[test]
fn what_was_given_and_not_committed_is_given_again_and_nothing_else() {
    run(async {
        let mut pool = Pool::new(900_000, None);
        let session = start(&mut pool, wanted(1, GARDEN, "garden"));
        session.post(GARDEN, "one").await;
        let (user, text, positions) = message(&mut pool).await;
        assert_eq!((user, &*text), (1, "one"));
        pool.committed();
        assert_eq!(positions.keys().collect::<Vec<_>>(), ["1/-1001234567890"]);
        session.post(GARDEN, "two").await;
        assert_eq!(message(&mut pool).await.1, "two");
        let parts = pool.parts_of(1);
        pool.resume(&parts);
        assert_eq!(message(&mut pool).await.1, "two", "the transaction had failed");
        pool.committed();
        session.post(GARDEN, "three").await;
        assert_eq!(message(&mut pool).await.1, "three");
    });
}

#[test]
fn what_was_taken_and_never_reached_the_runtime_is_given_again() {
    run(async {
        let mut pool = Pool::new(900_000, None);
        let session = start(&mut pool, wanted(1, GARDEN, "garden"));
        session.post(GARDEN, "one").await;
        assert_eq!(message(&mut pool).await.1, "one");
        assert!(!pool.settle(), "whoever asked has not waited for it");
        assert_eq!(message(&mut pool).await.1, "one");
        pool.give();
        assert!(pool.settle());
        session.post(GARDEN, "two").await;
        assert_eq!(message(&mut pool).await.1, "two", "and not one again");
    });
}

#[test]
fn a_session_whose_connection_has_ended_for_good_is_started_anew_from_where_it_stood() {
    run(async {
        let mut pool = Pool::new(900_000, None);
        let garden = wanted(1, GARDEN, "garden");
        let Session { server, pushes } = start(&mut pool, garden.clone());
        let push = server.0.lock().expect("the script").post(GARDEN, "one");
        pushes.send(push).await.expect("a session");
        assert_eq!(message(&mut pool).await.1, "one");
        pool.committed();
        drop(pushes);
        while pool.bring_to(vec![garden.clone()]).is_empty() {
            tokio::task::yield_now().await;
        }
        server.0.lock().expect("the script").post(GARDEN, "meanwhile");
        let (_pushes, receiver) = mpsc::channel(16);
        pool.start(garden, (server, receiver), Empty).expect("its own position");
        assert_eq!(message(&mut pool).await.1, "meanwhile");
    });
}

#[test]
fn what_an_earlier_login_has_said_ends_no_later_one() {
    run(async {
        let mut pool = Pool::new(900_000, None);
        let garden = wanted(1, GARDEN, "garden");
        let first = start(&mut pool, garden.clone());
        let late = Told { user: 1, run: pool.epochs, news: News::Over(End::LoggedOut) };
        let again = Wanted { login: vec![2], ..garden };
        assert_eq!(pool.bring_to(vec![again.clone()]), std::slice::from_ref(&again));
        let second = start(&mut pool, again);
        pool.told.send(late).await.expect("an inbox");
        second.post(GARDEN, "on").await;
        assert_eq!(message(&mut pool).await.1, "on");
        assert_eq!(pool.sessions(), Sessions { reading: 1, ..Sessions::default() });
        drop(first);
    });
}

#[test]
fn a_turn_that_waits_while_everything_is_taken_back_is_given_once() {
    run(async {
        let mut pool = Pool::new(900_000, None);
        let session = start(&mut pool, wanted(1, GARDEN, "garden"));
        session.post(GARDEN, "one").await;
        // The turn lies in the inbox, untaken.
        while pool.inbox.is_empty() {
            tokio::task::yield_now().await;
        }
        pool.resume(&BTreeMap::new());
        assert_eq!(message(&mut pool).await.1, "one");
        pool.committed();
        session.post(GARDEN, "two").await;
        assert_eq!(message(&mut pool).await.1, "two", "and not one again");
    });
}

#[test]
fn a_session_that_is_over_leaves_the_others_alone_and_is_not_tried_again() {
    run(async {
        let mut pool = Pool::new(900_000, None);
        let (over, other) = (wanted(1, GARDEN, "garden"), wanted(2, COURT, "court"));
        let first = start(&mut pool, over.clone());
        first.server.0.lock().expect("the script").refusals.push_back(Refusal::Ended(End::UsedTwice));
        let ended = loop {
            match pool.next().await {
                Event::Over(wanted, end) => break (wanted.user, end),
                Event::Turn(..) => pool.committed(),
                Event::Broken(why) => panic!("{why}"),
            }
        };
        assert_eq!(ended, (1, End::UsedTwice));
        let second = start(&mut pool, other.clone());
        second.post(COURT, "on").await;
        assert_eq!(message(&mut pool).await.1, "on");
        pool.committed();
        assert_eq!(pool.sessions(), Sessions { reading: 1, over: 1, ..Sessions::default() });
        assert_eq!(pool.bring_to(vec![over.clone(), other.clone()]), []);
        let again = Wanted { login: vec![2], ..over };
        assert_eq!(pool.bring_to(vec![again.clone(), other]), [again], "logged in anew");
        assert_eq!(pool.bring_to(Vec::new()), []);
        assert_eq!(pool.sessions(), Sessions::default(), "nobody reads anything any more");
    });
}

#[test]
fn a_chat_that_is_chosen_is_read_by_the_session_that_runs() {
    run(async {
        let mut pool = Pool::new(900_000, None);
        let mut both = wanted(1, GARDEN, "garden");
        let session = start(&mut pool, both.clone());
        session.post(COURT, "unseen").await;
        both.links.extend(wanted(1, COURT, "court").links);
        assert_eq!(pool.bring_to(vec![both]), []);
        assert_eq!(message(&mut pool).await.1, "unseen", "from where it stood when it was chosen");
    });
}
