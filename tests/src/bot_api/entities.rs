//! The check of a message's entities: offsets and lengths in UTF-16 code units, none inside a character or past the end.

use serde_json::Value;

/// Entities beyond these are left out.
const ENTITIES_MAX: usize = 100;
const KNOWN: [&str; 11] = [
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "blockquote",
    "expandable_blockquote",
];
/// Found by the server itself in the text; given ones are left out.
const FOUND: [&str; 8] =
    ["mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number"];

/// The entities that a text keeps.
///
/// # Errors
/// What is wrong with them, as the description of a bad request.
pub(crate) fn checked(text: &str, given: &Value) -> Result<Vec<Value>, String> {
    let given = match given {
        Value::Null => return Ok(Vec::new()),
        Value::Array(entities) => entities,
        _ => return Err("can't parse entities JSON object".to_owned()),
    };
    let mut kept = Vec::new();
    for entity in given {
        let read = |name: &str| entity[name].as_i64().ok_or_else(|| missing(name));
        let (offset, length) = (read("offset")?, read("length")?);
        if is_kept(entity)? {
            check_place(text, offset, length)?;
            if length > 0 {
                kept.push(entity.clone());
            }
        }
    }
    kept.truncate(ENTITIES_MAX);
    Ok(kept)
}

fn missing(field: &str) -> String {
    format!("can't parse MessageEntity: Can't find field \"{field}\"")
}

fn is_kept(entity: &Value) -> Result<bool, String> {
    let kind = entity["type"].as_str().ok_or_else(|| missing("type"))?;
    if FOUND.contains(&kind) {
        return Ok(false);
    }
    if !KNOWN.contains(&kind) {
        return Err("can't parse MessageEntity: Unsupported type specified".to_owned());
    }
    if kind == "text_link" && !entity["url"].is_string() {
        return Err(missing("url"));
    }
    Ok(true)
}

fn check_place(text: &str, offset: i64, length: i64) -> Result<(), String> {
    let Ok(start) = usize::try_from(offset) else {
        return Err(format!("receive an entity with incorrect offset {offset}"));
    };
    let Ok(length) = usize::try_from(length) else {
        return Err(format!("receive an entity with incorrect length {length}"));
    };
    let end = start + length;
    match boundary(text, start) {
        Boundary::At => {}
        Boundary::Inside(byte) => {
            return Err(format!("entity begins in a middle of a UTF-16 symbol at byte offset {byte}"));
        }
        Boundary::Past => {
            return Err(format!("entity begins after the end of the text at UTF-16 offset {start}"));
        }
    }
    let beginning = format!("entity beginning at UTF-16 offset {start} ends");
    match boundary(text, end) {
        Boundary::At => Ok(()),
        Boundary::Inside(byte) => {
            Err(format!("{beginning} in a middle of a UTF-16 symbol at byte offset {byte}"))
        }
        Boundary::Past => Err(format!("{beginning} after the end of the text at UTF-16 offset {end}")),
    }
}

enum Boundary {
    At,
    /// Within the character that ends at this byte.
    Inside(usize),
    Past,
}

fn boundary(text: &str, units: usize) -> Boundary {
    let mut passed = 0;
    for (byte, character) in text.char_indices() {
        if passed == units {
            return Boundary::At;
        }
        if passed > units {
            return Boundary::Inside(byte);
        }
        passed += character.len_utf16();
    }
    match passed.cmp(&units) {
        std::cmp::Ordering::Equal => Boundary::At,
        std::cmp::Ordering::Greater => Boundary::Inside(text.len()),
        std::cmp::Ordering::Less => Boundary::Past,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(text: &str, offset: i64, length: i64) -> Result<Vec<Value>, String> {
        checked(text, &json!([{ "type": "bold", "offset": offset, "length": length }]))
    }

    #[test]
    fn places_are_counted_in_utf16() {
        assert_eq!(of("👉 you", 3, 3).map(|kept| kept.len()), Ok(1));
        assert_eq!(of("👉 you", 0, 6).map(|kept| kept.len()), Ok(1));
        assert_eq!(of("👉 you", 0, 0).map(|kept| kept.len()), Ok(0));
        let refused = |offset, length| of("👉 you", offset, length).expect_err("a bad place");
        assert_eq!(refused(1, 1), "entity begins in a middle of a UTF-16 symbol at byte offset 4");
        assert_eq!(
            refused(0, 1),
            "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4"
        );
        assert_eq!(
            refused(3, 4),
            "entity beginning at UTF-16 offset 3 ends after the end of the text at UTF-16 offset 7"
        );
        assert_eq!(refused(9, 1), "entity begins after the end of the text at UTF-16 offset 9");
        assert_eq!(refused(-1, 1), "receive an entity with incorrect offset -1");
        assert_eq!(refused(0, -1), "receive an entity with incorrect length -1");
    }

    #[test]
    fn kinds_are_known_left_out_or_refused() {
        let kind = |kind: &str| checked("abc", &json!([{ "type": kind, "offset": 0, "length": 3 }]));
        assert_eq!(kind("expandable_blockquote").map(|kept| kept.len()), Ok(1));
        assert_eq!(kind("url").map(|kept| kept.len()), Ok(0));
        assert_eq!(
            kind("big").expect_err("unknown"),
            "can't parse MessageEntity: Unsupported type specified"
        );
        assert_eq!(
            kind("text_link").expect_err("no url"),
            "can't parse MessageEntity: Can't find field \"url\""
        );
    }

    #[test]
    fn more_than_a_hundred_are_cut() {
        let many: Vec<Value> =
            (0..120).map(|at| json!({ "type": "bold", "offset": at, "length": 1 })).collect();
        let kept = checked(&"a".repeat(120), &Value::Array(many)).expect("entities");
        assert_eq!(kept.len(), ENTITIES_MAX);
    }
}
