//! The sessions that run, at most so many: each with what it reads, where it stands, and how it is.
//!
//! Invariant: a session that ends, waits or breaks is its own matter; all others go on.

use crate::{
    chat::Link,
    engine::{Engine, Plan, Turn},
    note::Note,
    peer::{Peer, Push},
    position::account_part,
    refusal::End,
    task::{Lookup, News, Order, Task, Told},
};
use runtime::{Position, Sessions};
use std::collections::{BTreeMap, BTreeSet};
use tokio::{sync::mpsc, task::AbortHandle};
use tracing::{error, info};

/// Turns of sessions that wait to be taken.
const INBOX: usize = 256;

/// What a session reads, and by which login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) tenant_id: String,
    pub(crate) user: i64,
    pub(crate) links: Vec<Link>,
    /// Id of the row of its key: another login is another one.
    pub(crate) login: Vec<u8>,
}

struct Running {
    wanted: Wanted,
    /// Which start it is: what an earlier one has said is not about this one.
    run: u64,
    orders: mpsc::UnboundedSender<Order>,
    epoch: u64,
    handle: AbortHandle,
    is_held: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

/// The sessions of a process.
pub(crate) struct Pool {
    running: BTreeMap<i64, Running>,
    /// Logins that are over: they are not tried again.
    over: BTreeMap<i64, Vec<u8>>,
    parts: BTreeMap<String, Position>,
    inbox: mpsc::Receiver<Told>,
    told: mpsc::Sender<Told>,
    /// Sessions of which a turn is given and not committed.
    given: BTreeMap<i64, BTreeMap<String, Position>>,
    /// All of that is with the runtime, which asks for more once it is committed.
    is_given: bool,
    floods: BTreeMap<&'static str, u64>,
    silence_ms: i64,
    own_bot: Option<i64>,
    epochs: u64,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

/// What the pool has to say.
#[derive(Debug)]
pub(crate) enum Event {
    /// To be committed.
    Turn(i64, Box<Turn>),
    /// A session is over for good.
    Over(Wanted, End),
    /// A session cannot go on in this version of the program.
    Broken(String),
}

impl Pool {
    pub(crate) fn new(silence_ms: i64, own_bot: Option<i64>) -> Self {
        let (told, inbox) = mpsc::channel(INBOX);
        Self {
            running: BTreeMap::new(),
            over: BTreeMap::new(),
            parts: BTreeMap::new(),
            inbox,
            told,
            given: BTreeMap::new(),
            is_given: false,
            floods: BTreeMap::new(),
            silence_ms,
            own_bot,
            epochs: 0,
        }
    }

    fn plan(&self, wanted: &Wanted) -> Plan {
        let (user, links) = (wanted.user, wanted.links.clone());
        Plan { user, links, silence_ms: self.silence_ms, own_bot: self.own_bot }
    }

    /// Positions of a session and its chats.
    fn parts_of(&self, user: i64) -> BTreeMap<String, Position> {
        let own = account_part(user);
        let of_chats = format!("{own}/");
        let is_its = |part: &str| part == own || part.starts_with(&of_chats);
        let parts = self.parts.iter().filter(|(part, _)| is_its(part));
        parts.map(|(part, position)| (part.clone(), position.clone())).collect()
    }

    /// Everything stands there, and nothing after it is committed.
    pub(crate) fn resume(&mut self, parts: &BTreeMap<String, Position>) {
        self.parts.clone_from(parts);
        self.given.clear();
        self.is_given = false;
        let users: Vec<i64> = self.running.keys().copied().collect();
        for user in users {
            self.resume_one(user);
        }
    }

    fn resume_one(&mut self, user: i64) {
        self.epochs += 1;
        let (epoch, parts) = (self.epochs, self.parts_of(user));
        let Some(wanted) = self.running.get(&user).map(|running| running.wanted.clone()) else { return };
        let plan = Box::new(self.plan(&wanted));
        if let Some(running) = self.running.get_mut(&user) {
            running.epoch = epoch;
            // A session that has just ended says so itself.
            drop(running.orders.send(Order::Resume(epoch, plan, parts)));
        }
        self.given.remove(&user);
    }

    /// What was taken since the last time goes to the runtime.
    pub(crate) fn give(&mut self) {
        self.is_given = true;
    }

    /// More is asked for: what the runtime was given is committed. What it was not given, as whoever asked has not waited for it or it
    /// could not be followed, comes again; false where there may be such.
    pub(crate) fn settle(&mut self) -> bool {
        let is_committed = std::mem::take(&mut self.is_given);
        if is_committed {
            self.committed();
        } else {
            for user in std::mem::take(&mut self.given).into_keys() {
                self.resume_one(user);
            }
        }
        is_committed
    }

    fn committed(&mut self) {
        for (user, positions) in std::mem::take(&mut self.given) {
            self.parts.extend(positions);
            if let Some(running) = self.running.get(&user) {
                drop(running.orders.send(Order::Committed));
            }
        }
    }

    /// No session runs any more.
    pub(crate) fn leave(&mut self) {
        self.running.clear();
        self.given.clear();
        self.is_given = false;
        let (told, inbox) = mpsc::channel(INBOX);
        (self.told, self.inbox) = (told, inbox);
    }

    /// Brings those that run to what they are to read; those that are to be started.
    pub(crate) fn bring_to(&mut self, wanted: Vec<Wanted>) -> Vec<Wanted> {
        let users: BTreeSet<i64> = wanted.iter().map(|wanted| wanted.user).collect();
        self.running.retain(|user, _| users.contains(user));
        self.over.retain(|user, _| users.contains(user));
        self.sweep();
        let mut missing = Vec::new();
        for wanted in wanted {
            let user = wanted.user;
            if self.over.get(&user) == Some(&wanted.login) {
                continue;
            }
            match self.running.get_mut(&user) {
                Some(running) if running.wanted.login == wanted.login => {
                    if running.wanted != wanted {
                        running.wanted = wanted;
                        self.resume_one(user);
                    }
                }
                _ => {
                    self.over.remove(&user);
                    self.running.remove(&user);
                    missing.push(wanted);
                }
            }
        }
        missing
    }

    /// Forgets those that have ended without a word, to be started anew: their connection has ended for good, or there is a defect.
    fn sweep(&mut self) {
        // What was said before the end is heard first.
        if self.inbox.is_empty() {
            self.running.retain(|user, running| {
                let is_alive = !running.handle.is_finished();
                if !is_alive {
                    error!(session = user, "a session has ended by itself and is started again");
                }
                is_alive
            });
        }
    }

    /// Starts a session over a connection.
    ///
    /// # Errors
    /// A position that another version wrote.
    pub(crate) fn start<P: Peer, L: Lookup>(
        &mut self,
        wanted: Wanted,
        (peer, pushes): (P, mpsc::Receiver<Push>),
        lookup: L,
    ) -> Result<(), String> {
        let user = wanted.user;
        let engine = Engine::new(self.plan(&wanted), &self.parts_of(user))?;
        let (orders, receiver) = mpsc::unbounded_channel();
        self.epochs += 1;
        let epoch = self.epochs;
        let task = Task {
            user,
            run: epoch,
            engine,
            peer,
            pushes,
            lookup,
            out: self.told.clone(),
            orders: receiver,
            now: crate::clock::now_ms,
            epoch,
            is_held: false,
        };
        let handle = tokio::spawn(task.go()).abort_handle();
        info!(session = user, chats = wanted.links.len(), "a session is read by");
        self.running.insert(user, Running { wanted, run: epoch, orders, epoch, handle, is_held: false });
        Ok(())
    }

    /// The next thing that concerns more than one session's log.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            let Some(told) = self.inbox.recv().await else { std::future::pending().await };
            if let Some(event) = self.take(told) {
                return event;
            }
        }
    }

    /// The same, if there is one already.
    pub(crate) fn next_now(&mut self) -> Option<Event> {
        while let Ok(told) = self.inbox.try_recv() {
            let event = self.take(told);
            if event.is_some() {
                return event;
            }
        }
        None
    }

    fn take(&mut self, Told { user, run, news }: Told) -> Option<Event> {
        let running = self.running.get_mut(&user).filter(|running| running.run == run)?;
        match news {
            News::Turn(epoch, turn) if epoch == running.epoch => {
                self.given.insert(user, turn.positions.clone());
                Some(Event::Turn(user, turn))
            }
            News::Turn(..) => None,
            News::Held(is_held) => {
                running.is_held = is_held;
                None
            }
            News::Note(note) => {
                if let Note::Flood { method, seconds } = &note {
                    *self.floods.entry(method.name()).or_default() += u64::from(*seconds);
                }
                note.tell(user);
                None
            }
            News::Over(end) => {
                error!(session = user, why = end.name(), "a session is over: {}", end.advice());
                let running = self.running.remove(&user)?;
                self.over.insert(user, running.wanted.login.clone());
                Some(Event::Over(running.wanted.clone(), end))
            }
            News::Broken(why) => {
                self.running.remove(&user);
                Some(Event::Broken(format!("session {user}: {why}")))
            }
        }
    }

    /// How the sessions are.
    pub(crate) fn sessions(&mut self) -> Sessions {
        let held = self.running.values().filter(|running| running.is_held).count();
        Sessions {
            reading: self.running.len() - held,
            held,
            over: self.over.len(),
            flood_seconds: std::mem::take(&mut self.floods),
        }
    }
}

#[cfg(test)]
mod tests;
