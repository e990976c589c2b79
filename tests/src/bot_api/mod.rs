//! A Bot API server on the loopback address, for tests and for trying the pipeline without Telegram.
//!
//! It does what the Bot API's documentation says of the methods that it knows, fails as told by [`BotApi::fault`], and
//! keeps every call, so that what came twice is counted here. Not there: files, inline mode, payments, rich messages
//! but of blocks of text (and those only where [`BotApi::take_rich`] says so), markup of text (`parse_mode` is refused),
//! and TLS to a webhook.
//! Invariant: the clock is the only thing that differs between two runs with the same calls.

mod answer;
mod calls;
mod chat;
mod clock;
mod connection;
mod edit;
mod entities;
mod ephemeral;
mod fault;
mod http;
mod limits;
mod methods;
mod rich;
mod send;
mod story;
mod text;
mod updates;
mod webhook;
mod world;

pub use answer::Answer;
pub use calls::{Call, Deed};
pub use chat::{Chat, Kind, Membership, Person};
pub use fault::Fault;
pub use limits::Limits;

use clock::Clock;
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};
use world::World;

/// Token of the one bot that the server knows.
pub const TOKEN: &str = "4242424242:AAloopback-server-of-the-tests-only";

/// The server, for as long as this lives.
#[derive(Debug)]
pub struct BotApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: Option<Runtime>,
}

/// What the calls and the test share.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Moves when a poll that waits has to look again.
    news: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self { world: Mutex::new(world), news: watch::Sender::new(0) }
    }

    /// A test that failed while it held the world is reported by itself.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) {
        self.news.send_modify(|turn| *turn += 1);
    }

    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

impl BotApi {
    /// Listens on a free port; no chat is there, and no limit is enforced.
    ///
    /// # Errors
    /// The system refuses.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_at(0)
    }

    /// Listens on a given port; 0 is a free one.
    ///
    /// # Errors
    /// The port is taken, or the system refuses.
    pub fn start_at(port: u16) -> anyhow::Result<Self> {
        let tasks = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = tasks.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(World::new(Clock::of_the_system())));
        tasks.spawn(http::serve(listener, Arc::clone(&shared)));
        tasks.spawn(webhook::bring(Arc::clone(&shared)));
        Ok(Self { address, shared, tasks: Some(tasks) })
    }

    /// The base of its addresses, as `https://api.telegram.org` is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call that came, in the order of their answers; a poll that still waits is not among them.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.world().calls.clone()
    }

    /// The calls of a method.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.method.eq_ignore_ascii_case(method)).collect()
    }

    /// What a webhook was brought, whether it took it or not.
    pub fn brought(&self) -> Vec<Call> {
        self.calls_of(webhook::WEBHOOK)
    }

    /// What the bot's messages in a chat look like now, by message id.
    pub fn posts(&self, chat: i64) -> Vec<Value> {
        self.shared.world().posts(chat)
    }

    /// The next call of a method (to a chat, if one is given) that no earlier fault waits for ends in this one.
    pub fn fault(&self, method: &str, chat: Option<i64>, fault: Fault) {
        self.shared.world().faults.add(method, chat, fault);
    }

    /// Enforces limits from now on; `None` none.
    pub fn limit(&self, limits: Option<Limits>) {
        self.shared.world().limits.set(limits);
    }

    /// Lets time pass on the server's clock: updates expire, polls that wait end.
    pub fn pass(&self, time: Duration) {
        self.shared.world().clock.pass(time);
        self.shared.wake();
    }

    /// The server's clock, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.shared.world().clock.unix()
    }

    /// No update comes for a week; the next one's id is drawn anew, and is this one.
    pub fn quiet_week(&self, next_update_id: i64) {
        let mut world = self.shared.world();
        world.clock.pass(updates::QUIET);
        world.updates.draw(next_update_id);
        drop(world);
        self.shared.wake();
    }

    /// Whether rich messages are taken; a server from before them answers 404. Not at first.
    pub fn take_rich(&self, is_rich: bool) {
        self.shared.world().is_rich = is_rich;
    }

    /// The token is no longer one: every call is answered 401, or with the bot again.
    pub fn revoke(&self, is_revoked: bool) {
        self.shared.world().is_revoked = is_revoked;
        self.shared.wake();
    }

    /// Ids of updates that are kept and not confirmed.
    pub fn pending(&self) -> Vec<i64> {
        self.shared.world().updates.pending()
    }
}

impl Drop for BotApi {
    fn drop(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.shutdown_background();
        }
    }
}
