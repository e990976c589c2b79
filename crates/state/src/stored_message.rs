//! A message between the wire and the columns of its table. Invariant: what is read is what was written, but for NUL
//! characters, which became U+FFFD.

use crate::{
    Error,
    json::{from_json, to_jsonb},
};
use schemas::{Author, Entity, Forward, Media, Message, Reaction};
use serde::{Deserialize, Serialize};
use sqlx::{Row, postgres::PgRow};
use std::borrow::Cow;

/// What a message has that no column holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Extra<'a> {
    #[serde(default, skip_serializing_if = "<[Entity]>::is_empty")]
    entities: Cow<'a, [Entity]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media: Option<Cow<'a, Media>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forward: Option<Cow<'a, Forward>>,
    #[serde(default, skip_serializing_if = "<[Reaction]>::is_empty")]
    reactions: Cow<'a, [Reaction]>,
}

/// JSON of the column `extra`; none when there is nothing to say.
pub(crate) fn extra(message: &Message) -> Result<Option<String>, Error> {
    let extra = Extra {
        entities: Cow::Borrowed(&message.entities),
        media: message.media.as_ref().map(Cow::Borrowed),
        forward: message.forward.as_ref().map(Cow::Borrowed),
        reactions: Cow::Borrowed(&message.reactions),
    };
    let empty = extra.entities.is_empty() && extra.media.is_none();
    if empty && extra.forward.is_none() && extra.reactions.is_empty() {
        return Ok(None);
    }
    to_jsonb("message", &extra).map(Some)
}

/// The message that a row holds, from columns under their own names and `extra` as text.
pub(crate) fn stored_message(row: &PgRow) -> Result<Message, Error> {
    let extra: Extra<'static> = match row.get::<Option<&str>, _>("extra") {
        Some(json) => from_json("message", json)?,
        None => Extra::default(),
    };
    let author = row.get::<Option<String>, _>("author_id").map(|id| Author {
        id,
        name: row.get::<Option<String>, _>("author_name").unwrap_or_default(),
        is_bot: row.get::<Option<bool>, _>("author_is_bot").unwrap_or_default(),
    });
    Ok(Message {
        id: row.get("id"),
        revision: row.get("revision"),
        kind: row.get("kind"),
        author,
        sent_at: row.get("sent_at_ms"),
        text: row.get("text"),
        entities: extra.entities.into_owned(),
        reply_to: row.get("reply_to"),
        topic_id: row.get("topic_id"),
        media: extra.media.map(Cow::into_owned),
        forward: extra.forward.map(Cow::into_owned),
        reactions: extra.reactions.into_owned(),
    })
}

/// The message as it comes back once it is stored.
pub(crate) fn as_stored(message: &Message) -> Result<Cow<'_, Message>, Error> {
    let json = to_jsonb("message", message)?;
    if json.contains('\u{FFFD}') {
        return from_json("message", &json).map(Cow::Owned);
    }
    Ok(Cow::Borrowed(message))
}
