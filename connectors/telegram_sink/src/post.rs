//! Paragraphs as messages: entities beside the text, cut where a message is full.
//!
//! Invariant: a message has at most [`UNITS_MAX`] UTF-16 code units and [`ENTITIES_MAX`] entities; an entity lies within its
//! message, in code units, and parts nothing that is one character.

use rendering::{Paragraph, Style};
use serde::Serialize;

/// Most UTF-16 code units of a message.
const UNITS_MAX: usize = 4_096;
/// Most entities of a message: Telegram leaves out those beyond.
const ENTITIES_MAX: usize = 100;

/// A styled part of a message, as the Bot API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entity {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// In UTF-16 code units.
    pub(crate) offset: usize,
    /// In UTF-16 code units.
    pub(crate) length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Post {
    pub(crate) text: String,
    pub(crate) entities: Vec<Entity>,
    units: usize,
}

impl Post {
    /// A message of plain text.
    pub(crate) fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), entities: Vec::new(), units: units(text) }
    }

    fn add(&mut self, separator: &str, paragraph: &Paragraph) {
        let start = self.units + units(separator);
        self.text.push_str(separator);
        self.text.push_str(&paragraph.text);
        self.units = start + units(&paragraph.text);
        self.entities.extend(paragraph.spans.iter().map(|span| {
            let (kind, url) = match &span.style {
                Style::Bold => ("bold", None),
                Style::Italic => ("italic", None),
                Style::Link(url) => ("text_link", Some(url.clone())),
            };
            let offset = start + units(&paragraph.text[..span.start]);
            Entity { kind, offset, length: units(&paragraph.text[span.start..span.end]), url }
        }));
    }

    fn takes(&self, separator: &str, paragraph: &Paragraph) -> bool {
        self.units + units(separator) + units(&paragraph.text) <= UNITS_MAX
            && self.entities.len() + paragraph.spans.len() <= ENTITIES_MAX
    }
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Messages that hold the paragraphs, in order.
pub(crate) fn posts(paragraphs: &[Paragraph]) -> Vec<Post> {
    let mut posts: Vec<Post> = Vec::new();
    for paragraph in paragraphs.iter().flat_map(pieces).filter(|piece| !piece.text.trim().is_empty()) {
        let separator = if paragraph.follows { "\n" } else { "\n\n" };
        match posts.last_mut() {
            Some(last) if last.takes(separator, &paragraph) => last.add(separator, &paragraph),
            _ => {
                let mut post = Post::default();
                post.add("", &paragraph);
                posts.push(post);
            }
        }
    }
    posts
}

/// A paragraph as pieces that each fit into a message: cut after a space where there is one.
fn pieces(paragraph: &Paragraph) -> Vec<Paragraph> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < paragraph.text.len() {
        let end = start + fitting(&paragraph.text[start..]);
        let spans = paragraph.spans.iter().filter_map(|span| {
            let (from, to) = (span.start.max(start), span.end.min(end));
            (from < to).then(|| rendering::Span {
                start: from - start,
                end: to - start,
                style: span.style.clone(),
            })
        });
        pieces.push(Paragraph {
            text: paragraph.text[start..end].to_owned(),
            spans: spans.take(ENTITIES_MAX).collect(),
            follows: paragraph.follows || start > 0,
        });
        start = end;
    }
    pieces
}

/// How many bytes of a text a message takes.
fn fitting(text: &str) -> usize {
    let (mut used, mut after_space) = (0, 0);
    for (at, c) in text.char_indices() {
        used += c.len_utf16();
        if used > UNITS_MAX {
            return if after_space > 0 { after_space } else { at };
        }
        if c == ' ' {
            after_space = at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rendering::Span;

    fn paragraph(text: &str, spans: &[(usize, usize, Style)], follows: bool) -> Paragraph {
        let span = |(start, end, style): &(usize, usize, Style)| Span {
            start: *start,
            end: *end,
            style: style.clone(),
        };
        Paragraph { text: text.to_owned(), spans: spans.iter().map(span).collect(), follows }
    }

    #[test]
    fn entities_are_counted_in_utf_16_code_units() {
        let url = "https://t.me/c/1/12".to_owned();
        let first = "👩‍👩‍👧 Релиз";
        let paragraphs = [
            paragraph(first, &[(0, first.len(), Style::Bold)], false),
            paragraph("• 🎉 да [12]", &[(14, 18, Style::Link(url.clone()))], false),
        ];
        assert_eq!(&paragraphs[1].text[14..18], "[12]");
        let posts = posts(&paragraphs);
        assert_eq!(posts.len(), 1);
        assert_eq!(posts[0].text, "👩‍👩‍👧 Релиз\n\n• 🎉 да [12]");
        let bold = Entity { kind: "bold", offset: 0, length: 14, url: None };
        // 14 and two line ends, then a bullet, an emoji of two units, and a word.
        let link = Entity { kind: "text_link", offset: 24, length: 4, url: Some(url) };
        assert_eq!(posts[0].entities, [bold, link]);
    }

    #[test]
    fn messages_are_cut_between_paragraphs() {
        let long = "ж".repeat(3_000);
        let paragraphs = [
            paragraph("a", &[], false),
            paragraph(&long, &[], true),
            paragraph(&long, &[(0, 2, Style::Bold)], true),
        ];
        let texts: Vec<(usize, usize)> =
            posts(&paragraphs).iter().map(|post| (post.units, post.entities.len())).collect();
        assert_eq!(texts, [(3_002, 0), (3_000, 1)]);
    }

    #[test]
    fn a_paragraph_longer_than_a_message_is_cut_between_words() {
        let text = format!("{} {}", "a".repeat(4_000), "b".repeat(200));
        let posts = posts(&[paragraph(&text, &[(3_990, 4_101, Style::Bold)], false)]);
        let found: Vec<(usize, usize, usize)> =
            posts.iter().map(|post| (post.units, post.entities[0].offset, post.entities[0].length)).collect();
        assert_eq!(found, [(4_001, 3_990, 11), (200, 0, 100)]);
    }

    #[test]
    fn no_message_has_more_entities_than_telegram_shows() {
        let many: Vec<Paragraph> = (0..150).map(|_| paragraph("x", &[(0, 1, Style::Italic)], true)).collect();
        let counts: Vec<usize> = posts(&many).iter().map(|post| post.entities.len()).collect();
        assert_eq!(counts, [100, 50]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_entity_lies_within_its_message(
            texts in prop::collection::vec("[a-zж🎉 ]{0,900}", 0..20), repeated in 1usize..9
        ) {
            let paragraphs: Vec<Paragraph> = texts
                .iter()
                .map(|text| text.repeat(repeated))
                .map(|text| paragraph(&text, &[(0, text.len(), Style::Bold)], true))
                .collect();
            let paragraphs: Vec<Paragraph> = paragraphs.into_iter().filter(|it| !it.text.is_empty()).collect();
            let posts = posts(&paragraphs);
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let told: String = posts.iter().map(|post| letters(&post.text)).collect();
            let wanted: String = paragraphs.iter().map(|it| letters(&it.text)).collect();
            prop_assert_eq!(told, wanted);
            for post in &posts {
                prop_assert_eq!(post.units, post.text.encode_utf16().count());
                prop_assert!(post.units <= UNITS_MAX && post.entities.len() <= ENTITIES_MAX);
                let text: Vec<u16> = post.text.encode_utf16().collect();
                for entity in &post.entities {
                    let part = text.get(entity.offset..entity.offset + entity.length);
                    prop_assert!(entity.length > 0 && part.is_some_and(|part| String::from_utf16(part).is_ok()));
                }
            }
        }
    }
}
