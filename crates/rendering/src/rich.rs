//! A digest as paragraphs with styled spans, for channels that take styles beside the text instead of markup in it.
//!
//! Invariant: a span begins and ends between characters of its paragraph's text, and is not empty.

use crate::{
    View,
    outline::{Block, outline},
    period::period,
    wording::Wording,
    wrap::printable,
};
use schemas::WindowRef;

/// How a span looks, or what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Style {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// A link to this address.
    Link(String),
}

/// A part of a paragraph's text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// One past its end.
    pub end: usize,
    /// How it looks.
    pub style: Style,
}

/// A line of a digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paragraph {
    /// Its text, on one line.
    pub text: String,
    /// Its styled spans.
    pub spans: Vec<Span>,
    /// True for one that goes on with what the line before has begun: no empty line parts them.
    pub follows: bool,
}

impl Paragraph {
    fn push(&mut self, text: &str, style: Option<Style>) {
        let start = self.text.len();
        self.text.push_str(text);
        if let Some(style) = style.filter(|_| !text.is_empty()) {
            self.spans.push(Span { start, end: self.text.len(), style });
        }
    }
}

/// Renders a digest as paragraphs; `note` follows its period and counts.
pub fn rich(view: &View<'_>, note: Option<&str>) -> Vec<Paragraph> {
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    let mut follows = false;
    for block in outline(view) {
        let is_heading = matches!(block, Block::Headline(_) | Block::Section(_) | Block::Topic { .. });
        let is_line =
            matches!(block, Block::Item { .. } | Block::Link { .. } | Block::Entry { .. } | Block::More(_));
        let mut paragraph = Paragraph { follows: follows && is_line, ..Paragraph::default() };
        fill(&mut paragraph, &block, (view, "• "));
        follows = is_line || (is_heading && !matches!(block, Block::Headline(_)));
        paragraphs.push(paragraph);
        if let (Block::Facts(_), Some(note)) = (&block, note) {
            paragraphs.push(Paragraph { follows: true, ..note_line(note) });
        }
    }
    paragraphs
}

/// What stands in the place of a digest that was withdrawn; in both languages where the window's is not known.
pub fn withdrawn(window: &WindowRef) -> Vec<Paragraph> {
    let languages: &[&str] = match window.settings.language.as_str() {
        "ru" => &["ru"],
        "auto" => &["ru", "en"],
        _ => &["en"],
    };
    let mut heading = Paragraph::default();
    heading.push(&period(window), Some(Style::Italic));
    let text = |language: &&str| {
        let words = Wording::of(language);
        let text = if window.message_count == 0 { words.withdrawn } else { words.outdated };
        Paragraph { text: text.to_owned(), ..Paragraph::default() }
    };
    std::iter::once(heading).chain(languages.iter().map(text)).collect()
}

/// What stands in the place of a part that a newer version of a digest does not have.
pub fn emptied_part(language: &str) -> &'static str {
    Wording::of(language).emptied_part
}

/// A note as a paragraph.
pub(crate) fn note_line(note: &str) -> Paragraph {
    let mut line = Paragraph::default();
    line.push(&printable(note), Some(Style::Italic));
    line
}

/// Puts a block into a paragraph; `bullet` begins the line of a list, and none is shifted where that is empty.
pub(crate) fn fill(out: &mut Paragraph, block: &Block, (view, bullet): (&View<'_>, &str)) {
    match block {
        Block::Headline(text) => out.push(&printable(text), Some(Style::Bold)),
        Block::Section(text) => out.push(text, Some(Style::Bold)),
        Block::Facts(text) | Block::Footer(text) => out.push(&printable(text), Some(Style::Italic)),
        Block::More(text) => out.push(&format!("{bullet}{}", printable(text)), None),
        Block::Topic { title, facts } => {
            out.push(&printable(title), Some(Style::Bold));
            if !facts.is_empty() {
                out.push(" · ", None);
                out.push(&printable(facts), Some(Style::Italic));
            }
        }
        Block::Entry { title, facts } => {
            out.push(bullet, None);
            out.push(&printable(title), Some(Style::Bold));
            out.push(&format!(" · {}", printable(facts)), None);
        }
        Block::Item { depth, text, message_ids } => {
            let depth = if bullet.is_empty() { 0 } else { *depth };
            out.push(&format!("{}{bullet}{}", "  ".repeat(depth), printable(text)), None);
            references(out, message_ids, view);
        }
        Block::Link { url, message_ids } => {
            out.push(&format!("{bullet}{}", printable(url)), None);
            references(out, message_ids, view);
        }
    }
}

/// ` [12] [15]`, each a link where the chat is known.
fn references(out: &mut Paragraph, ids: &[i64], view: &View<'_>) {
    for id in ids {
        out.push(" ", None);
        out.push(&format!("[{id}]"), view.address(*id).map(Style::Link));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::GroupSettings;

    fn told(language: &str, message_count: i32) -> Vec<String> {
        let settings = GroupSettings { language: language.to_owned(), ..GroupSettings::default() };
        let window = WindowRef {
            size_hours: 24,
            window_start: 1_709_251_200_000,
            window_end: 1_709_337_600_000,
            revision: 2,
            lane: "live".to_owned(),
            message_count,
            participant_count: 0,
            settings,
            source_partition: 0,
            source_offset: 0,
        };
        withdrawn(&window).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn a_digest_that_was_withdrawn_says_of_what_time_it_was_and_why() {
        let none_left = "This digest was withdrawn: no messages of this time are left.";
        assert_eq!(told("en", 0), ["2024-03-01 (UTC)", none_left]);
        let changed = "Дайджест отозван: сообщения, о которых он был, изменились.";
        assert_eq!(told("ru", 2), ["2024-03-01 (UTC)", changed]);
        assert_eq!(told("auto", 0).len(), 3);
    }
}
