//! Rich messages, as far as they are made of blocks of text. The words of refusals are this server's own.

use super::Answer;
use serde_json::Value;

const CHARS_MAX: usize = 32_768;
const BLOCKS_MAX: usize = 500;
const DEPTH_MAX: usize = 16;

/// Checks the `rich_message` of a call; what a message has of it.
pub(crate) fn checked(body: &Value) -> Result<Value, Answer> {
    let given = &body["rich_message"];
    let forms = ["html", "markdown", "blocks"].into_iter().filter(|form| !given[*form].is_null());
    let refused = |what: &str| Err(Answer::bad_request(&format!("rich message {what}")));
    match (forms.count(), given["blocks"].as_array()) {
        (1, Some(blocks)) if !blocks.is_empty() => {
            let mut size = Size::default();
            blocks.iter().try_for_each(|block| size.block(block, 1))?;
            if size.blocks > BLOCKS_MAX || size.chars > CHARS_MAX {
                return refused("is too long");
            }
            Ok(serde_json::json!({ "blocks": blocks }))
        }
        (1, None) => refused("is known by this server in blocks alone"),
        _ => refused("must have exactly one of html, markdown and blocks"),
    }
}

#[derive(Default)]
struct Size {
    blocks: usize,
    chars: usize,
}

impl Size {
    fn block(&mut self, block: &Value, depth: usize) -> Result<(), Answer> {
        self.blocks += 1;
        if depth > DEPTH_MAX {
            return Err(Answer::bad_request("rich message is nested too deep"));
        }
        match block["type"].as_str() {
            Some("paragraph" | "footer") => self.text(&block["text"]),
            Some("heading") if (1..=6).contains(&block["size"].as_i64().unwrap_or_default()) => {
                self.text(&block["text"])
            }
            Some("divider") => Ok(()),
            Some("details") => {
                self.text(&block["summary"])?;
                array(&block["blocks"])?.iter().try_for_each(|inner| self.block(inner, depth + 1))
            }
            Some("list") => array(&block["items"])?.iter().try_for_each(|item| {
                array(&item["blocks"])?.iter().try_for_each(|inner| self.block(inner, depth + 1))
            }),
            _ => Err(Answer::bad_request("rich message has a block of unknown type")),
        }
    }

    fn text(&mut self, text: &Value) -> Result<(), Answer> {
        match text {
            Value::String(text) => {
                self.chars += text.chars().count();
                Ok(())
            }
            Value::Array(parts) => parts.iter().try_for_each(|part| self.text(part)),
            Value::Object(styled) => match styled.get("type").and_then(Value::as_str) {
                Some("bold" | "italic") => self.text(&text["text"]),
                Some("url") if text["url"].is_string() => self.text(&text["text"]),
                _ => Err(Answer::bad_request("rich message has text of unknown type")),
            },
            _ => Err(Answer::bad_request("rich message has a block without text")),
        }
    }
}

fn array(value: &Value) -> Result<&Vec<Value>, Answer> {
    value.as_array().ok_or_else(|| Answer::bad_request("rich message has a block without content"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(rich_message: &Value) -> String {
        let refused = checked(&json!({ "rich_message": rich_message })).expect_err("refused");
        refused.body()["description"].as_str().unwrap_or_default().replace("Bad Request: rich message ", "")
    }

    #[test]
    fn blocks_of_text_are_taken_within_their_bounds() {
        let line =
            |text: &str| json!({ "type": "paragraph", "text": [text, { "type": "bold", "text": "b" }] });
        let list = json!({ "type": "list", "items": [{ "blocks": [line("a")] }] });
        let blocks = json!([
            { "type": "heading", "size": 3, "text": "Day" },
            { "type": "details", "summary": "more", "blocks": [list] },
        ]);
        assert_eq!(
            checked(&json!({ "rich_message": { "blocks": blocks } })),
            Ok(json!({ "blocks": blocks }))
        );
        assert_eq!(refusal(&json!({ "blocks": vec![line("a"); 501] })), "is too long");
        assert_eq!(refusal(&json!({ "blocks": [line(&"a".repeat(32_768))] })), "is too long");
        let deep = (0..17)
            .fold(line("a"), |inner, _| json!({ "type": "details", "summary": "s", "blocks": [inner] }));
        assert_eq!(refusal(&json!({ "blocks": [deep] })), "is nested too deep");
        assert_eq!(
            refusal(&json!({ "blocks": [{ "type": "heading", "size": 7, "text": "a" }] })),
            "has a block of unknown type"
        );
        let one = "must have exactly one of html, markdown and blocks";
        assert_eq!(
            [refusal(&json!({})), refusal(&json!({ "html": "a", "blocks": [line("a")] }))],
            [one, one]
        );
    }
}
