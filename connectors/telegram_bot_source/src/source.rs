//! The loop: poll or wait for what is brought, look up whose the chats are, give records with the position after them.

use crate::{
    ANSWERED, MESSAGES,
    client::{Bot, CallError, Me},
    clock::now_ms,
    position::BotPosition,
    turn::{Around, Note, Read, Turned, read, turn},
    webhook::Inbox,
};
use ingest::Group;
use processor::{Emission, PortSpec};
use runtime::{Position, Source, SourceBatch, SourceError};
use state::{Redeemed, Store, TelegramChat};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tracing::{info, warn};

/// Most updates of one answer, which is one transaction.
const UPDATES_MAX: usize = 100;
/// Longest poll; shorter where a mark is due before its end.
const POLL_MAX_MS: i64 = 25 * 1000;
const IDLE: Duration = Duration::from_millis(1);

/// A bot whose updates are read.
#[derive(Debug)]
pub struct TelegramBotSource {
    pub(crate) bot: Bot,
    pub(crate) store: Store,
    /// Where updates are brought; none where they are polled.
    inbox: Option<Inbox>,
    /// Known once Telegram has told.
    me: Option<Me>,
    passed_over: BTreeMap<&'static str, u64>,
    /// Chats that were named as linked by nobody.
    named: BTreeSet<i64>,
}

impl TelegramBotSource {
    /// Reads what `bot` is shown of the chats that `store` has linked.
    pub fn new(bot: Bot, store: Store) -> Self {
        let inbox = bot.webhook().cloned().map(Inbox::new);
        let (passed_over, named) = (BTreeMap::new(), BTreeSet::new());
        Self { bot, store, inbox, me: None, passed_over, named }
    }

    /// Says once what the bot is not shown, and asks Telegram to bring updates where that is wanted.
    async fn introduce(&mut self) -> Result<(), CallError> {
        if self.me.is_some() {
            return Ok(());
        }
        let me = self.bot.me().await?;
        if !me.sees_all {
            warn!(
                "the bot is in privacy mode: in groups it is shown commands alone, unless it is an administrator; turn it \
                 off with /setprivacy at @BotFather, then remove the bot from its groups and add it again"
            );
        }
        if let Some(inbox) = &mut self.inbox {
            inbox.open().await?;
            self.bot.set_webhook(inbox.settings()).await?;
        }
        self.me = Some(me);
        Ok(())
    }

    async fn groups(&self, updates: &[Read]) -> Result<BTreeMap<i64, Group>, SourceError> {
        let mut chats: Vec<i64> = updates.iter().filter_map(Read::chat).collect();
        chats.sort_unstable();
        chats.dedup();
        if chats.is_empty() {
            return Ok(BTreeMap::new());
        }
        let links = self.store.telegram_chats(&chats).await.map_err(store_error)?;
        let group = |link: &TelegramChat| {
            let group = Group::new(&link.tenant_id, &link.group_id);
            group.map(|group| (link.chat_id, group)).map_err(|error| SourceError::Fatal(error.to_string()))
        };
        links.iter().map(group).collect()
    }

    /// Links the supergroup that a linked group has become, before anything of it is read.
    async fn follow(&self, notes: &[Note], links: &BTreeMap<i64, Group>) -> Result<(), SourceError> {
        for note in notes {
            if let Note::Migrated { from, to } = note
                && let Some(group) = links.get(from)
            {
                let (tenant_id, group_id) = (group.tenant_id().to_owned(), group.group_id().to_owned());
                let link = TelegramChat { chat_id: *to, tenant_id, group_id };
                self.store.link_telegram_chat(&link).await.map_err(store_error)?;
            }
        }
        Ok(())
    }

    /// Links the chat that a code was written in, before anything that follows is read. Where the position is not committed
    /// then, the same command comes again and finds the same.
    async fn redeem(&self, turned: &mut Turned) -> Result<(), SourceError> {
        let Some(linking) = turned.linking.take() else { return Ok(()) };
        let (hash, chat) = (linking.code.hash(), linking.chat);
        let redeemed = self.store.redeem_link_code(&hash, chat, &linking.command.id).await;
        let redeemed = redeemed.map_err(store_error)?;
        if redeemed == Redeemed::Linked {
            turned.notes.push(Note::Linked { chat });
        }
        turned.answers.push(linking.answered(redeemed));
        Ok(())
    }

    async fn poll(&mut self, before: &BotPosition) -> Result<(Vec<Read>, bool), CallError> {
        self.introduce().await?;
        let until_mark = before.until_due(now_ms()).unwrap_or(POLL_MAX_MS);
        let wait = Duration::from_millis(until_mark.clamp(1000, POLL_MAX_MS).unsigned_abs());
        if let Some(inbox) = &mut self.inbox {
            return Ok(inbox.receive(&before.offered(now_ms()), UPDATES_MAX, wait).await);
        }
        let answer = self.bot.updates(before.next, UPDATES_MAX, wait).await?;
        let is_drained = answer.len() < UPDATES_MAX;
        let updates = read(answer).ok_or(CallError::Nonsense(reqwest::StatusCode::OK))?;
        let seen = before.seen.offered(before.read_at, now_ms());
        Ok((updates.into_iter().map(|update| update.unless_seen(&seen)).collect(), is_drained))
    }

    /// Turns updates, after a position that has an offset only where they are polled.
    fn turn(&self, before: &BotPosition, updates: Vec<Read>, around: &Around<'_>) -> Turned {
        let Some(inbox) = &self.inbox else { return turn(before, updates, around) };
        let mut turned = turn(&BotPosition { next: None, ..before.clone() }, updates, around);
        inbox.position(before, &mut turned);
        turned
    }
}

impl Source for TelegramBotSource {
    const NAME: &'static str = crate::NAME;

    fn ports(&self) -> Vec<PortSpec> {
        vec![MESSAGES.spec(), ANSWERED.spec()]
    }

    fn identity(&self) -> String {
        format!("bot/{}", self.bot.id())
    }

    async fn next(&mut self, position: Option<&Position>) -> Result<SourceBatch, SourceError> {
        let before = BotPosition::parse(position)?;
        if let Some(inbox) = &mut self.inbox {
            inbox.settle(position);
        }
        let (mut updates, is_drained) = match self.poll(&before).await {
            Ok(polled) => polled,
            Err(error @ CallError::TooMany(wait)) => {
                warn!(%error, "could not poll");
                return Ok(SourceBatch::Idle(wait));
            }
            Err(error) => return Err(SourceError::Transient(Box::new(error))),
        };
        // What comes after is looked up once the chat is linked.
        let is_cut = cut_after_link(&mut updates);
        let links = self.groups(&updates).await?;
        let chats: Vec<i64> = links.keys().copied().collect();
        let of_sessions = self.store.chats_of_sessions(&chats).await.map_err(store_error)?;
        let identity = self.identity();
        let now = now_ms();
        let bot = self.me.as_ref().and_then(|me| me.name.as_deref());
        let is_drained = is_drained && !is_cut;
        let around =
            Around { identity: &identity, links: &links, of_sessions: &of_sessions, bot, now, is_drained };
        let mut turned = self.turn(&before, updates, &around);
        self.follow(&turned.notes, &links).await?;
        self.redeem(&mut turned).await?;
        self.run_errands(&mut turned, (&identity, bot)).await?;
        if turned.position == before {
            return Ok(SourceBatch::Idle(IDLE));
        }
        let Turned { records, answers, position, skipped, notes, .. } = turned;
        for note in &notes {
            if !matches!(note, Note::Unlinked { chat } if !self.named.insert(*chat)) {
                tell(note);
            }
        }
        self.passed_over = skipped;
        let mut emissions: Vec<Emission> = records.into_iter().map(|record| MESSAGES.emit(record)).collect();
        emissions.extend(answers.into_iter().map(|answer| ANSWERED.emit(answer)));
        let position = position.encode()?;
        if let Some(inbox) = &mut self.inbox {
            inbox.give(&position);
        }
        Ok(SourceBatch::Records { emissions, position })
    }

    fn passed_over(&mut self) -> Vec<(&'static str, u64)> {
        std::mem::take(&mut self.passed_over).into_iter().collect()
    }
}

/// Leaves what follows the link of a chat for the next call; true where there was something.
fn cut_after_link(updates: &mut Vec<Read>) -> bool {
    let linked = updates.iter().position(Read::ends_a_turn).map_or(updates.len(), |index| index + 1);
    let is_cut = linked < updates.len();
    updates.truncate(linked);
    is_cut
}

pub(crate) fn store_error(error: state::Error) -> SourceError {
    if error.is_transient() {
        SourceError::Transient(Box::new(error))
    } else {
        SourceError::Fatal(format!("could not look up the groups of chats: {}", error.describe()))
    }
}

fn tell(note: &Note) {
    match note {
        Note::Gap { from, to } => warn!(
            from,
            to,
            missing = to - from,
            "updates were lost: Telegram keeps them for 24 hours, and gives them once; another program may have read \
             them; import an export of the chats to fill the gap"
        ),
        Note::Renumbered { from, to } => {
            info!(from, to, "Telegram numbers updates anew, as after a quiet week");
        }
        Note::Membership { chat, status } => info!(chat, status, "the bot's membership changed"),
        Note::Migrated { from, to } => {
            info!(from, to, "a group goes on as a supergroup, which is linked too");
        }
        Note::Linked { chat } => info!(chat, "a chat was linked by a code: see `gistmill group links`"),
        Note::Unlinked { chat } => {
            info!(chat, "messages were passed over: link the chat with `gistmill group link`");
        }
    }
}
