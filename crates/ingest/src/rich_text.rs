//! Text with marked places, before and after masking.
//!
//! Invariant: marks are byte ranges of the text on character boundaries until [`RichText::finish`], which masks
//! personal data and gives the marks as entities in UTF-16 units of the masked text.

use schemas::Entity;
use std::{borrow::Cow, ops::Range};
use text::pii::{self, Kind, Span};

/// A marked place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    range: Range<usize>,
    kind: String,
    url: Option<String>,
}

/// Text with marked places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RichText {
    text: String,
    marks: Vec<Mark>,
}

impl RichText {
    /// A text with places in UTF-16 units of it; places outside the text are dropped.
    pub fn from_entities(text: String, entities: Vec<Entity>) -> Self {
        let edges = |entity: &Entity| [entity.offset, entity.offset.saturating_add(entity.length)];
        let bytes = byte_offsets(&text, entities.iter().flat_map(edges).collect());
        let mut rich = Self { text, marks: Vec::new() };
        for entity in entities {
            let [start, end] = edges(&entity).map(|edge| lookup(&bytes, edge));
            if let (Some(start), Some(end)) = (start, end) {
                rich.marks.push(Mark { range: start..end, kind: entity.kind, url: entity.url });
            }
        }
        rich.without_nul()
    }

    /// Appends text, marked when `kind` is given.
    pub fn push(&mut self, text: &str, kind: Option<&str>, url: Option<String>) {
        let start = self.text.len();
        self.text.extend(text.chars().filter(|c| *c != '\0'));
        if let Some(kind) = kind.filter(|_| self.text.len() > start) {
            let url = url.map(|url| url.replace('\0', ""));
            self.marks.push(Mark { range: start..self.text.len(), kind: kind.to_owned(), url });
        }
    }

    /// True when there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// True where it begins with a command of a bot of this kind: that is no message to the others in the chat.
    pub fn is_command(&self) -> bool {
        let marked = self.marks.first().filter(|mark| mark.range.start == 0 && mark.kind == "bot_command");
        marked.is_some_and(|_| commands::is_command(&self.text))
    }

    /// Bytes of text and link targets.
    pub fn bytes(&self) -> usize {
        self.text.len()
            + self.marks.iter().filter_map(|mark| mark.url.as_ref()).map(String::len).sum::<usize>()
    }

    /// Marks bare links, for feeds that do not.
    pub fn mark_links(&mut self) {
        for scheme in ["https://", "http://"] {
            let found = self.text.match_indices(scheme).map(|(start, _)| start);
            let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '«' | '»');
            let marks = found.map(|start| {
                let rest = &self.text[start..];
                let link = &rest[..rest.find(ends).unwrap_or(rest.len())];
                let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
                Mark { range: start..start + link.len(), kind: "link".to_owned(), url: None }
            });
            let marks: Vec<Mark> = marks.collect();
            self.marks.extend(marks);
        }
        self.marks.sort_by_key(|mark| mark.range.start);
    }

    /// The masked text and its entities.
    pub fn finish(self) -> (String, Vec<Entity>) {
        let known = known(&self.marks);
        let mut ranges: Vec<Range<usize>> = self.marks.iter().map(|mark| mark.range.clone()).collect();
        let masked = match pii::mask_marked(&self.text, &known, &mut ranges) {
            Cow::Owned(masked) => masked,
            Cow::Borrowed(_) => self.text,
        };
        let units =
            utf16_offsets(&masked, ranges.iter().flat_map(|range| [range.start, range.end]).collect());
        let entities = self.marks.into_iter().zip(ranges).filter_map(|(mark, range)| {
            let (start, end) = (lookup(&units, range.start)?, lookup(&units, range.end)?);
            let url = mark.url.map(|url| pii::mask(&url).into_owned());
            Some(Entity { kind: mark.kind, offset: start, length: end - start, url })
        });
        let entities = entities.collect();
        (masked, entities)
    }

    fn without_nul(mut self) -> Self {
        if self.text.contains('\0') {
            for mark in &mut self.marks {
                let nuls = |end: usize| self.text[..end].matches('\0').count();
                mark.range = mark.range.start - nuls(mark.range.start)..mark.range.end - nuls(mark.range.end);
            }
            self.text.retain(|c| c != '\0');
        }
        self
    }
}

/// Places that the chat itself marks as personal.
fn known(marks: &[Mark]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for Mark { range, kind, .. } in marks {
        let kind = match kind.as_str() {
            "email" => Kind::Email,
            "phone" | "phone_number" => Kind::Phone,
            "bank_card" => Kind::Card,
            _ => continue,
        };
        if range.start >= spans.last().map_or(0, |last| last.end) && !range.is_empty() {
            spans.push(Span { start: range.start, end: range.end, kind });
        }
    }
    spans
}

/// UTF-16 offset of each of the byte offsets, in one pass.
fn utf16_offsets(text: &str, mut bytes: Vec<usize>) -> Vec<(usize, i32)> {
    bytes.sort_unstable();
    bytes.dedup();
    let mut units = 0;
    let mut from = 0;
    let offset = |byte: usize| {
        units += text[from..byte].chars().map(|c| c.len_utf16() as i32).sum::<i32>();
        from = byte;
        (byte, units)
    };
    bytes.into_iter().map(offset).collect()
}

/// Byte offset of each of the UTF-16 offsets that lie on a character boundary, in one pass.
fn byte_offsets(text: &str, mut units: Vec<i32>) -> Vec<(i32, usize)> {
    units.sort_unstable();
    units.dedup();
    let mut wanted = units.into_iter().peekable();
    let mut found = Vec::new();
    let mut at = 0;
    let ends = text.char_indices().map(|(byte, c)| (byte, c.len_utf16() as i32)).chain([(text.len(), 0)]);
    for (byte, length) in ends {
        while let Some(unit) = wanted.next_if(|unit| *unit <= at) {
            if unit == at {
                found.push((unit, byte));
            }
        }
        at += length;
    }
    found
}

fn lookup<K: Ord + Copy, V: Copy>(offsets: &[(K, V)], key: K) -> Option<V> {
    offsets
        .binary_search_by_key(&key, |(key, _)| *key)
        .ok()
        .and_then(|index| offsets.get(index))
        .map(|(_, v)| *v)
}
