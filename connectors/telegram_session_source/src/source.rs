//! The source: which sessions read what, and what they give together.
//!
//! Invariant: turns of several sessions are one transaction; a chat that has become another one is linked before what comes after it
//! is committed.

use crate::{
    MESSAGES,
    grammers::Telegram,
    peer::{Peer, Place, Push},
    pool::{Event, Pool},
    sealed::{SessionKey, account_of, key_name},
    wanted::{Keys, choose},
};
use keys::Ring;
use processor::{Emission, PortSpec};
use runtime::{Config, HostError, Position, Sessions, Source, SourceBatch, SourceError};
use secrecy::ExposeSecret;
use state::{ChatTaken, SessionChat, Store, TelegramChat};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};
use tracing::{info, warn};

/// Links and logins are looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Turns of a transaction, each of which is of another session.
const TURNS_MAX: usize = 100;
const IDLE: Duration = Duration::from_millis(1);

/// How a session's connection is made.
pub(crate) trait Door: Send + Sync + 'static {
    /// A connection.
    type Peer: Peer;

    /// Makes one for an account; touches no network until something is asked.
    fn connect(&self, user: i64, key: SessionKey) -> (Self::Peer, mpsc::Receiver<Push>);
}

/// Sessions that are read by.
#[derive(Debug)]
#[expect(private_bounds, reason = "the seam is for tests of this crate")]
pub struct TelegramSessionSource<D: Door = Telegram> {
    door: D,
    store: Store,
    ring: Ring,
    sessions_max: usize,
    pool: Pool,
    looked_at: Option<Instant>,
    passed_over: BTreeMap<&'static str, u64>,
    /// Accounts that are to read chats and are not logged in.
    logged_out: usize,
    /// What was said once.
    named: BTreeSet<String>,
}

impl TelegramSessionSource {
    /// Reads by the sessions that are logged in, the chats that were chosen.
    ///
    /// # Errors
    /// The application's number or the master key is missing, by name.
    pub fn new(config: &Config, store: Store) -> Result<Self, HostError> {
        let setting =
            |why: &str| HostError::Start { what: "read by sessions of Telegram", why: why.to_owned() };
        let Some(api_id) = config.telegram_session.api_id else {
            return Err(setting(
                "telegram_session.api_id is not set: make an application at https://my.telegram.org and give its api_id",
            ));
        };
        let Some(master) = &config.keys.master else {
            return Err(setting(
                "keys.master is not set: sessions are sealed with it; give it in GISTMILL_KEYS__MASTER",
            ));
        };
        let ring = Ring::new(master, &config.keys.former()).map_err(|error| setting(&error.to_string()))?;
        let silence_ms = i64::from(config.telegram_session.timeout_minutes) * 60 * 1000;
        let token = config.telegram.token.as_ref();
        let own_bot = token.and_then(|token| token.expose_secret().split(':').next()?.parse().ok());
        Ok(Self {
            door: Telegram::new(api_id),
            store,
            ring,
            sessions_max: config.telegram_session.sessions_max,
            pool: Pool::new(silence_ms, own_bot),
            looked_at: None,
            passed_over: BTreeMap::new(),
            logged_out: 0,
            named: BTreeSet::new(),
        })
    }
}

#[expect(private_bounds, reason = "the seam is for tests of this crate")]
impl<D: Door> TelegramSessionSource<D> {
    fn say_once(&mut self, what: &str) {
        if self.named.insert(what.to_owned()) {
            warn!("{what}");
        }
    }

    /// Looks which sessions are to read what.
    async fn look(&mut self) -> Result<(), SourceError> {
        let chats = self.store.session_chats().await.map_err(store_error)?;
        let keys = self.keys_for(&chats).await?;
        let choice = choose(&chats, &keys, self.sessions_max).map_err(SourceError::Fatal)?;
        self.logged_out = choice.logged_out;
        choice.words.iter().for_each(|words| self.say_once(words));
        for wanted in self.pool.bring_to(choice.wanted) {
            let name = key_name(&wanted.tenant_id, wanted.user);
            let Some(key) = keys.get(&(wanted.tenant_id.clone(), wanted.user)) else { continue };
            match SessionKey::open(&self.ring, &name, key) {
                Ok(key) => {
                    let connection = self.door.connect(wanted.user, key);
                    self.pool.start(wanted, connection, self.store.clone()).map_err(SourceError::Fatal)?;
                }
                Err(error) => {
                    self.say_once(&format!("could not open the session of account {}: {error}", wanted.user));
                }
            }
        }
        self.looked_at = Some(Instant::now());
        Ok(())
    }

    /// Keys of the tenants whose chats these are.
    async fn keys_for(&self, chats: &[SessionChat]) -> Result<Keys, SourceError> {
        let tenants: BTreeSet<&str> = chats.iter().map(|chat| &*chat.chat.tenant_id).collect();
        let mut keys = Keys::new();
        for tenant in tenants {
            for key in self.store.provider_keys(tenant).await.map_err(store_error)? {
                if let Some(user) = account_of(&key.name).filter(|_| key.revoked_at.is_none()) {
                    keys.insert((tenant.to_owned(), user), key.key);
                }
            }
        }
        Ok(keys)
    }

    /// Links what a basic group has become, to be read by the same session from its beginning.
    async fn follow(&self, user: i64, from: i64, to: Place) -> Result<(), SourceError> {
        let links = self.store.telegram_chats(&[from]).await.map_err(store_error)?;
        let Some(TelegramChat { tenant_id, group_id, .. }) = links.into_iter().next() else { return Ok(()) };
        let wanted = SessionChat {
            chat: TelegramChat { chat_id: to.chat, tenant_id, group_id },
            user_id: user,
            access_hash: to.hash,
            title: String::new(),
            begin_pts: Some(1),
            begin_message: 0,
            history_from: None,
            taken_at: 0,
        };
        match self.store.take_chat(&wanted, Some(from)).await.map_err(store_error)? {
            ChatTaken::Read { .. } => {
                info!(from, to = to.chat, "a group goes on as a supergroup, which is read too");
            }
            // It was linked before a transaction that failed.
            ChatTaken::ReadBy(reader) if reader == user => {}
            other => warn!(from, to = to.chat, ?other, "a group goes on as a supergroup, which is not read"),
        }
        Ok(())
    }

    async fn take(
        &mut self,
        event: Event,
        (emissions, positions): (&mut Vec<Emission>, &mut BTreeMap<String, Position>),
    ) -> Result<(), SourceError> {
        match event {
            Event::Turn(user, turn) => {
                for (from, to) in turn.migrated {
                    self.follow(user, from, to).await?;
                    self.looked_at = None;
                }
                emissions.extend(turn.records.into_iter().map(|record| MESSAGES.emit(record)));
                positions.extend(turn.positions);
                for (reason, count) in turn.skipped {
                    *self.passed_over.entry(reason).or_default() += count;
                }
            }
            Event::Over(wanted, end) => {
                let name = key_name(&wanted.tenant_id, wanted.user);
                if let Err(error) = self.store.end_session(&name, &wanted.login, end.name()).await {
                    warn!(
                        session = wanted.user,
                        error = error.describe(),
                        "could not keep why a session is over"
                    );
                }
            }
            Event::Broken(why) => return Err(SourceError::Fatal(why)),
        }
        Ok(())
    }
}

impl<D: Door> Source for TelegramSessionSource<D> {
    const NAME: &'static str = crate::NAME;

    fn ports(&self) -> Vec<PortSpec> {
        vec![MESSAGES.spec()]
    }

    fn identity(&self) -> String {
        "sessions".to_owned()
    }

    fn resume(&mut self, parts: &BTreeMap<String, Position>) {
        self.passed_over.clear();
        self.pool.resume(parts);
    }

    fn leave(&mut self) {
        self.pool.leave();
        self.looked_at = None;
    }

    fn sessions(&mut self) -> Option<Sessions> {
        let sessions = self.pool.sessions();
        Some(Sessions { over: sessions.over + self.logged_out, ..sessions })
    }

    async fn next(&mut self, _: Option<&Position>) -> Result<SourceBatch, SourceError> {
        if !self.pool.settle() {
            self.passed_over.clear();
        }
        if self.looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.look().await?;
        }
        let wait = self.looked_at.map_or(IDLE, |at| LOOK_EVERY.saturating_sub(at.elapsed()));
        let Ok(first) = tokio::time::timeout(wait, self.pool.next()).await else {
            return Ok(SourceBatch::Idle(IDLE));
        };
        let (mut emissions, mut positions) = (Vec::new(), BTreeMap::new());
        let mut event = Some(first);
        for _ in 0..TURNS_MAX {
            let Some(taken) = event.take().or_else(|| self.pool.next_now()) else { break };
            self.take(taken, (&mut emissions, &mut positions)).await?;
        }
        if positions.is_empty() {
            return Ok(SourceBatch::Idle(IDLE));
        }
        self.pool.give();
        Ok(SourceBatch::Parts { emissions, positions })
    }

    fn passed_over(&mut self) -> Vec<(&'static str, u64)> {
        std::mem::take(&mut self.passed_over).into_iter().collect()
    }
}

fn store_error(error: state::Error) -> SourceError {
    if error.is_transient() {
        SourceError::Transient(Box::new(error))
    } else {
        SourceError::Fatal(format!("could not look up the chats of sessions: {}", error.describe()))
    }
}
