//! Texts with entities → marked text, as an export has it.
//!
//! Invariant: places have the names that exports give them, and of places that overlap the first alone is kept, for an
//! export cuts a text into pieces.

use super::wire::Entity;
use crate::rich_text::RichText;

/// A text as it will be masked.
pub(super) fn rich(text: String, entities: &[Entity]) -> RichText {
    let mut end = 0;
    let mut kept = Vec::new();
    for entity in entities {
        let until = entity.offset.saturating_add(entity.length);
        if entity.offset < end || entity.length <= 0 {
            continue;
        }
        end = until;
        if let Some(kind) = kind(&entity.kind) {
            let (offset, length) = (entity.offset, entity.length);
            kept.push(schemas::Entity { kind: kind.to_owned(), offset, length, url: url(entity) });
        }
    }
    RichText::from_entities(text, kept)
}

/// A masked text without its places.
pub(super) fn masked(text: String, entities: &[Entity]) -> String {
    rich(text, entities).finish().0
}

/// The name that an export gives to a kind of entity; none for what it leaves unmarked.
fn kind(kind: &str) -> Option<&str> {
    match kind {
        "url" => Some("link"),
        "phone_number" => Some("phone"),
        "bank_card_number" => Some("bank_card"),
        "text_mention" => Some("mention_name"),
        "expandable_blockquote" => Some("blockquote"),
        "mention" | "hashtag" | "cashtag" | "bot_command" | "email" | "bold" | "italic" | "underline"
        | "strikethrough" | "spoiler" | "blockquote" | "code" | "pre" | "text_link" | "custom_emoji" => {
            Some(kind)
        }
        _ => None,
    }
}

fn url(entity: &Entity) -> Option<String> {
    let of_user = || entity.user.as_ref().map(|user| format!("tg://user?id={}", user.id));
    let url = entity.url.clone().filter(|_| entity.kind == "text_link").or_else(of_user)?;
    Some(url.replace('\0', ""))
}
