//! Two versions of a window's digest side by side. Filled by `Store::digest_versions` and `Store::digest_show`.

use super::VersionLine;
use crate::{Page, Section, context::Context, locale::Words};
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, DiffOp, TextDiff};

/// A version as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Id of the digest.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Its lines, as they were posted.
    pub lines: Vec<String>,
}

/// Two versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Group.
    pub group_id: String,
    /// Id of the window.
    pub window_id: String,
    /// IANA name of the group's time zone.
    pub time_zone: String,
    /// Start in ms, inclusive.
    pub window_start_ms: i64,
    /// End in ms, exclusive.
    pub window_end_ms: i64,
    /// Language of the digest.
    pub language: String,
    /// All versions that are kept, the newest first.
    pub versions: Vec<VersionLine>,
    /// The older one.
    pub old: Side,
    /// The newer one.
    pub new: Side,
}

/// Share of words from which two lines are one that was reworded.
const REWORDED_MIN: f32 = 0.5;

/// A part of a line, and whether the other side has it not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) is_changed: bool,
}

/// A line of both sides; none on a side that has no such line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) old: Option<Vec<Piece>>,
    pub(crate) new: Option<Vec<Piece>>,
    pub(crate) is_changed: bool,
}

impl Versions {
    /// The lines of both, those that tell the same beside each other.
    fn pairs(&self) -> Vec<Pair> {
        let old: Vec<&str> = self.old.lines.iter().map(String::as_str).collect();
        let new: Vec<&str> = self.new.lines.iter().map(String::as_str).collect();
        let lines = TextDiff::from_slices(&old, &new);
        lines.ops().iter().flat_map(|op| pairs_of(*op, &old, &new)).collect()
    }

    fn is_same(&self) -> bool {
        self.old.lines == self.new.lines
    }

    fn facts(&self, c: &Context<'_>) -> String {
        c.dates().period(self.window_start_ms, self.window_end_ms)
    }
}

fn pairs_of(op: DiffOp, old: &[&str], new: &[&str]) -> Vec<Pair> {
    let (before, after) = (&old[op.old_range()], &new[op.new_range()]);
    if matches!(op, DiffOp::Equal { .. }) {
        let pair = |line: &&str| Pair {
            old: Some(whole(line, false)),
            new: Some(whole(line, false)),
            is_changed: false,
        };
        return before.iter().map(pair).collect();
    }
    let mut pairs = Vec::new();
    let mut next = 0;
    for line in before {
        let alike = (next..after.len()).find(|at| is_reworded(line, after[*at]));
        let Some(at) = alike else {
            pairs.push(Pair { old: Some(whole(line, true)), new: None, is_changed: true });
            continue;
        };
        pairs.extend(after[next..at].iter().map(|line| added(line)));
        let (old, new) = words(line, after[at]);
        pairs.push(Pair { old: Some(old), new: Some(new), is_changed: true });
        next = at + 1;
    }
    pairs.extend(after[next..].iter().map(|line| added(line)));
    pairs
}

fn whole(line: &str, is_changed: bool) -> Vec<Piece> {
    vec![Piece { text: line.to_owned(), is_changed }]
}

fn added(line: &str) -> Pair {
    Pair { old: None, new: Some(whole(line, true)), is_changed: true }
}

/// Whether a line is another one in other words, rather than another line.
fn is_reworded(old: &str, new: &str) -> bool {
    TextDiff::from_words(old, new).ratio() >= REWORDED_MIN
}

/// Both lines in pieces, where each differs from the other by words.
fn words(old: &str, new: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for change in TextDiff::from_words(old, new).iter_all_changes() {
        let text = change.value();
        match change.tag() {
            ChangeTag::Equal => {
                put(&mut left, text, false);
                put(&mut right, text, false);
            }
            ChangeTag::Delete => put(&mut left, text, true),
            ChangeTag::Insert => put(&mut right, text, true),
        }
    }
    (left, right)
}

/// Words that are alike make one piece.
fn put(pieces: &mut Vec<Piece>, text: &str, is_changed: bool) {
    match pieces.last_mut() {
        Some(last) if last.is_changed == is_changed => last.text.push_str(text),
        _ => pieces.push(Piece { text: text.to_owned(), is_changed }),
    }
}

impl Page for Versions {
    fn title(&self, words: &'static Words) -> String {
        words.versions.to_owned()
    }

    fn section(&self) -> Section {
        Section::Groups
    }

    fn time_zone(&self) -> Option<&str> {
        Some(&self.time_zone)
    }

    html!(Versions, "versions.html");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(lines: &[&str]) -> Side {
        Side { lines: lines.iter().map(|it| (*it).to_owned()).collect(), ..Side::default() }
    }

    fn told(pieces: Option<&Vec<Piece>>) -> String {
        let told =
            |piece: &Piece| if piece.is_changed { format!("[{}]", piece.text) } else { piece.text.clone() };
        pieces.map_or_else(|| "-".to_owned(), |pieces| pieces.iter().map(told).collect())
    }

    #[test]
    fn a_reworded_line_stands_beside_itself_and_shows_its_words() {
        let versions = Versions {
            old: side(&["We meet on Friday at nine", "Ann: the lift is broken", "Bye"]),
            new: side(&["We meet on Monday at nine", "Bye", "A new line"]),
            ..Versions::default()
        };
        let pairs: Vec<(String, String)> =
            versions.pairs().iter().map(|it| (told(it.old.as_ref()), told(it.new.as_ref()))).collect();
        let wanted = [
            ("We meet on [Friday] at nine", "We meet on [Monday] at nine"),
            ("[Ann: the lift is broken]", "-"),
            ("Bye", "Bye"),
            ("-", "[A new line]"),
        ];
        assert_eq!(pairs, wanted.map(|(old, new)| (old.to_owned(), new.to_owned())));
    }
}
