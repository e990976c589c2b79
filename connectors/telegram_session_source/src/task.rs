//! One session as it runs: its engine, its connection, and what the pool is told.
//!
//! Invariant: what is decided, the engine decides; here things are waited for. Whatever is under way when the pool says that nothing
//! after some position is committed is given up.

use crate::{
    engine::{Engine, Plan, Step, Turn},
    note::Note,
    peer::{Peer, Push, Request},
    recent::Known,
    refusal::End,
};
use runtime::Position;
use state::Store;
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::mpsc::{self, error::TryRecvError};
use tracing::warn;

/// Longest that a session sleeps without a look.
const SLEEP_MAX: Duration = Duration::from_mins(1);
/// Wait after a question that the database did not answer.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// What a session tells the pool.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) user: i64,
    /// Which start of the session says so.
    pub(crate) run: u64,
    pub(crate) news: News,
}

#[derive(Debug)]
pub(crate) enum News {
    /// To be committed, if it is of this resumption.
    Turn(u64, Box<Turn>),
    Note(Note),
    /// It waits for Telegram, or does not any more.
    Held(bool),
    /// Its end, for good.
    Over(End),
    /// It cannot go on, and why.
    Broken(String),
}

/// What the pool tells a session.
#[derive(Debug)]
pub(crate) enum Order {
    /// What it gave is committed.
    Committed,
    /// Its parts stand there, and nothing after it is committed; it reads by this plan. Its turns are of this resumption.
    Resume(u64, Box<Plan>, BTreeMap<String, Position>),
}

/// Where times of messages are looked up.
pub(crate) trait Lookup: Send + Sync + 'static {
    /// What is known of messages of a group.
    fn placed(
        &self,
        group: (&str, &str),
        ids: &[i64],
    ) -> impl Future<Output = Result<Vec<Known>, String>> + Send;
}

impl Lookup for Store {
    async fn placed(&self, group: (&str, &str), ids: &[i64]) -> Result<Vec<Known>, String> {
        let placed = self.placed_messages(group, ids).await.map_err(|error| error.describe())?;
        Ok(placed.into_iter().map(|(id, sent_at, revision)| Known { id, sent_at, revision }).collect())
    }
}

/// A session that runs.
pub(crate) struct Task<P, L> {
    pub(crate) user: i64,
    /// Which start of the session it is.
    pub(crate) run: u64,
    pub(crate) engine: Engine,
    pub(crate) peer: P,
    pub(crate) pushes: mpsc::Receiver<Push>,
    pub(crate) lookup: L,
    pub(crate) out: mpsc::Sender<Told>,
    pub(crate) orders: mpsc::UnboundedReceiver<Order>,
    pub(crate) now: fn() -> i64,
    /// Which resumption its turns belong to.
    pub(crate) epoch: u64,
    pub(crate) is_held: bool,
}

/// What was heard while something was waited for.
enum Heard {
    Push(Option<Push>),
    Order(Option<Order>),
    Time,
}

impl<P: Peer, L: Lookup> Task<P, L> {
    /// Runs until the session is over, or the pool or the connection is gone for good.
    pub(crate) async fn go(mut self) {
        let news = match self.go_on().await {
            Ok(Some(end)) => News::Over(end),
            Ok(None) => return,
            Err(why) => News::Broken(why),
        };
        // The pool is gone where it cannot be told.
        self.tell(news).await;
    }

    async fn tell(&self, news: News) -> bool {
        self.out.send(Told { user: self.user, run: self.run, news }).await.is_ok()
    }

    async fn go_on(&mut self) -> Result<Option<End>, String> {
        loop {
            loop {
                match self.pushes.try_recv() {
                    Ok(push) => self.engine.push(push, (self.now)()),
                    Err(TryRecvError::Empty) => break,
                    // What holds the connection has ended, and gives no answer any more: the pool starts the session anew.
                    Err(TryRecvError::Disconnected) => return Ok(None),
                }
            }
            let step = self.engine.step((self.now)())?;
            for note in self.engine.notes() {
                self.tell(News::Note(note)).await;
            }
            let is_held = self.engine.is_held((self.now)());
            if is_held != self.is_held {
                self.is_held = is_held;
                self.tell(News::Held(is_held)).await;
            }
            let is_alive = match step {
                Step::Over(end) => return Ok(Some(end)),
                Step::Give(turn) => self.tell(News::Turn(self.epoch, turn)).await && self.obey_one().await?,
                Step::Ask(request) => self.ask(request).await?,
                Step::Look { group, chat, ids } => {
                    match self.lookup.placed((&group.0, &group.1), &ids).await {
                        Ok(known) => self.engine.found(chat, &known, (self.now)()),
                        Err(error) => {
                            warn!(session = self.user, error, "could not look up messages that are gone");
                            tokio::time::sleep(STORE_WAIT).await;
                        }
                    }
                    true
                }
                Step::Wait(until) => self.rest(until).await?,
            };
            if !is_alive {
                return Ok(None);
            }
        }
    }

    /// Waits for an order; false where the pool is gone.
    async fn obey_one(&mut self) -> Result<bool, String> {
        let order = self.orders.recv().await;
        self.obey(order)
    }

    fn obey(&mut self, order: Option<Order>) -> Result<bool, String> {
        match order {
            None => return Ok(false),
            Some(Order::Committed) => self.engine.committed(),
            Some(Order::Resume(epoch, plan, parts)) => {
                self.epoch = epoch;
                self.engine.relink(*plan, &parts)?;
            }
        }
        Ok(true)
    }

    async fn rest(&mut self, until: i64) -> Result<bool, String> {
        let wait = until.saturating_sub((self.now)()).max(0).unsigned_abs();
        let wait = Duration::from_millis(wait).min(SLEEP_MAX);
        let heard = tokio::select! {
            order = self.orders.recv() => Heard::Order(order),
            push = self.pushes.recv() => Heard::Push(push),
            () = tokio::time::sleep(wait) => Heard::Time,
        };
        match heard {
            Heard::Order(order) => return self.obey(order),
            Heard::Push(Some(push)) => self.engine.push(push, (self.now)()),
            Heard::Push(None) | Heard::Time => {}
        }
        Ok(true)
    }

    /// Waits for an answer, and listens meanwhile.
    async fn ask(&mut self, request: Request) -> Result<bool, String> {
        let method = request.method();
        let heard = {
            let call = self.peer.call(request);
            tokio::pin!(call);
            loop {
                tokio::select! {
                    answer = &mut call => break Ok(answer),
                    order = self.orders.recv() => break Err(order),
                    push = self.pushes.recv() => match push {
                        Some(push) => self.engine.push(push, (self.now)()),
                        // With the connection the answer is gone.
                        None => return Ok(false),
                    },
                }
            }
        };
        match heard {
            Ok(answer) => self.engine.answer(answer, method, (self.now)()),
            // What was committed meanwhile was given before the question, which is asked again.
            Err(order) => {
                self.engine.give_up();
                return self.obey(order);
            }
        }
        Ok(true)
    }
}
