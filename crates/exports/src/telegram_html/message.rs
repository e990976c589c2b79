//! A message of a page → what it is for this pipeline.

use super::{media::RawMedia, text::Text};
use crate::entry::{Entry, Parts};
use ingest::{
    Topics,
    date::{self, Zone},
};
use jiff::{civil::DateTime, tz::TimeZone};
use schemas::{Author, Forward, Reaction};

/// What the exporter calls an account that is gone.
const NOBODY: &str = "Deleted Account";
/// How the exporter tells of a new topic, behind its maker's name.
const TOPIC: &str = " created topic «";

/// A message as it stands on a page.
#[derive(Debug, Default)]
pub(super) struct Raw {
    /// Negative for a line with a date between messages.
    pub(super) id: Option<i64>,
    pub(super) is_service: bool,
    /// By the author of the message above, whose name is not repeated.
    pub(super) is_joined: bool,
    pub(super) service: String,
    pub(super) date: Option<String>,
    pub(super) from: Option<String>,
    pub(super) is_forwarded: bool,
    pub(super) forwarded_from: Option<String>,
    pub(super) forwarded_date: Option<String>,
    pub(super) reply_to: Option<i64>,
    pub(super) media: Option<RawMedia>,
    pub(super) text: Text,
    pub(super) reactions: Vec<RawReaction>,
}

/// A reaction as it stands on a page.
#[derive(Debug, Default)]
pub(super) struct RawReaction {
    pub(super) emoji: String,
    pub(super) count: String,
    /// Pictures of people who reacted.
    pub(super) users: i32,
    pub(super) is_paid: bool,
    /// The emoji is a picture of its own.
    pub(super) is_custom: bool,
}

/// What a joined message has from the one above it.
#[derive(Debug, Default)]
pub(super) struct Before {
    author: Option<Author>,
    forward: Option<Forward>,
}

impl Raw {
    /// The entry; `None` for what is no message of the chat.
    pub(super) fn entry(self, before: &mut Before, topics: &mut Topics, zone: &TimeZone) -> Option<Entry> {
        let Some(id) = self.id else { return Some(Entry::Skipped("no_id")) };
        if self.is_service {
            return (id > 0).then(|| service(id, &self.service, topics));
        }
        let author = match &self.from {
            Some(name) => author(name),
            None if self.is_joined => before.author.clone(),
            None => None,
        };
        let forward = match (&self.forwarded_from, self.is_forwarded) {
            (Some(name), _) => forward(name, self.forwarded_date.as_deref(), zone),
            (None, true) if self.is_joined => before.forward.clone(),
            (None, _) => None,
        };
        *before = Before { author: author.clone(), forward: forward.clone() };
        if self.media.as_ref().is_some_and(RawMedia::is_call) {
            return Some(Entry::Skipped("service"));
        }
        let (reply_to, topic_id) = topics.settle(id, self.reply_to);
        let Some(date) = &self.date else { return Some(Entry::Skipped("no_date")) };
        let Some((sent_at, zone)) = stamp(date, zone) else { return Some(Entry::Skipped("bad_date")) };
        if self.text.is_too_large {
            return Some(Entry::Skipped("too_large"));
        }
        let media = self.media.map(RawMedia::finish);
        let reactions = self.reactions.into_iter().filter_map(RawReaction::finish).collect();
        let text = self.text.finish();
        let parts = Parts {
            id,
            sent_at,
            author,
            text,
            reply_to,
            topic_id,
            media,
            forward,
            reactions,
            edited_at: None,
        };
        Some(parts.entry(zone))
    }
}

fn service(id: i64, text: &str, topics: &mut Topics) -> Entry {
    if text.contains(TOPIC) {
        topics.create(id);
        return Entry::Topic(id);
    }
    let is_unsupported = text.trim_start().starts_with("This message is not supported");
    Entry::Skipped(if is_unsupported { "unsupported" } else { "service" })
}

/// By a name: HTML tells no ids. Behind it may stand the bot by which it was written.
fn author(name: &str) -> Option<Author> {
    let name = without_bot(name.trim());
    ingest::author(Some(name.to_owned()).filter(|name| name != NOBODY), None)
}

fn without_bot(name: &str) -> &str {
    match name.rsplit_once(" via @") {
        Some((name, bot)) if !bot.contains(' ') => name.trim_end(),
        _ => name,
    }
}

fn forward(name: &str, date: Option<&str>, zone: &TimeZone) -> Option<Forward> {
    let name = without_bot(name.trim());
    let forward = ingest::forward(Some(name.to_owned()))?;
    let sent_at = date.and_then(|date| stamp(date, zone)).map(|(ms, _)| ms);
    Some(Forward { sent_at, ..forward })
}

impl RawReaction {
    fn finish(self) -> Option<Reaction> {
        let count = super::media::number(&self.count).max(self.users);
        let emoji = match self.emoji.trim() {
            _ if self.is_paid => "paid",
            _ if self.is_custom => "custom_emoji",
            emoji => emoji,
        };
        let emoji = emoji.replace('\0', "");
        (count > 0 && !emoji.is_empty()).then_some(Reaction { emoji, count })
    }
}

/// `31.12.2023 21:41:05 UTC+03:00`; older exports have no zone.
fn stamp(text: &str, zone: &TimeZone) -> Option<(i64, Zone)> {
    let mut words = text.split_whitespace();
    let (day, time, offset) = (words.next()?, words.next()?, words.next());
    let mut numbers = day.split('.');
    let (day, month, year) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let local: DateTime = format!("{year}-{month}-{day}T{time}").parse().ok()?;
    let Some(offset) = offset else { return date::local(local, zone) };
    date::read(&format!("{local}{}", offset.strip_prefix("UTC")?), zone)
}
