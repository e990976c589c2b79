//! An element of `messages` as it stands in the file. Unknown fields are ignored.

use super::{
    fault::Fault,
    json::{self, Json},
    lists, text,
};
use ingest::{RichText, TEXT_BYTES_MAX};
use schemas::{Checklist, Poll, Reaction};
use struson::reader::{JsonReader, ValueType};

/// Reactions of one message that are kept.
const REACTIONS_MAX: usize = 100;

/// An element of `messages`.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) kind: Option<String>,
    pub(super) id: Option<i64>,
    pub(super) date: Option<String>,
    pub(super) date_unixtime: Option<String>,
    pub(super) edited: Option<String>,
    pub(super) edited_unixtime: Option<String>,
    pub(super) action: Option<String>,
    pub(super) from: Option<String>,
    pub(super) from_id: Option<String>,
    pub(super) reply_to: Option<i64>,
    /// The answered message is in another chat.
    pub(super) reply_elsewhere: bool,
    pub(super) forwarded_from: Option<String>,
    pub(super) forwarded_from_id: Option<String>,
    pub(super) text: Option<RichText>,
    pub(super) is_too_large: bool,
    pub(super) media: RawMedia,
    pub(super) reactions: Vec<Reaction>,
}

/// What an element says about its attachment.
#[derive(Debug, Default)]
pub(super) struct RawMedia {
    pub(super) kind: Option<String>,
    /// Kind by which field is there, when no kind is given.
    pub(super) implied: Option<&'static str>,
    pub(super) path: Option<String>,
    pub(super) file_name: Option<String>,
    pub(super) mime_type: Option<String>,
    pub(super) size_bytes: Option<i64>,
    pub(super) poll: Option<Poll>,
    pub(super) checklist: Option<Checklist>,
}

impl Raw {
    /// True for a text to a bot.
    pub(super) fn is_command(&self) -> bool {
        self.media.is_empty() && self.text.as_ref().is_some_and(RichText::is_command)
    }
}

impl RawMedia {
    fn is_empty(&self) -> bool {
        let Self { kind, implied, poll, checklist, .. } = self;
        kind.is_none() && implied.is_none() && poll.is_none() && checklist.is_none()
    }
}

/// Reads the object that comes next.
pub(super) fn read(json: &mut Json) -> Result<Raw, Fault> {
    let mut raw = Raw::default();
    let read = json::object(json, |json, name| {
        if !head(&mut raw, json, name)? && !attachment(&mut raw.media, json, name)? {
            body(&mut raw, json, name)?;
        }
        Ok(())
    });
    read.map_err(|fault| fault.in_message(raw.id))?;
    Ok(raw)
}

/// True when the field was one of these, and is consumed.
fn head(raw: &mut Raw, json: &mut Json, name: &str) -> Result<bool, Fault> {
    match name {
        "id" => raw.id = json::integer(json)?,
        "type" => raw.kind = json::short(json)?,
        "action" => raw.action = json::short(json)?,
        "date" => raw.date = json::short(json)?,
        "date_unixtime" => raw.date_unixtime = json::short(json)?,
        "edited" => raw.edited = json::short(json)?,
        "edited_unixtime" => raw.edited_unixtime = json::short(json)?,
        "from" => raw.from = json::short(json)?,
        "from_id" => raw.from_id = json::short(json)?,
        "reply_to_message_id" => raw.reply_to = json::integer(json)?,
        "reply_to_peer_id" => raw.reply_elsewhere = json::short(json)?.is_some(),
        "forwarded_from" => raw.forwarded_from = json::short(json)?,
        "forwarded_from_id" => raw.forwarded_from_id = json::short(json)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn attachment(media: &mut RawMedia, json: &mut Json, name: &str) -> Result<bool, Fault> {
    let implied = match name {
        "media_type" => {
            media.kind = json::short(json)?;
            return Ok(true);
        }
        "mime_type" => {
            media.mime_type = json::short(json)?;
            return Ok(true);
        }
        "file_name" => {
            media.file_name = json::short(json)?;
            return Ok(true);
        }
        "file_size" | "photo_file_size" => {
            media.size_bytes = json::integer(json)?;
            return Ok(true);
        }
        "photo" => "photo",
        "file" => "file",
        "location_information" | "place_name" => "location",
        "contact_information" => "contact",
        "game_title" => "game",
        "invoice_information" => "invoice",
        "giveaway_information" => "giveaway",
        "paid_media" => "paid_media",
        "dice" => "dice",
        _ => return Ok(false),
    };
    let path = match (name, json.peek()?) {
        (_, ValueType::Null) => return json.skip_value().map(|()| true).map_err(Fault::from),
        ("photo" | "file", _) => json::short(json)?,
        _ => json.skip_value().map(|()| None)?,
    };
    media.path = media.path.take().or(path);
    media.implied = media.implied.or(Some(implied));
    Ok(true)
}

fn body(raw: &mut Raw, json: &mut Json, name: &str) -> Result<(), Fault> {
    match name {
        "text" => set_text(raw, text::read(json, TEXT_BYTES_MAX)?),
        // The same text in other clothes; some tools write only this.
        "text_entities" if raw.text.is_none() => set_text(raw, text::read(json, TEXT_BYTES_MAX)?),
        "poll" => raw.media.poll = lists::poll(json)?,
        "todo_list" => raw.media.checklist = lists::checklist(json)?,
        "reactions" => raw.reactions = reactions(json)?,
        _ => json.skip_value()?,
    }
    Ok(())
}

fn set_text(raw: &mut Raw, (text, is_whole): (RichText, bool)) {
    raw.is_too_large |= !is_whole;
    raw.text = Some(text);
}

fn reactions(json: &mut Json) -> Result<Vec<Reaction>, Fault> {
    let mut reactions = Vec::new();
    json::array(json, |json| {
        let (mut emoji, mut custom, mut kind, mut count) = (None, None, None, None);
        json::object(json, |json, name| {
            match name {
                "emoji" => emoji = json::short(json)?,
                // The id of a picture tells nobody anything.
                "document_id" => custom = json::short(json)?.map(|_| "custom_emoji".to_owned()),
                "type" => kind = json::short(json)?,
                "count" => count = json::integer(json)?,
                _ => json.skip_value()?,
            }
            Ok(())
        })?;
        let count = count.and_then(|count| i32::try_from(count).ok()).filter(|count| *count > 0);
        if let (Some(emoji), Some(count)) = (emoji.or(kind).or(custom), count)
            && reactions.len() < REACTIONS_MAX
        {
            reactions.push(Reaction { emoji, count });
        }
        Ok(())
    })?;
    Ok(reactions)
}
