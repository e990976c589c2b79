//! What was found. Filled by `Store::search_messages` and `Store::search_digests`.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// A digest that cites a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// Id of the digest.
    pub digest_id: String,
    /// Its headline.
    pub headline: String,
}

/// A message that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageHit {
    /// Group.
    pub group_id: String,
    /// Id of the message.
    pub message_id: i64,
    /// Who wrote it; none where nobody is known.
    pub author: Option<String>,
    /// Sent, in ms.
    pub sent_at_ms: i64,
    /// The text, or the part of it around the words.
    pub snippet: String,
    /// The words, as they stand there.
    pub matches: Vec<String>,
    /// Digests that cite it.
    pub digests: Vec<Citation>,
}

/// A digest that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestHit {
    /// Group.
    pub group_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// Start of its window in ms.
    pub window_start_ms: i64,
    /// End of its window in ms.
    pub window_end_ms: i64,
    /// Its headline.
    pub headline: String,
    /// The part of it around the words.
    pub snippet: String,
    /// The words, as they stand there.
    pub matches: Vec<String>,
}

/// A search and what it came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// What was looked for; empty before the first search.
    pub query: String,
    /// In this group only; all where empty.
    pub group_id: String,
    /// Whether the query has a word that is looked for.
    pub has_words: bool,
    /// Messages, best first.
    pub messages: Vec<MessageHit>,
    /// Digests, best first.
    pub digests: Vec<DigestHit>,
}

/// A part of a snippet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) text: &'a str,
    pub(crate) is_match: bool,
}

/// A snippet in pieces; where words overlap, the longer one that begins first is marked.
pub(crate) fn pieces<'a>(snippet: &'a str, matches: &[String]) -> Vec<Piece<'a>> {
    let (mut pieces, mut rest, mut plain) = (Vec::new(), 0, 0);
    while rest < snippet.len() {
        let here = &snippet[rest..];
        let is_inside = snippet[..rest].chars().next_back().is_some_and(char::is_alphanumeric);
        let found = matches.iter().filter(|it| !it.is_empty() && !is_inside && here.starts_with(it.as_str()));
        match found.map(String::len).max() {
            Some(length) => {
                push(&mut pieces, &snippet[plain..rest], false);
                push(&mut pieces, &here[..length], true);
                rest += length;
                plain = rest;
            }
            None => rest += here.chars().next().map_or(1, char::len_utf8),
        }
    }
    push(&mut pieces, &snippet[plain..], false);
    pieces
}

fn push<'a>(pieces: &mut Vec<Piece<'a>>, text: &'a str, is_match: bool) {
    if !text.is_empty() {
        pieces.push(Piece { text, is_match });
    }
}

impl MessageHit {
    fn pieces(&self) -> Vec<Piece<'_>> {
        pieces(&self.snippet, &self.matches)
    }
}

impl DigestHit {
    fn pieces(&self) -> Vec<Piece<'_>> {
        pieces(&self.snippet, &self.matches)
    }
}

impl Search {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.digests.is_empty()
    }
}

impl Page for Search {
    fn title(&self, words: &'static Words) -> String {
        words.search.to_owned()
    }

    fn section(&self) -> Section {
        Section::Search
    }

    html!(Search, "search.html");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_were_found_are_marked_whole_and_nothing_inside_others() {
        let marked = |snippet: &str, matches: &[&str]| {
            let matches: Vec<String> = matches.iter().map(|it| (*it).to_owned()).collect();
            let told =
                |it: Piece<'_>| if it.is_match { format!("[{}]", it.text) } else { it.text.to_owned() };
            pieces(snippet, &matches).into_iter().map(told).collect::<String>()
        };
        assert_eq!(marked("Бурю ждут, бурелом убран", &["Бурю", "буре"]), "[Бурю] ждут, [буре]лом убран");
        assert_eq!(marked("a tree, agree", &["ree", "tree"]), "a [tree], agree");
        assert_eq!(marked("storm", &["storm", ""]), "[storm]");
        assert_eq!(marked("", &["x"]), "");
    }
}
