//! A digest as one rich message of the Bot API (10.2): blocks that say what they are, instead of text with entities.
//!
//! Invariant: a message is within the documented bounds, or there is none; chat text is text in it and never markup.

use rendering::{Paragraph, RichBlock, Style};
use serde_json::{Value, json};

/// Most characters of a rich message. They are counted in UTF-16 code units, which are never fewer.
const UNITS_MAX: usize = 32_768;
/// Most blocks of a rich message, those inside of others among them.
const BLOCKS_MAX: usize = 500;

/// The message's `InputRichMessage`; none where it would be too large.
pub(crate) fn rich_message(blocks: &[RichBlock]) -> Option<Value> {
    let mut size = Size::default();
    let blocks: Vec<Value> = blocks.iter().map(|block| block_of(block, &mut size)).collect();
    let is_within = size.blocks <= BLOCKS_MAX && size.units <= UNITS_MAX && !blocks.is_empty();
    is_within.then(|| json!({ "blocks": blocks }))
}

#[derive(Default)]
struct Size {
    blocks: usize,
    units: usize,
}

fn block_of(block: &RichBlock, size: &mut Size) -> Value {
    size.blocks += 1;
    match block {
        RichBlock::Heading { size: font, text } => {
            json!({ "type": "heading", "size": font, "text": text_of(text, size) })
        }
        RichBlock::Paragraph(text) => json!({ "type": "paragraph", "text": text_of(text, size) }),
        RichBlock::List(lines) => list_of(lines, size),
        RichBlock::Details { summary, lines } => {
            let summary = text_of(summary, size);
            size.blocks += 1;
            json!({ "type": "details", "summary": summary, "blocks": [list_of(lines, size)] })
        }
    }
}

fn list_of(lines: &[Paragraph], size: &mut Size) -> Value {
    let item = |line: &Paragraph| {
        size.blocks += 1;
        json!({ "blocks": [{ "type": "paragraph", "text": text_of(line, size) }] })
    };
    let items: Vec<Value> = lines.iter().map(item).collect();
    json!({ "type": "list", "items": items })
}

/// A `RichText`: strings, and styled ones between them.
fn text_of(paragraph: &Paragraph, size: &mut Size) -> Value {
    let text = &paragraph.text;
    size.units += text.encode_utf16().count();
    let (mut parts, mut from) = (Vec::new(), 0);
    for span in &paragraph.spans {
        let styled = &text[span.start..span.end];
        parts.extend(plain(&text[from..span.start]));
        parts.push(match &span.style {
            Style::Bold => json!({ "type": "bold", "text": styled }),
            Style::Italic => json!({ "type": "italic", "text": styled }),
            Style::Link(url) => json!({ "type": "url", "text": styled, "url": url }),
        });
        from = span.end;
    }
    parts.extend(plain(&text[from..]));
    parts.into()
}

fn plain(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rendering::Span;

    fn line(text: &str) -> Paragraph {
        Paragraph { text: text.to_owned(), ..Paragraph::default() }
    }

    #[test]
    fn styles_stand_around_the_words_that_have_them() {
        let url = "https://t.me/c/1/12".to_owned();
        let spans = vec![
            Span { start: 0, end: 4, style: Style::Bold },
            Span { start: 7, end: 11, style: Style::Link(url.clone()) },
        ];
        let text = Paragraph { text: "<b>a b [12] c".to_owned(), spans, follows: false };
        let expected = json!([
            { "type": "bold", "text": "<b>a" }, " b ", { "type": "url", "text": "[12]", "url": url }, " c"
        ]);
        assert_eq!(text_of(&text, &mut Size::default()), expected);
    }

    #[test]
    fn topics_are_folded_and_lists_are_lists() {
        let blocks = [
            RichBlock::Heading { size: 3, text: line("Day") },
            RichBlock::Details { summary: line("Release"), lines: vec![line("a"), line("b")] },
        ];
        let item = |text: &str| json!({ "blocks": [{ "type": "paragraph", "text": [text] }] });
        let expected = json!({ "blocks": [
            { "type": "heading", "size": 3, "text": ["Day"] },
            { "type": "details", "summary": ["Release"],
              "blocks": [{ "type": "list", "items": [item("a"), item("b")] }] },
        ] });
        assert_eq!(rich_message(&blocks), Some(expected));
    }

    #[test]
    fn what_is_too_large_is_no_rich_message() {
        let of = |count: usize, text: &str| rich_message(&[RichBlock::List(vec![line(text); count])]);
        assert!(of(BLOCKS_MAX - 1, "a").is_some() && of(BLOCKS_MAX, "a").is_none());
        let long = "ж".repeat(UNITS_MAX / 2);
        assert!(of(2, &long).is_some() && of(3, &long).is_none());
        assert_eq!(rich_message(&[]), None);
    }
}
