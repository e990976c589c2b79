//! An element of `messages` → what it is for this pipeline.

use super::{
    context::Context,
    raw::{Raw, RawMedia},
};
use crate::{
    date::{self, Zone},
    draft::{Draft, Item},
    media_text,
};
use jiff::tz::TimeZone;
use schemas::{Author, Forward, Media, Message, MessageKind};
use text::pii;

/// The item, or why there is none. Of service messages only the creation of a topic is told.
pub(super) fn item(mut raw: Raw, context: &mut Context) -> Item {
    let Context { topics, zone } = context;
    let Some(id) = raw.id else { return Item::Skipped("no_id") };
    match raw.kind.as_deref() {
        Some("message") | None => {}
        Some("service") => {
            if raw.action.as_deref() == Some("topic_created") {
                topics.create(id);
                return Item::Topic(id);
            }
            return Item::Skipped("service");
        }
        Some("unsupported") => return Item::Skipped("unsupported"),
        Some(_) => return Item::Skipped("unknown_type"),
    }
    raw.reply_to = raw.reply_to.filter(|_| !raw.reply_elsewhere);
    let topic_id = raw.reply_to.and_then(|parent| topics.place(id, parent));
    // To answer the message that created a topic is to write in the topic, not to answer anybody.
    raw.reply_to = raw.reply_to.filter(|parent| !topics.is_topic(*parent));
    match dated(&raw, zone) {
        Err(reason) => Item::Skipped(reason),
        Ok(_) if raw.is_too_large => Item::Skipped("too_large"),
        Ok((sent_at, sent_zone)) => {
            let edited = stamp(raw.edited_unixtime.as_deref(), raw.edited.as_deref(), zone);
            let place = Place { id, revision: edited.map(|(ms, _)| ms), sent_at, zone: sent_zone, topic_id };
            Item::Message(Box::new(draft(raw, place)))
        }
    }
}

fn dated(raw: &Raw, zone: &TimeZone) -> Result<(i64, Zone), &'static str> {
    let (number, text) = (raw.date_unixtime.as_deref(), raw.date.as_deref());
    let is_dated = number.or(text).is_some_and(|date| !date.is_empty());
    stamp(number, text, zone).ok_or(if is_dated { "bad_date" } else { "no_date" })
}

/// A time that is given as a number, as a date, or both: the number has no zone to lose.
fn stamp(number: Option<&str>, text: Option<&str>, zone: &TimeZone) -> Option<(i64, Zone)> {
    match number {
        Some(number) if date::is_number(number) => date::from_epoch(number).map(|ms| (ms, Zone::Told)),
        _ => date::read(text?, zone),
    }
}

/// Where a message belongs.
#[derive(Clone, Copy)]
struct Place {
    id: i64,
    revision: Option<i64>,
    sent_at: i64,
    zone: Zone,
    topic_id: Option<i64>,
}

fn draft(raw: Raw, place: Place) -> Draft {
    let Place { id, revision, sent_at, zone, topic_id } = place;
    let kind = if revision.is_some() { MessageKind::Edited } else { MessageKind::New };
    let media = media(raw.media);
    let mut text = raw.text.unwrap_or_default();
    media_text::append(&mut text, media.as_ref());
    let message = Message {
        id,
        revision: revision.unwrap_or(0),
        kind: kind.as_str().to_owned(),
        author: author(raw.from, raw.from_id),
        sent_at,
        text: String::new(),
        entities: Vec::new(),
        reply_to: raw.reply_to,
        topic_id,
        media,
        forward: forward(raw.forwarded_from.or(raw.forwarded_from_id)),
        reactions: raw.reactions,
    };
    Draft { message, text, zone }
}

/// `from` is null for deleted accounts, whose name is empty then; `from_id` is a bare number in old exports and absent
/// in the oldest.
fn author(name: Option<String>, id: Option<String>) -> Option<Author> {
    let name = name.filter(|name| !name.is_empty());
    let id = match id.filter(|id| !id.is_empty()) {
        Some(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => format!("user{id}"),
        Some(id) => id,
        None => format!("name:{}", name.as_deref()?),
    };
    let is_bot = id.starts_with("bot") || name.as_deref().is_some_and(is_bot_name);
    let name = name.map(|name| pii::mask(&name).into_owned()).unwrap_or_default();
    Some(Author { id, name, is_bot })
}

/// Bots must have a user name that ends in "bot", and nearly all say so in their display name too, which is all an
/// export tells. `Talbot` is a surname.
fn is_bot_name(name: &str) -> bool {
    let name = name.trim_end();
    let last = name.rsplit([' ', '_', '-']).next().unwrap_or(name);
    name.ends_with("Bot") || name.ends_with("BOT") || matches!(last.to_lowercase().as_str(), "bot" | "бот")
}

fn forward(from: Option<String>) -> Option<Forward> {
    from.filter(|from| !from.is_empty())
        .map(|from| Forward { from: pii::mask(&from).into_owned(), sent_at: None })
}

fn media(raw: RawMedia) -> Option<Media> {
    let implied = raw.implied.or(raw.poll.is_some().then_some("poll"));
    let implied = implied.or(raw.checklist.is_some().then_some("checklist"));
    let kind = raw.kind.filter(|kind| !kind.is_empty()).or_else(|| implied.map(str::to_owned))?;
    // A path in brackets is not a path: "(File not included. Change data exporting settings to download.)"
    let path = raw.path.filter(|path| !path.starts_with('('));
    let base_name = || path.and_then(|path| path.rsplit('/').next().map(str::to_owned));
    let file_name = raw.file_name.or_else(base_name).map(|name| pii::mask(&name).into_owned());
    let RawMedia { mime_type, size_bytes, poll, checklist, .. } = raw;
    Some(Media { kind, file_name, mime_type, size_bytes, poll, checklist })
}

#[cfg(test)]
mod tests {
    use super::is_bot_name;

    #[test]
    fn bots_are_told_from_surnames() {
        for name in ["larkspur CI bot", "GitHubBot", "deploy_bot", "Bot", "Погодный бот", "Rose-BOT"]
        {
            assert!(is_bot_name(name), "{name}");
        }
        for name in ["Talbot", "Abbot", "Робот Вертер", "Botvinnik", "робот", ""] {
            assert!(!is_bot_name(name), "{name}");
        }
    }
}
