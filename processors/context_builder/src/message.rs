//! Messages as the stages see them: ordered, redacted, flattened.
//!
//! Invariant: one message per id, by (`sent_at`, id); no text, name or link leaves without having been masked.

use crate::links;
use schemas::{Checklist, ContextMessage, Message, Poll};
use std::borrow::Cow;
use text::Language;

/// Bytes of a message on the wire beside its texts: numbers, lengths, flags.
const FIXED_BYTES: usize = 96;
/// Tokens of a message in a prompt beside its text and author: id, time, line.
const FIXED_TOKENS: usize = 8;

/// Turns what was read into what the stages see, and tells how many texts had to be masked.
pub(crate) fn prepare(mut read: Vec<Message>) -> (Vec<ContextMessage>, i64) {
    read.sort_by_key(|message| (message.id, std::cmp::Reverse(message.revision)));
    read.dedup_by_key(|message| message.id);
    read.sort_by_key(|message| (message.sent_at, message.id));
    let mut redacted = 0;
    let messages = read
        .into_iter()
        .map(|message| {
            let (message, masked) = flatten(message);
            redacted += i64::from(masked);
            message
        })
        .collect();
    (messages, redacted)
}

fn flatten(message: Message) -> (ContextMessage, bool) {
    let text = text::pii::mask(&message.text);
    let masked = matches!(text, Cow::Owned(_));
    let links = links::links(&text, &message.entities);
    let (author_id, author_name, is_bot) = match message.author {
        Some(author) => (author.id, text::pii::mask(&author.name).into_owned(), author.is_bot),
        None => Default::default(),
    };
    let reactions = message.reactions.iter().map(|reaction| reaction.count.max(0));
    let media = message.media.unwrap_or_default();
    let mask = |text: &str| text::pii::mask(text).into_owned();
    let flat = ContextMessage {
        id: message.id,
        revision: message.revision,
        author_id,
        author_name,
        is_bot,
        sent_at: message.sent_at,
        links,
        reply_to: message.reply_to,
        topic_id: message.topic_id,
        media_kind: Some(media.kind).filter(|kind| !kind.is_empty()),
        forwarded: message.forward.is_some(),
        reactions: reactions.fold(0, i32::saturating_add),
        rank: 0.0,
        in_budget: false,
        duplicate_of: None,
        poll: media.poll.map(|poll| poll.map_texts(mask)),
        checklist: media.checklist.map(|list| list.map_texts(mask)),
        text: text.into_owned(),
    };
    (flat, masked)
}

/// Names those whose account is gone and whose name nobody has kept.
pub(crate) fn name_deleted(messages: &mut [ContextMessage], language: Language) {
    let name = match language {
        Language::Ru => "Удалённый аккаунт",
        Language::En => "Deleted account",
    };
    for message in messages {
        if message.author_name.is_empty() && !message.author_id.is_empty() {
            name.clone_into(&mut message.author_name);
        }
    }
}

/// Stems of the content words of each message.
pub(crate) fn lemmas(messages: &[ContextMessage]) -> Vec<Vec<String>> {
    messages.iter().map(|message| text::lemmas(&message.text)).collect()
}

/// Bytes of a message on the wire, by an upper estimate.
pub(crate) fn encoded_bytes(message: &ContextMessage) -> usize {
    let texts = [&message.text, &message.author_id, &message.author_name];
    let texts = texts.into_iter().chain(&message.links).chain(&message.media_kind).map(String::as_str);
    let polled = message.poll.iter().flat_map(Poll::texts);
    let listed = message.checklist.iter().flat_map(Checklist::texts);
    // A text, its length, and the vote or mark beside it.
    texts.chain(polled).chain(listed).map(|text| text.len() + 11).sum::<usize>() + FIXED_BYTES
}

/// Tokens of a message in a prompt, by estimate.
pub(crate) fn prompt_tokens(message: &ContextMessage) -> usize {
    text::token_estimate(&message.text) + text::token_estimate(&message.author_name) + FIXED_TOKENS
}
