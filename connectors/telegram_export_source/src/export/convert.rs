//! An element of `messages` → what it is for this pipeline.

use super::{
    context::Context,
    raw::{Raw, RawMedia},
};
use crate::{
    date::{self, Zone},
    draft::{Draft, Item},
};
use jiff::tz::TimeZone;
use schemas::{Media, Message, MessageKind};
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
    let (reply_to, topic_id) = topics.settle(id, raw.reply_to.filter(|_| !raw.reply_elsewhere));
    raw.reply_to = reply_to;
    if raw.is_command() {
        return Item::Skipped("command");
    }
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
    ingest::append(&mut text, media.as_ref());
    let message = Message {
        id,
        revision: revision.unwrap_or(0),
        kind: kind.as_str().to_owned(),
        author: ingest::author(raw.from, raw.from_id),
        sent_at,
        text: String::new(),
        entities: Vec::new(),
        reply_to: raw.reply_to,
        topic_id,
        media,
        forward: ingest::forward(raw.forwarded_from.or(raw.forwarded_from_id)),
        reactions: raw.reactions,
    };
    Draft { message, text, zone }
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
