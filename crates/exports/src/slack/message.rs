//! A message as Slack exports it. Unknown fields are ignored.

use super::{
    text as written,
    users::{Profile, Users},
};
use crate::entry::{Entry, Parts, deleted, media};
use ingest::{
    RichText,
    date::{self, Zone},
};
use schemas::{Author, Media, Reaction};
use serde::Deserialize;
use text::pii;

/// Subtypes that people and bots write; all others tell of an event.
const WRITTEN: [&str; 8] = [
    "bot_message",
    "me_message",
    "thread_broadcast",
    "file_share",
    "file_comment",
    "reply_broadcast",
    "slackbot_response",
    "document_mention",
];

#[derive(Debug, Default, Deserialize)]
pub(super) struct Shape {
    subtype: Option<String>,
    ts: Option<String>,
    user: Option<String>,
    bot_id: Option<String>,
    username: Option<String>,
    text: Option<String>,
    thread_ts: Option<String>,
    edited: Option<Edited>,
    #[serde(default)]
    files: Vec<File>,
    file: Option<File>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    #[serde(default)]
    reactions: Vec<ShapeReaction>,
    user_profile: Option<Profile>,
    bot_profile: Option<Profile>,
    /// The message that `message_changed` is about, as it is now.
    message: Option<Box<Shape>>,
    /// The message that `message_deleted` is about.
    deleted_ts: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Edited {
    ts: Option<String>,
}

#[derive(Debug, Deserialize)]
struct File {
    name: Option<String>,
    mimetype: Option<String>,
    size: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Attachment {
    title: Option<String>,
    text: Option<String>,
    fallback: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ShapeReaction {
    name: String,
    count: i32,
}

impl Shape {
    /// True for something that has a time stamp of Slack's.
    pub(super) fn is_stamped(&self) -> bool {
        self.ts.as_deref().and_then(stamp).is_some()
    }

    /// The entry of a message.
    pub(super) fn entry(self, users: &Users) -> Entry {
        let at = self.ts.as_deref().and_then(stamp);
        match self.subtype.as_deref() {
            Some("message_changed") => match self.message {
                Some(message) => message.written(at, users),
                None => Entry::Skipped("bad_shape"),
            },
            Some("message_deleted") => match (self.deleted_ts.as_deref().and_then(stamp), at) {
                (Some(id), Some(at)) => deleted(id, ms(id), ms(at)),
                _ => Entry::Skipped("bad_shape"),
            },
            Some("tombstone") => Entry::Skipped("deleted"),
            Some(subtype) if !WRITTEN.contains(&subtype) => Entry::Skipped("service"),
            _ => self.written(None, users),
        }
    }

    /// A message; `changed_at` is when, if that is what is told of it.
    fn written(self, changed_at: Option<i64>, users: &Users) -> Entry {
        let Some(ts) = &self.ts else { return Entry::Skipped("no_id") };
        let Some(id) = stamp(ts) else { return Entry::Skipped("bad_date") };
        let edited_at = self.edited.as_ref().and_then(|edited| stamp(edited.ts.as_deref()?)).or(changed_at);
        let thread = self.thread_ts.as_deref().and_then(stamp);
        let parts = Parts {
            id,
            sent_at: ms(id),
            edited_at: edited_at.map(ms),
            text: self.rich_text(users),
            reply_to: thread.filter(|thread| *thread != id),
            media: self.media(),
            author: self.author(users),
            reactions: self.reactions.into_iter().filter_map(ShapeReaction::reaction).collect(),
            topic_id: None,
            forward: None,
        };
        if parts.is_silent() { Entry::Skipped("no_text") } else { parts.entry(Zone::Told) }
    }

    /// What is written; of a bot's message that has only cards, those.
    fn rich_text(&self, users: &Users) -> RichText {
        if let Some(text) = self.text.as_deref().filter(|text| !text.is_empty()) {
            return written::read(text, users);
        }
        let cards = self.attachments.iter().filter_map(|card| match (&card.title, &card.text) {
            (Some(title), Some(text)) => Some(format!("{title}\n{text}")),
            (title, text) => title.clone().or_else(|| text.clone()).or_else(|| card.fallback.clone()),
        });
        written::read(&cards.collect::<Vec<_>>().join("\n"), users)
    }

    fn media(&self) -> Option<Media> {
        let file = self.files.first().or(self.file.as_ref())?;
        let kind = match file.mimetype.as_deref().and_then(|kind| kind.split('/').next()) {
            Some("image") => "photo",
            Some("video") => "video_file",
            Some("audio") => "audio_file",
            _ => "file",
        };
        let (mime_type, size_bytes) = (file.mimetype.clone().map(|kind| kind.replace('\0', "")), file.size);
        Some(Media { mime_type, size_bytes, ..media(kind, file.name.clone()) })
    }

    fn author(&self, users: &Users) -> Option<Author> {
        let id = self.user.as_deref().filter(|id| !id.is_empty());
        let is_bot = self.bot_id.is_some() || id.is_some_and(|id| users.is_bot(id));
        let own = self.username.as_deref().filter(|name| !name.is_empty());
        let profile =
            |profile: &'_ Option<Profile>| profile.as_ref().and_then(Profile::shown).map(str::to_owned);
        let name = id.and_then(|id| users.name(id)).map(str::to_owned);
        let name = name.or_else(|| profile(&self.user_profile)).or_else(|| own.map(str::to_owned));
        let name = name.or_else(|| profile(&self.bot_profile));
        let id = id.or(self.bot_id.as_deref()).or(own)?.replace('\0', "");
        let name = name.unwrap_or_else(|| id.clone());
        let name = pii::mask(&name.replace('\0', "")).into_owned();
        Some(Author { id: format!("slack:{id}"), name, is_bot })
    }
}

impl ShapeReaction {
    fn reaction(self) -> Option<Reaction> {
        let emoji = format!(":{}:", self.name.replace('\0', ""));
        (self.count > 0).then_some(Reaction { emoji, count: self.count })
    }
}

/// Microseconds of `1700000000.123456`, if that is a usable date.
fn stamp(ts: &str) -> Option<i64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || fraction.len() > 6 || !is_digits(seconds) || !is_digits(fraction) {
        return None;
    }
    let micros = format!("{seconds}{fraction:0<6}").parse().ok()?;
    date::in_range(ms(micros)).map(|_| micros)
}

fn ms(micros: i64) -> i64 {
    micros / 1000
}
