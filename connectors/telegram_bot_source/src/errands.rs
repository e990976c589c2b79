//! What Telegram or the database is asked before a position is committed: who may give a command, who is where.
//!
//! Invariant: an errand may be done again with the same end, since the update that asks for it comes again where the position
//! was not committed.

use crate::{
    TelegramBotSource,
    client::Membership,
    command::words_of,
    permission::Permission,
    source::store_error,
    turn::{Turned, origin},
    wish::{Granted, Tap, Wanted, Wish},
};
use runtime::SourceError;
use state::{Subscription, SubscriptionEnd, TelegramChat};

const ASKED: &str = "the person asked for it";

impl TelegramBotSource {
    /// Does what is left to be done of a turn.
    pub(crate) async fn run_errands(
        &self,
        turned: &mut Turned,
        (identity, bot): (&str, Option<&str>),
    ) -> Result<(), SourceError> {
        self.permit(turned, identity).await?;
        if let Some(wish) = turned.wish.take() {
            let granted = self.grant(&wish).await?;
            turned.answers.push(wish.answered(granted, bot));
        }
        if let Some(tap) = turned.tap.take() {
            self.answer_tap(&tap, turned.position.read_at).await?;
        }
        Ok(())
    }

    /// Asks who gave a command that administrators alone may give. What it changes is in the database before it is in the log.
    async fn permit(&self, turned: &mut Turned, identity: &str) -> Result<(), SourceError> {
        let Some(asking) = turned.asking.take() else { return Ok(()) };
        let permission = match asking.known() {
            Some(known) => known,
            None => match self.standing(asking.chat, asking.person).await? {
                Membership::Administrator => Permission::Granted,
                Membership::Member | Membership::Outside => Permission::Denied,
                Membership::Unseen => Permission::Unseen,
            },
        };
        if permission != Permission::Granted {
            turned.answers.push(asking.refused(permission));
            return Ok(());
        }
        if let Some(mute) = asking.mute() {
            self.store.mute_chat(&mute).await.map_err(store_error)?;
        }
        let origin = origin(&asking.group, identity);
        turned.records.extend(asking.record(&origin));
        Ok(())
    }

    async fn grant(&self, wish: &Wish) -> Result<Granted, SourceError> {
        let end = SubscriptionEnd { at_ms: wish.command.asked_at, why: ASKED };
        match wish.wanted {
            Wanted::Nothing => Ok(Granted::InAGroup),
            Wanted::Begin { .. } | Wanted::End { .. } if wish.person <= 0 => Ok(Granted::Nobody),
            Wanted::EndAll => {
                self.store.unsubscribe_from_all(wish.person, &end).await.map_err(store_error)?;
                Ok(Granted::Ended)
            }
            Wanted::End { of } => {
                let Some(link) = self.link_of(of).await? else { return Ok(Granted::NotLinked) };
                self.store.unsubscribe(&subscription(&link, wish.person), &end).await.map_err(store_error)?;
                Ok(Granted::Ended)
            }
            Wanted::Begin { of } => self.begin(wish, of).await,
        }
    }

    /// Whoever asks has to be in the chat, and the bot has to be allowed to write to them.
    async fn begin(&self, wish: &Wish, of: i64) -> Result<Granted, SourceError> {
        let Some(link) = self.link_of(of).await? else { return Ok(Granted::NotLinked) };
        // Who writes there is there.
        let is_there = wish.chat == of
            || matches!(
                self.standing(of, wish.person).await?,
                Membership::Administrator | Membership::Member
            );
        if !is_there {
            return Ok(Granted::NotThere);
        }
        if !self.bot.can_write(wish.person).await.map_err(away)? {
            return Ok(Granted::NotReached);
        }
        let (subscription, at) = (subscription(&link, wish.person), (of, wish.command.asked_at));
        let is_taken = self.store.subscribe(&subscription, at).await.map_err(store_error)?;
        Ok(if is_taken { Granted::Begun } else { Granted::TooMany })
    }

    /// Ends a subscription by its button, which goes. A query that was answered before, or is too old, needs no answer.
    async fn answer_tap(&self, tap: &Tap, now_ms: i64) -> Result<(), SourceError> {
        let text = match tap.subscription() {
            Some(id) => {
                let end = SubscriptionEnd { at_ms: now_ms, why: ASKED };
                self.store.unsubscribe_by_id((id, tap.person), &end).await.map_err(store_error)?;
                words_of(&tap.language).unsubscribed
            }
            None => "",
        };
        self.bot.answer_query(&tap.query, text).await.map_err(away)?;
        // A private chat has the person's own id.
        let own = tap.message.filter(|(chat, _)| *chat == tap.person && tap.subscription().is_some());
        match own {
            Some(message) => self.bot.take_buttons(message).await.map_err(away),
            None => Ok(()),
        }
    }

    async fn link_of(&self, chat: i64) -> Result<Option<TelegramChat>, SourceError> {
        Ok(self.store.telegram_chats(&[chat]).await.map_err(store_error)?.pop())
    }

    async fn standing(&self, chat: i64, person: i64) -> Result<Membership, SourceError> {
        self.bot.standing(chat, person).await.map_err(away)
    }
}

fn subscription(link: &TelegramChat, person_id: i64) -> Subscription<'_> {
    Subscription { tenant_id: &link.tenant_id, group_id: &link.group_id, person_id }
}

fn away(error: crate::client::CallError) -> SourceError {
    SourceError::Transient(Box::new(error))
}
