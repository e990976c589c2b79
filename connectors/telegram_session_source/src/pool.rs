//! The sessions that run, at most so many: each with what it reads, where it stands, and how it is.
//!
//! Invariant: a session that ends, waits or breaks is its own matter; all others go on.

use crate::{
    chat::Link,
    engine::{Engine, Note, Plan, Turn},
    peer::{End, Peer, Push},
    position::account_part,
    task::{Lookup, News, Order, Task, Told},
};
use runtime::{Position, Sessions};
use std::collections::{BTreeMap, BTreeSet};
use tokio::{sync::mpsc, task::AbortHandle};
use tracing::{error, info, warn};

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

    /// What was given last is not committed, and comes again.
    pub(crate) fn take_back(&mut self) {
        for user in std::mem::take(&mut self.given).into_keys() {
            self.resume_one(user);
        }
    }

    /// What was given last is committed.
    pub(crate) fn committed(&mut self) {
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
        let (told, inbox) = mpsc::channel(INBOX);
        (self.told, self.inbox) = (told, inbox);
    }

    /// Brings those that run to what they are to read; those that are to be started.
    pub(crate) fn bring_to(&mut self, wanted: Vec<Wanted>) -> Vec<Wanted> {
        let users: BTreeSet<i64> = wanted.iter().map(|wanted| wanted.user).collect();
        self.running.retain(|user, _| users.contains(user));
        self.over.retain(|user, _| users.contains(user));
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
        let handle = tokio::spawn(task.run()).abort_handle();
        info!(session = user, chats = wanted.links.len(), "a session is read by");
        self.running.insert(user, Running { wanted, orders, epoch, handle, is_held: false });
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

    fn take(&mut self, Told { user, news }: Told) -> Option<Event> {
        let running = self.running.get_mut(&user)?;
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
                tell(user, &note);
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

fn tell(session: i64, note: &Note) {
    match note {
        Note::Flood { method, seconds } => {
            warn!(session, method = method.name(), seconds, "Telegram asks to wait, which is obeyed");
        }
        Note::Broken(why) => {
            warn!(session, why, "Telegram was not reached five times in a row and is left alone for a while");
        }
        Note::Mended => info!(session, "Telegram is reached again"),
        Note::Interrupted(why) => {
            info!(session, why, "the connection ended; what was missed is asked for");
        }
        Note::Lost { chat, why } => warn!(
            session,
            chat,
            why,
            "a chat cannot be read and is tried again in half an hour: see whether the account is still in it, or \
             `gistmill telegram session groups rm`"
        ),
        Note::TooLong { chat } => warn!(
            session,
            chat,
            "more has happened than Telegram tells of: messages are read from the history; edits and deletions of older \
             ones in between are not known"
        ),
    }
}

#[cfg(test)]
mod tests;
