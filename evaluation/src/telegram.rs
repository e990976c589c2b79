//! Reads the Telegram export as messages of a window.
//!
//! Invariant: the result is sorted by (`sent_at`, id), and a forum topic is what the reply chain up to a
//! `topic_created` service message says.

use crate::{Error, data};
use schemas::ContextMessage;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

const FILE: &str = "telegram_qa_load/result.json.gz";

#[derive(Deserialize)]
struct Export {
    messages: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
    date_unixtime: Option<String>,
    from: Option<String>,
    from_id: Option<String>,
    #[serde(default)]
    text: Value,
    reply_to_message_id: Option<i64>,
    action: Option<String>,
    forwarded_from: Option<String>,
    photo: Option<Value>,
    media_type: Option<String>,
}

/// All messages of the export in `data_dir`.
pub fn load(data_dir: &Path) -> Result<Vec<ContextMessage>, Error> {
    Ok(messages(&data::json_gz(&data_dir.join(FILE))?))
}

/// All messages of an export that is not compressed. Exports do not mark bots: those called so are taken for bots.
pub fn load_file(path: &Path) -> Result<Vec<ContextMessage>, Error> {
    let mut messages = messages(&data::json(path)?);
    for message in &mut messages {
        let name = text::fold(&message.author_name);
        message.is_bot = name.ends_with("bot") || name.ends_with("бот");
    }
    Ok(messages)
}

fn messages(export: &Export) -> Vec<ContextMessage> {
    let roots: BTreeSet<i64> = export
        .messages
        .iter()
        .filter(|raw| raw.action.as_deref() == Some("topic_created"))
        .map(|raw| raw.id)
        .collect();
    let mut topics: BTreeMap<i64, i64> = roots.iter().map(|&root| (root, root)).collect();
    let mut messages = Vec::new();
    for raw in &export.messages {
        let topic = raw.reply_to_message_id.and_then(|to| topics.get(&to).copied());
        if let Some(topic) = topic {
            topics.insert(raw.id, topic);
        }
        if raw.kind == "message" {
            messages.push(convert(raw, topic));
        }
    }
    messages.sort_by_key(|message| (message.sent_at, message.id));
    messages
}

fn convert(raw: &Raw, topic_id: Option<i64>) -> ContextMessage {
    let seconds = raw.date_unixtime.as_deref().and_then(|stamp| stamp.parse::<i64>().ok()).unwrap_or(0);
    let author = raw.from_id.as_deref().unwrap_or_default();
    let media = raw.media_type.clone().or_else(|| raw.photo.as_ref().map(|_| "photo".to_owned()));
    let text = flatten(&raw.text);
    let address = |token: &text::Token| token.kind == text::TokenKind::Address;
    ContextMessage {
        author_name: raw.from.clone().unwrap_or_default(),
        reply_to: raw.reply_to_message_id.filter(|to| Some(*to) != topic_id),
        links: text::tokenize(&text)
            .into_iter()
            .filter(address)
            .map(|token| text[token.range].to_owned())
            .collect(),
        topic_id,
        forwarded: raw.forwarded_from.is_some(),
        media_kind: media,
        ..ContextMessage::plain(raw.id, seconds * 1000, author, &text)
    }
}

/// `text` is a string, or an array of strings and objects with a `text` of their own.
fn flatten(text: &Value) -> String {
    match text {
        Value::String(plain) => plain.clone(),
        Value::Array(parts) => parts.iter().map(flatten).collect(),
        Value::Object(part) => part.get("text").map(flatten).unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_text_is_flattened() {
        let text = serde_json::json!(["см. ", {"type": "link", "text": "https://a.example"}, "!"]);
        assert_eq!(flatten(&text), "см. https://a.example!");
        assert_eq!(flatten(&Value::Null), "");
    }
}
