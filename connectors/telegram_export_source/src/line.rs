//! The documented shape of a line: a message state, or how far the lane is complete. See the README.

use crate::{
    date::{self, Zone},
    draft::{Draft, Item},
    lines::Line,
    repair::{Counts, repaired},
};
use ingest::{RichText, TEXT_BYTES_MAX};
use schemas::{Author, Entity, Forward, Media, Message, MessageKind, Reaction};
use serde::Deserialize;
use text::pii;

/// A line that is not JSON: the input is broken, not the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadLine(pub(crate) String);

/// What a line is, `None` for a blank one; `slips` becomes what was repaired in it.
pub(crate) fn parse(line: &Line, slips: &mut Counts) -> Result<Option<Item>, BadLine> {
    if line.is_blank() {
        return Ok(None);
    }
    if line.is_too_long {
        return Ok(Some(Item::Skipped("too_large")));
    }
    let (bytes, undone) = repaired(&line.bytes);
    *slips = undone;
    match serde_json::from_slice::<Shape>(&bytes) {
        Ok(shape) => Ok(Some(shape.item())),
        Err(error) if error.is_data() => Ok(Some(Item::Skipped("bad_shape"))),
        Err(_) if line.bytes.starts_with(b"\x1f\x8b") => {
            Err(BadLine("gzip: pipe it through gzip -dc".to_owned()))
        }
        Err(_) if line.bytes.trim_ascii() == b"{" => {
            Err(BadLine("a document over several lines: give an export as a file, by its name".to_owned()))
        }
        // serde_json's message quotes nothing of the line.
        Err(error) => Err(BadLine(error.to_string())),
    }
}

#[derive(Deserialize)]
struct Shape {
    id: Option<i64>,
    kind: Option<String>,
    revision: Option<i64>,
    edited_at: Option<Stamp>,
    deleted_at: Option<Stamp>,
    sent_at: Option<Stamp>,
    author: Option<ShapeAuthor>,
    text: Option<String>,
    entities: Option<Vec<Entity>>,
    reply_to: Option<i64>,
    topic_id: Option<i64>,
    media: Option<Media>,
    forward: Option<ShapeForward>,
    reactions: Option<Vec<Reaction>>,
    complete_until: Option<Stamp>,
}

#[derive(Deserialize)]
struct ShapeAuthor {
    id: Id,
    name: Option<String>,
    #[serde(default)]
    is_bot: bool,
}

#[derive(Deserialize)]
struct ShapeForward {
    from: String,
    sent_at: Option<Stamp>,
}

/// A number or a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Text(String),
}

/// ms or seconds since the epoch, or RFC 3339.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stamp {
    Number(i64),
    Text(String),
}

impl Stamp {
    fn ms(&self) -> Option<i64> {
        match self {
            Self::Number(number) => date::from_number(*number),
            Self::Text(text) => date::from_told(text),
        }
    }
}

impl Shape {
    fn item(self) -> Item {
        match self.try_item() {
            Ok(item) => item,
            Err(reason) => Item::Skipped(reason),
        }
    }

    fn try_item(self) -> Result<Item, &'static str> {
        let Some(id) = self.id else {
            let until = self.complete_until.ok_or("no_id")?;
            return until.ms().map(Item::CompleteUntil).ok_or("bad_date");
        };
        let sent_at = self.sent_at.as_ref().ok_or("no_date")?.ms().ok_or("bad_date")?;
        let (kind, revision) = self.state()?;
        let is_deleted = kind == MessageKind::Deleted;
        let media = self.media.filter(|_| !is_deleted).map(clean_media);
        let mut text = if is_deleted { RichText::default() } else { rich(self.text, self.entities) };
        ingest::append(&mut text, media.as_ref());
        if text.bytes() > TEXT_BYTES_MAX {
            return Err("too_large");
        }
        let message = Message {
            id,
            revision,
            kind: kind.as_str().to_owned(),
            author: self.author.map(ShapeAuthor::author),
            sent_at,
            text: String::new(),
            entities: Vec::new(),
            reply_to: self.reply_to,
            topic_id: self.topic_id,
            media,
            forward: self.forward.filter(|_| !is_deleted).map(ShapeForward::forward),
            reactions: self
                .reactions
                .filter(|_| !is_deleted)
                .unwrap_or_default()
                .into_iter()
                .map(clean)
                .collect(),
        };
        Ok(Item::Message(Box::new(Draft { message, text, zone: Zone::Told })))
    }

    /// What the line says about its message. An original has revision 0 and an edit has not: without a kind the
    /// revision tells, and a revision outranks the word `new`.
    fn state(&self) -> Result<(MessageKind, i64), &'static str> {
        let kind = match self.kind.as_deref() {
            Some(name) => Some(MessageKind::parse(name).ok_or("unknown_kind")?),
            None => None,
        };
        let stamp = match kind {
            Some(MessageKind::Deleted) => self.deleted_at.as_ref().or(self.edited_at.as_ref()),
            _ => self.edited_at.as_ref(),
        };
        let revision = match (self.revision, stamp) {
            (Some(revision), _) if revision < 0 => return Err("bad_revision"),
            (Some(revision), _) => revision,
            (None, Some(stamp)) => stamp.ms().ok_or("bad_revision")?,
            (None, None) => 0,
        };
        match kind {
            Some(MessageKind::Deleted) => Ok((MessageKind::Deleted, revision)),
            Some(MessageKind::Edited) if revision == 0 => Err("no_revision"),
            _ if revision > 0 => Ok((MessageKind::Edited, revision)),
            _ => Ok((MessageKind::New, 0)),
        }
    }
}

fn rich(text: Option<String>, entities: Option<Vec<Entity>>) -> RichText {
    let is_marked = entities.is_some();
    let mut rich = RichText::from_entities(text.unwrap_or_default(), entities.unwrap_or_default());
    if !is_marked {
        rich.mark_links();
    }
    rich
}

impl ShapeAuthor {
    fn author(self) -> Author {
        let id = match self.id {
            Id::Number(id) => id.to_string(),
            Id::Text(id) => without_nul(id),
        };
        let name = self.name.filter(|name| !name.is_empty());
        let name = name.map_or_else(|| id.clone(), |name| pii::mask(&without_nul(name)).into_owned());
        Author { id, name, is_bot: self.is_bot }
    }
}

impl ShapeForward {
    fn forward(self) -> Forward {
        let from = pii::mask(&without_nul(self.from)).into_owned();
        Forward { from, sent_at: self.sent_at.as_ref().and_then(Stamp::ms) }
    }
}

fn clean_media(media: Media) -> Media {
    let masked = |text: &str| pii::mask(&text.replace('\0', "")).into_owned();
    Media {
        kind: without_nul(media.kind),
        file_name: media.file_name.map(|name| masked(&name)),
        mime_type: media.mime_type.map(without_nul),
        size_bytes: media.size_bytes,
        poll: media.poll.map(|poll| poll.map_texts(masked)),
        checklist: media.checklist.map(|list| list.map_texts(masked)),
    }
}

fn clean(reaction: Reaction) -> Reaction {
    Reaction { emoji: without_nul(reaction.emoji), count: reaction.count }
}

/// Postgres cannot store it.
fn without_nul(mut text: String) -> String {
    text.retain(|c| c != '\0');
    text
}
