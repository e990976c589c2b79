//! The text of a message that the bot writes.

use super::{Answer, entities, rich};
use serde_json::Value;

/// Longest text, in UTF-16 code units.
const TEXT_MAX: usize = 4096;

/// What a message can say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// Text.
    Text(Text),
    /// Blocks.
    Rich(Value),
}

impl Content {
    pub(crate) fn of_text(body: &Value) -> Result<Self, Answer> {
        Text::of(body).map(Self::Text)
    }

    pub(crate) fn of_rich(body: &Value) -> Result<Self, Answer> {
        rich::checked(body).map(Self::Rich)
    }

    /// Of an edit, which may give either.
    pub(crate) fn of_edit(body: &Value, is_rich: bool) -> Result<Self, Answer> {
        if is_rich && body.get("rich_message").is_some() { Self::of_rich(body) } else { Self::of_text(body) }
    }
}

/// A text that can stand in a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) entities: Vec<Value>,
}

impl Text {
    /// Checks the text of a call. Space at its end is cut, as Telegram does.
    pub(crate) fn of(body: &Value) -> Result<Self, Answer> {
        if body.get("rich_message").is_some() {
            return Err(Answer::bad_request("message text is empty"));
        }
        if let Some(mode) = body["parse_mode"].as_str().filter(|mode| !mode.is_empty()) {
            let what = format!("can't parse entities: the loopback server knows no parse_mode {mode}");
            return Err(Answer::bad_request(&what));
        }
        let given = body["text"].as_str().unwrap_or_default();
        if given.trim().is_empty() {
            return Err(Answer::bad_request("message text is empty"));
        }
        let mut entities =
            entities::checked(given, &body["entities"]).map_err(|what| Answer::bad_request(&what))?;
        let text = given.trim_end().to_owned();
        let units = units(&text);
        if units > TEXT_MAX {
            return Err(Answer::bad_request("message is too long"));
        }
        clip(&mut entities, units);
        Ok(Self { text, entities })
    }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Ends entities where the text does.
fn clip(entities: &mut Vec<Value>, units: usize) {
    let end = i64::try_from(units).unwrap_or(i64::MAX);
    for entity in entities.iter_mut() {
        let (offset, length) = (entity["offset"].as_i64(), entity["length"].as_i64());
        let (offset, length) = (offset.unwrap_or_default(), length.unwrap_or_default());
        entity["length"] = length.min(end - offset).into();
    }
    entities.retain(|entity| entity["length"].as_i64().unwrap_or_default() > 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(body: &Value) -> Answer {
        Text::of(body).expect_err("a bad text")
    }

    #[test]
    fn length_is_counted_in_utf16_code_units() {
        assert!(Text::of(&json!({ "text": "a".repeat(4096) })).is_ok());
        assert!(Text::of(&json!({ "text": "👉".repeat(2048) })).is_ok());
        let too_long = Answer::bad_request("message is too long");
        assert_eq!(refused(&json!({ "text": "a".repeat(4097) })), too_long);
        assert_eq!(refused(&json!({ "text": "👉".repeat(2049) })), too_long);
    }

    #[test]
    fn space_alone_is_no_text_and_space_at_the_end_is_cut() {
        for text in ["", " \n"] {
            assert_eq!(refused(&json!({ "text": text })), Answer::bad_request("message text is empty"));
        }
        let entities = json!([{ "type": "bold", "offset": 0, "length": 4 }, { "type": "code", "offset": 3, "length": 1 }]);
        let text = Text::of(&json!({ "text": "abc \n", "entities": entities })).expect("a text");
        assert_eq!(text.text, "abc");
        assert_eq!(text.entities, [json!({ "type": "bold", "offset": 0, "length": 3 })]);
    }

    #[test]
    fn markup_is_refused_and_not_taken_for_text() {
        assert_eq!(refused(&json!({ "text": "<b>a</b>", "parse_mode": "HTML" })).status(), 400);
        assert_eq!(refused(&json!({ "rich_message": {} })).status(), 400);
    }
}
