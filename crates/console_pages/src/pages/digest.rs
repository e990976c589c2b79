//! A digest as it was posted, each claim with the messages that it cites. Filled by `Store::digest_show`,
//! `digest_versions`, `message_page`, `cited_messages` and `delivery_page`.
//!
//! Invariant: the lines are those that every channel gets, in their order.

use super::{DeliveryLine, DigestLine, VersionLine};
use crate::{Page, Section, context::Context, locale::Words};
use rendering::View;
use schemas::Message;
use serde::{Deserialize, Serialize};

/// A block of the digest, in reading order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    /// Period and counts.
    Facts(String),
    /// Start of a section.
    Section(String),
    /// A topic: title and what is known of it.
    Topic(String, String),
    /// A thread or a person: title and what is known of it.
    Entry(String, String),
    /// A claim and the ids of its messages.
    Claim(String, Vec<i64>),
    /// An address and the ids of its messages.
    Link(String, Vec<i64>),
    /// How many lines are left out, or what closes the digest.
    Note(String),
}

/// The blocks of a digest as it was posted, without its headline, which is that of the view.
pub fn blocks(view: &View<'_>) -> Vec<Block> {
    rendering::outline(view)
        .into_iter()
        .filter_map(|block| match block {
            rendering::Block::Headline(_) => None,
            rendering::Block::Facts(text) => Some(Block::Facts(text)),
            rendering::Block::Section(text) => Some(Block::Section(text.to_owned())),
            rendering::Block::Topic { title, facts } => Some(Block::Topic(title, facts)),
            rendering::Block::Entry { title, facts } => Some(Block::Entry(title, facts)),
            rendering::Block::Item { text, message_ids, .. } => Some(Block::Claim(text, message_ids)),
            rendering::Block::Link { url, message_ids } => Some(Block::Link(url, message_ids)),
            rendering::Block::More(text) | rendering::Block::Footer(text) => Some(Block::Note(text)),
        })
        .collect()
}

/// The lines of a digest as text, to be held against another version's.
pub fn text_lines(view: &View<'_>) -> Vec<String> {
    let line = |block| match block {
        rendering::Block::Headline(text) | rendering::Block::Facts(text) | rendering::Block::Footer(text) => {
            text
        }
        rendering::Block::Section(text) => text.to_owned(),
        rendering::Block::Topic { title, facts } if facts.is_empty() => title,
        rendering::Block::Topic { title, facts } | rendering::Block::Entry { title, facts } => {
            format!("{title} · {facts}")
        }
        rendering::Block::Item { text, .. } | rendering::Block::More(text) => text,
        rendering::Block::Link { url, .. } => url,
    };
    rendering::outline(view).into_iter().map(line).collect()
}

/// A message that somebody said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Its id.
    pub message_id: i64,
    /// Who wrote it; none where nobody is known.
    pub author: Option<String>,
    /// Sent, in ms.
    pub sent_at_ms: i64,
    /// Its text.
    pub text: String,
    /// Id of the message that it answers.
    pub reply_to: Option<i64>,
    /// Whether it was edited.
    pub is_edited: bool,
    /// What is attached to it, as events have it; empty for nothing.
    pub media: String,
}

impl From<&Message> for Said {
    fn from(message: &Message) -> Self {
        Self {
            message_id: message.id,
            author: message.author.as_ref().map(|it| it.name.clone()).filter(|name| !name.is_empty()),
            sent_at_ms: message.sent_at,
            text: message.text.clone(),
            reply_to: message.reply_to,
            is_edited: message.revision > 0,
            media: message.media.as_ref().map(|it| it.kind.clone()).unwrap_or_default(),
        }
    }
}

/// A digest and what it was made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DigestPage {
    /// The digest on a line.
    pub line: DigestLine,
    /// IANA name of the group's time zone.
    pub time_zone: String,
    /// What was posted, of [`blocks`]; empty where it was withdrawn.
    pub blocks: Vec<Block>,
    /// Messages of the window by time: those that claims cite and those around them.
    pub messages: Vec<Said>,
    /// What the address of a message in its chat begins with, as `https://t.me/c/123/`; none where it has none.
    pub chat_address: Option<String>,
    /// All versions that are kept, the newest first.
    pub versions: Vec<VersionLine>,
    /// Where it went.
    pub deliveries: Vec<DeliveryLine>,
    /// The digest of the window before; none where there is none.
    pub before: Option<String>,
    /// That of the window after.
    pub after: Option<String>,
}

/// Lines that belong together.
pub(crate) enum Part<'a> {
    Facts(&'a str),
    Section(&'a str),
    Topic(&'a str, &'a str),
    Entry(&'a str, &'a str),
    Note(&'a str),
    Lines(Vec<Line<'a>>),
}

/// A claim or an address.
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    /// Where an address leads; none for what is no web address.
    pub(crate) href: Option<&'a str>,
    pub(crate) ids: &'a [i64],
    /// What was said around it.
    pub(crate) quotes: Vec<Quote<'a>>,
    /// Cited messages that the window does not hold.
    pub(crate) elsewhere: Vec<i64>,
}

/// A message of a claim.
pub(crate) struct Quote<'a> {
    pub(crate) said: &'a Said,
    pub(crate) is_cited: bool,
    /// Its text, shortened where it only stands beside one that is cited.
    pub(crate) text: String,
    /// Whether messages between the one before and this are left out.
    pub(crate) is_after_gap: bool,
    pub(crate) address: Option<String>,
}

/// Most characters of a message that is not cited.
const BESIDE_MAX: usize = 200;

impl DigestPage {
    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Facts(text) => parts.push(Part::Facts(text)),
                Block::Section(text) => parts.push(Part::Section(text)),
                Block::Topic(title, facts) => parts.push(Part::Topic(title, facts)),
                Block::Entry(title, facts) => parts.push(Part::Entry(title, facts)),
                Block::Note(text) => parts.push(Part::Note(text)),
                Block::Claim(text, ids) => put_line(&mut parts, self.line(text, None, ids)),
                Block::Link(url, ids) => put_line(&mut parts, self.line(url, web(url), ids)),
            }
        }
        parts
    }

    fn line<'a>(&'a self, text: &'a str, href: Option<&'a str>, ids: &'a [i64]) -> Line<'a> {
        let place = |id: &i64| self.messages.iter().position(|it| it.message_id == *id);
        let cited: Vec<usize> = ids.iter().filter_map(place).collect();
        let elsewhere = ids.iter().copied().filter(|id| place(id).is_none()).collect();
        let mut shown: Vec<usize> = cited
            .iter()
            .flat_map(|at| {
                let asked = self.messages[*at].reply_to.as_ref().and_then(place);
                [at.checked_sub(1), Some(*at), Some(at + 1), asked].into_iter().flatten()
            })
            .filter(|at| *at < self.messages.len())
            .collect();
        shown.sort_unstable();
        shown.dedup();
        let mut before = None;
        let quotes = shown.into_iter().map(|at| {
            let is_after_gap = before.is_some_and(|before| at > before + 1);
            before = Some(at);
            self.quote(at, cited.contains(&at), is_after_gap)
        });
        Line { text, href, ids, quotes: quotes.collect(), elsewhere }
    }

    fn quote(&self, at: usize, is_cited: bool, is_after_gap: bool) -> Quote<'_> {
        let said = &self.messages[at];
        let text = if is_cited { said.text.clone() } else { beginning(&said.text) };
        let address = self.chat_address.as_ref().map(|chat| format!("{chat}{}", said.message_id));
        Quote { said, is_cited, text, is_after_gap, address: address.filter(|it| web(it).is_some()) }
    }

    fn place(&self) -> Option<usize> {
        self.versions.iter().position(|it| it.digest_id == self.line.digest_id)
    }

    /// Whether a newer version is kept.
    fn newer(&self) -> Option<&VersionLine> {
        self.place().filter(|at| *at > 0).and_then(|_| self.versions.first())
    }

    fn period(&self, c: &Context<'_>) -> String {
        c.dates().period(self.line.window_start_ms, self.line.window_end_ms)
    }
}

fn put_line<'a>(parts: &mut Vec<Part<'a>>, line: Line<'a>) {
    match parts.last_mut() {
        Some(Part::Lines(lines)) => lines.push(line),
        _ => parts.push(Part::Lines(vec![line])),
    }
}

/// An address that a browser may follow; none for one that would run something.
fn web(url: &str) -> Option<&str> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    (is_web && !url.chars().any(|c| c.is_whitespace() || c.is_control())).then_some(url)
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(BESIDE_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

impl Page for DigestPage {
    fn title(&self, words: &'static Words) -> String {
        if self.line.headline.is_empty() { words.withdrawn.to_owned() } else { self.line.headline.clone() }
    }

    fn section(&self) -> Section {
        Section::Groups
    }

    fn time_zone(&self) -> Option<&str> {
        Some(&self.time_zone)
    }

    html!(DigestPage, "digest.html");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(id: i64, reply_to: Option<i64>) -> Said {
        Said { message_id: id, text: "x".repeat(300), reply_to, ..Said::default() }
    }

    #[test]
    fn a_claim_opens_what_it_cites_with_its_neighbours_and_what_it_answers() {
        let messages = [(1, None), (2, None), (3, None), (4, None), (5, None), (6, Some(1))];
        let page = DigestPage {
            messages: messages.map(|(id, reply)| said(id, reply)).to_vec(),
            blocks: vec![Block::Claim("c".to_owned(), vec![6, 77])],
            ..DigestPage::default()
        };
        let parts = page.parts();
        let [Part::Lines(lines)] = parts.as_slice() else { panic!("one list") };
        let quotes = &lines[0].quotes;
        let ids: Vec<_> =
            quotes.iter().map(|it| (it.said.message_id, it.is_cited, it.is_after_gap)).collect();
        assert_eq!(ids, [(1, false, false), (5, false, true), (6, true, false)]);
        assert_eq!(lines[0].elsewhere, [77]);
        assert_eq!((quotes[0].text.chars().count(), quotes[2].text.chars().count()), (201, 300));
    }

    #[test]
    fn only_web_addresses_are_followed() {
        assert_eq!(web("https://a.example/b"), Some("https://a.example/b"));
        for url in ["javascript:alert(1)", "//a.example", "https://a.example/ onclick", "data:text/html,x"] {
            assert_eq!(web(url), None, "{url}");
        }
    }
}
