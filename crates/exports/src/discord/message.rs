//! A message as DiscordChatExporter writes it. Unknown fields are ignored.

use crate::entry::{Entry, Parts, media};
use ingest::{
    RichText,
    date::{self, Zone},
};
use schemas::{Author, Forward, Media, Reaction};
use serde::Deserialize;
use text::pii;

/// Types of messages that people and bots write; all others tell of an event.
const WRITTEN: [&str; 9] = [
    "Default",
    "Reply",
    "ChatInputCommand",
    "ContextMenuCommand",
    "ApplicationCommand",
    "0",
    "19",
    "20",
    "23",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shape {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    timestamp: Option<String>,
    timestamp_edited: Option<String>,
    content: Option<String>,
    author: Option<ShapeAuthor>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    #[serde(default)]
    embeds: Vec<Embed>,
    #[serde(default)]
    stickers: Vec<Sticker>,
    #[serde(default)]
    reactions: Vec<ShapeReaction>,
    #[serde(default)]
    mentions: Vec<ShapeAuthor>,
    reference: Option<Reference>,
    forwarded_message: Option<Forwarded>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShapeAuthor {
    id: String,
    name: Option<String>,
    nickname: Option<String>,
    #[serde(default)]
    is_bot: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    file_name: Option<String>,
    file_size_bytes: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Embed {
    title: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Sticker {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ShapeReaction {
    emoji: Emoji,
    count: i32,
}

#[derive(Debug, Deserialize)]
struct Emoji {
    id: Option<String>,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    message_id: Option<String>,
    channel_id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Forwarded {
    timestamp: Option<String>,
    content: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

impl Shape {
    /// The entry of a message in this channel.
    pub(super) fn entry(self, channel: &str) -> Entry {
        if self.kind.as_deref().is_some_and(|kind| !WRITTEN.contains(&kind)) {
            return Entry::Skipped("service");
        }
        let Some(id) = self.id.as_deref().and_then(|id| id.parse().ok()) else {
            return Entry::Skipped("no_id");
        };
        let Some(timestamp) = &self.timestamp else { return Entry::Skipped("no_date") };
        let Some(sent_at) = date::from_told(timestamp) else { return Entry::Skipped("bad_date") };
        let parts = Parts {
            id,
            sent_at,
            edited_at: self.timestamp_edited.as_deref().and_then(date::from_told),
            text: self.rich_text(),
            reply_to: self.answered(channel),
            media: self.media(),
            forward: self.forward(),
            author: self.author.map(ShapeAuthor::author),
            reactions: self.reactions.into_iter().filter_map(ShapeReaction::reaction).collect(),
            topic_id: None,
        };
        if parts.is_silent() { Entry::Skipped("no_text") } else { parts.entry(Zone::Told) }
    }

    /// What is written; of a bot's message that has only cards, those.
    fn rich_text(&self) -> RichText {
        let written = self.content.as_deref().filter(|content| !content.is_empty());
        let forwarded = || self.forwarded_message.as_ref()?.content.as_deref();
        let text = if let Some(text) = written.or_else(forwarded) {
            self.readable(text)
        } else {
            let lines = self.embeds.iter().flat_map(|embed| [&embed.title, &embed.description]);
            lines.flatten().map(|line| self.readable(line)).collect::<Vec<_>>().join("\n")
        };
        let mut rich = RichText::default();
        rich.push(&text, None, None);
        rich.mark_links();
        rich
    }

    /// A text with the names of those it mentions, where the exporter left their ids, and names of emoji alone.
    fn readable(&self, text: &str) -> String {
        let mut readable = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            let (before, token) = rest.split_at(start);
            readable.push_str(before);
            let told = token.find('>').and_then(|end| Some((self.token(&token[1..end])?, end)));
            let (told, end) = told.unwrap_or(("<".to_owned(), 0));
            readable.push_str(&told);
            rest = &token[end + 1..];
        }
        readable.push_str(rest);
        readable
    }

    /// What stands for `@123` or `:party:123` in angle brackets.
    fn token(&self, token: &str) -> Option<String> {
        if let Some(id) = token.strip_prefix('@') {
            let id = id.trim_start_matches('!');
            let mentioned = self.mentions.iter().find(|mentioned| mentioned.id == id)?;
            return Some(format!("@{}", mentioned.shown()));
        }
        let name = token.strip_prefix("a:").or_else(|| token.strip_prefix(':'))?;
        let (name, id) = name.rsplit_once(':')?;
        (id.len() > 10 && id.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!(":{name}:"))
    }

    /// The message that it answers, if that is in the same channel.
    fn answered(&self, channel: &str) -> Option<i64> {
        let reference = self.reference.as_ref()?;
        let is_here = reference.channel_id.as_deref().is_none_or(|id| id == channel);
        let is_forward = reference.kind.as_deref().is_some_and(|kind| kind == "Forward" || kind == "1");
        reference.message_id.as_ref().filter(|_| is_here && !is_forward)?.parse().ok()
    }

    fn media(&self) -> Option<Media> {
        let forwarded = self.forwarded_message.iter().flat_map(|forwarded| &forwarded.attachments);
        if let Some(Attachment { file_name, file_size_bytes }) =
            self.attachments.iter().chain(forwarded).next()
        {
            let kind = kind_of_file(file_name.as_deref().unwrap_or_default());
            return Some(Media { size_bytes: *file_size_bytes, ..media(kind, file_name.clone()) });
        }
        self.stickers.first().map(|sticker| media("sticker", sticker.name.clone()))
    }

    fn forward(&self) -> Option<Forward> {
        let forwarded = self.forwarded_message.as_ref()?;
        let sent_at = forwarded.timestamp.as_deref().and_then(date::from_told);
        Some(Forward { from: "another channel".to_owned(), sent_at })
    }
}

impl ShapeAuthor {
    fn shown(&self) -> &str {
        let nickname = self.nickname.as_deref().filter(|name| !name.is_empty());
        nickname.or(self.name.as_deref()).unwrap_or(&self.id)
    }

    fn author(self) -> Author {
        let name = pii::mask(&self.shown().replace('\0', "")).into_owned();
        Author { id: format!("discord:{}", self.id.replace('\0', "")), name, is_bot: self.is_bot }
    }
}

impl ShapeReaction {
    fn reaction(self) -> Option<Reaction> {
        let is_custom = self.emoji.id.is_some_and(|id| !id.is_empty());
        let emoji = if is_custom { "custom_emoji".to_owned() } else { self.emoji.name.replace('\0', "") };
        (self.count > 0 && !emoji.is_empty()).then_some(Reaction { emoji, count: self.count })
    }
}

/// The kind of a file by its name.
fn kind_of_file(name: &str) -> &'static str {
    let lower = name.to_lowercase();
    match lower.rsplit('.').next().unwrap_or_default() {
        "jpg" | "jpeg" | "png" | "webp" | "heic" => "photo",
        "gif" => "animation",
        "mp4" | "mov" | "webm" | "mkv" => "video_file",
        "mp3" | "wav" | "flac" | "m4a" => "audio_file",
        "ogg" | "opus" => "voice_message",
        _ => "file",
    }
}
