//! What a version of a digest means for one target: messages to be there, or a notice in the place of older ones.

use crate::{
    CHANNEL,
    answer::Answer,
    keyboard::Keyboard,
    post::{Post, posts},
    rich::rich_message,
    target::Target,
};
use delivery::{
    effects::{Call, CallKind, Wanted},
    of_ready,
};
use rendering::{Paragraph, View};
use runtime::SinkError;
use schemas::{DigestBlocked, DigestReadyForDelivery, GroupCommandAnswered, Version, WindowRef};
use serde_json::Value;
use state::{Delivery, DeliveryStatus, Effect, Subscriber, TargetState};
use text::Language;

/// What a job is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A digest.
    Digest,
    /// A digest for one who has subscribed to the group.
    Copy,
    /// A version that was blocked.
    Blocked,
    /// What is said to somebody who wrote a command.
    Answer,
    /// That a digest cannot be told to the one who asked for it.
    Undelivered,
}

/// How a message gets to where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is posted to the target.
    Plain,
    /// It is posted to the chat, and one person alone sees it.
    Ephemeral,
    /// It is posted to the chat with the person alone.
    Private,
    /// The chat is told how the person can be reached.
    Notice,
}

/// A version of a delivery.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// Its first part.
    pub(crate) delivery: Delivery<'a>,
    /// What is wanted of the ledger.
    pub(crate) wanted: Wanted,
    posts: Vec<Post>,
    /// The digest as one rich message, where it is to be one.
    rich: Option<Value>,
    emptied: Post,
    target: Option<Target>,
    kind: Kind,
    pub(crate) way: Way,
    /// The message that it answers, where it is not one of its own.
    pub(crate) answers: Option<i64>,
    /// What the digest states, as JSON; none of a version without one.
    pub(crate) stated: Option<String>,
    /// A button below its first part.
    pub(crate) button: Option<Keyboard>,
}

impl<'a> Job<'a> {
    /// A digest and what the version before it stated, as it was remembered.
    pub(crate) fn of_ready(
        ready: &'a DigestReadyForDelivery,
        (delivery, before): (Delivery<'a>, Option<String>),
        versions_kept: u32,
    ) -> Self {
        let view = View::from(ready);
        // What another version of this program remembers otherwise is compared with nothing.
        let before = before.and_then(|before| serde_json::from_str(&before).ok());
        let note = before.and_then(|before| rendering::changed(&before, &view));
        // Strings and numbers only: there is nothing that JSON could refuse.
        let stated = serde_json::to_string(&rendering::stated(&view)).ok();
        let posts = posts(&rendering::rich(&view, note.as_deref()));
        let emptied = rendering::emptied_part(&ready.delivery_payload.language);
        let mut job = Self::of((Kind::Digest, delivery), posts, emptied, versions_kept);
        job.rich = rich_message(&rendering::rich_blocks(&view, note.as_deref()));
        if job.rich.is_some() {
            job.wanted.parts = 1;
        }
        Self { stated, ..job }
    }

    /// What is said to somebody who wrote a command.
    pub(crate) fn of_answer(answered: &'a GroupCommandAnswered, versions_kept: u32) -> Self {
        let delivery = Delivery {
            tenant_id: &answered.tenant_id,
            group_id: &answered.group_id,
            window_id: &answered.command_id,
            digest_id: &answered.command_id,
            version: Version::NO_DIGEST,
            channel: CHANNEL,
            chat: &answered.chat,
            part: 1,
        };
        let paragraph = |text: &str| Paragraph { text: text.to_owned(), ..Paragraph::default() };
        let posts = posts(&answered.text.split("\n\n").map(paragraph).collect::<Vec<_>>());
        let emptied = rendering::emptied_part(&answered.language);
        let job = Self::of((Kind::Answer, delivery), posts, emptied, versions_kept);
        Self { answers: answered.reply_to, ..job }
    }

    /// Why there is no digest, for somebody who asked for one in the chat.
    pub(crate) fn of_refusal(blocked: &'a DigestBlocked, delivery: Delivery<'a>, versions_kept: u32) -> Self {
        let language = Language::parse(&blocked.window.settings.language).unwrap_or(Language::En);
        let text = commands::words(language).blocked(&blocked.reason);
        let posts = vec![Post::plain(&text)];
        Self::of((Kind::Answer, delivery), posts, rendering::emptied_part(language.code()), versions_kept)
    }

    /// The same for one who has subscribed, with a button that ends the subscription.
    pub(crate) fn into_copy(self, subscriber: &Subscriber, language: &str) -> Self {
        let words = commands::words(Language::parse(language).unwrap_or(Language::En));
        let button = Keyboard::of(words.unsubscribe_button, format!("unsubscribe:{}", subscriber.id));
        Self { kind: Kind::Copy, button: Some(button), ..self }
    }

    /// The same for one who has subscribed no longer: it corrects what is there.
    pub(crate) fn into_correction(self) -> Self {
        Self { kind: Kind::Copy, wanted: Wanted { may_begin: false, ..self.wanted }, ..self }
    }

    /// The same as text with entities.
    pub(crate) fn into_text(mut self) -> Self {
        self.rich = None;
        self.wanted.parts = parts(&self.posts);
        self
    }

    /// What is wanted, now that the ledger knows this much: a version whose first part is done has the parts that it was
    /// begun with, also where it would be cut otherwise today.
    pub(crate) fn wanted(&self, effects: &[Effect]) -> Wanted {
        let own = || effects.iter().filter(|it| it.version == self.wanted.version && it.part > 0);
        let has_begun = own().any(|it| it.part == 1 && it.status == self.wanted.done);
        let begun = own().map(|it| it.part).max().filter(|_| has_begun && self.wanted.may_begin);
        Wanted { parts: begun.unwrap_or(self.wanted.parts), ..self.wanted }
    }

    /// The rich message that a call puts there, if it is one.
    pub(crate) fn rich(&self, call: &Call) -> Option<&Value> {
        self.rich.as_ref().filter(|_| call.part == 1 && !matches!(call.kind, CallKind::Blank { .. }))
    }

    /// The delivery of a digest, read at `offset`.
    ///
    /// # Errors
    /// [`SinkError::Poison`] for one that the ledger cannot hold.
    pub(crate) fn delivery(
        ready: &'a DigestReadyForDelivery,
        offset: i64,
    ) -> Result<Delivery<'a>, SinkError> {
        let chat = ready.window.settings.chat.as_deref().unwrap_or_default();
        of_ready(ready, offset, (CHANNEL, chat))
    }

    /// A version without a digest: older ones are edited to say that they do not hold any more.
    pub(crate) fn of_blocked(window: &WindowRef, delivery: Delivery<'a>, versions_kept: u32) -> Self {
        let posts = posts(&rendering::withdrawn(window));
        let emptied = rendering::emptied_part(&window.settings.language);
        Self::of((Kind::Blocked, delivery), posts, emptied, versions_kept)
    }

    fn of(
        (kind, delivery): (Kind, Delivery<'a>),
        posts: Vec<Post>,
        emptied: &str,
        versions_kept: u32,
    ) -> Self {
        let is_blocked = kind == Kind::Blocked;
        let wanted = Wanted {
            version: delivery.version,
            parts: parts(&posts),
            may_begin: !is_blocked,
            done: if is_blocked { DeliveryStatus::Withdrawn } else { DeliveryStatus::Sent },
            versions_kept,
        };
        let target = Target::parse(delivery.chat);
        let (emptied, rich, answers, stated, button) = (Post::plain(emptied), None, None, None, None);
        let way = Way::Plain;
        Self { delivery, wanted, posts, rich, emptied, target, kind, way, answers, stated, button }
    }

    /// True for what one person alone is to see.
    pub(crate) fn is_personal(&self) -> bool {
        self.target.as_ref().is_some_and(|target| target.person.is_some())
    }

    /// The same for one person alone, as text.
    pub(crate) fn into_personal(self, takes_ephemeral: bool) -> Self {
        let way = if takes_ephemeral { Way::Ephemeral } else { Way::Private };
        Self { way, ..self.into_text() }
    }

    /// The next way after one by which the person cannot be reached.
    pub(crate) fn by_another_way(self, language: &str) -> Self {
        if self.way == Way::Ephemeral {
            return Self { way: Way::Private, ..self };
        }
        let language = Language::parse(language).unwrap_or(Language::En);
        let kind = if self.kind == Kind::Digest { Kind::Undelivered } else { self.kind };
        let posts = vec![Post::plain(commands::words(language).open_me)];
        Self { way: Way::Notice, kind, posts, ..self }.into_text()
    }

    /// Whether there is another way, after this answer to a new message.
    pub(crate) fn has_another_way(&self, answer: &Answer) -> bool {
        match self.way {
            Way::Ephemeral => matches!(answer, Answer::NoChat(_) | Answer::Refused(_)),
            Way::Private => matches!(answer, Answer::NoChat(_)),
            Way::Plain | Way::Notice => false,
        }
    }

    /// True for a digest, which is told of when it is there or failed.
    pub(crate) fn is_digest(&self) -> bool {
        self.kind == Kind::Digest
    }

    /// True for a digest of one who has subscribed.
    pub(crate) fn is_copy(&self) -> bool {
        self.kind == Kind::Copy
    }

    /// True for what only ends the subscription of who does not let the bot write: a copy, or what withdraws one.
    pub(crate) fn is_in_a_private_chat(&self) -> bool {
        let is_private = || self.target.as_ref().is_some_and(|target| !target.is_group());
        self.is_copy() || self.kind == Kind::Blocked && is_private()
    }

    /// True for a digest of which its reader was told alone how to get it.
    pub(crate) fn is_undelivered(&self) -> bool {
        self.kind == Kind::Undelivered
    }

    /// True for a version that was blocked: what older ones posted is withdrawn.
    pub(crate) fn is_blocked(&self) -> bool {
        self.kind == Kind::Blocked
    }

    /// A part of the delivery.
    pub(crate) fn part(&self, part: i32) -> Delivery<'a> {
        Delivery { part, ..self.delivery }
    }

    /// What a call puts there.
    pub(crate) fn post(&self, call: &Call) -> &Post {
        let index = usize::try_from(call.part - 1).unwrap_or(usize::MAX);
        match call.kind {
            CallKind::Blank { .. } => &self.emptied,
            CallKind::Post { .. } | CallKind::Edit { .. } => self.posts.get(index).unwrap_or(&self.emptied),
        }
    }

    /// Where it goes.
    ///
    /// # Errors
    /// Why it goes nowhere.
    pub(crate) fn target(&self, known: &TargetState) -> Result<Target, String> {
        if let Some(why) = &known.disabled {
            return Err(format!("the target is disabled: {why}"));
        }
        match &self.target {
            Some(target) => {
                let target = target.clone().moved(known.moved_to.as_deref());
                Ok(match self.way {
                    Way::Plain | Way::Ephemeral => target,
                    Way::Private => target.private(),
                    Way::Notice => target.public(),
                })
            }
            None if self.delivery.chat.is_empty() => Err("the group's settings name no chat".to_owned()),
            None => Err("the chat in the group's settings is neither a number nor @name, maybe with /TOPIC"
                .to_owned()),
        }
    }
}

fn parts(posts: &[Post]) -> i32 {
    i32::try_from(posts.len()).unwrap_or(i32::MAX)
}
