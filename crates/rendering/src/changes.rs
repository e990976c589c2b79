//! What a newer version of a digest says otherwise, in one line.
//!
//! Invariant: pure; the line has no word that the newer version does not have, so that what was edited out or deleted is not
//! told once more.

use crate::{
    View,
    change::Change,
    outline::{Block, action_text, action_words, outline},
    wording::Wording,
    wrap::printable,
};
use schemas::Action;
use serde::{Deserialize, Serialize};

/// Most changes that are told.
const CHANGES_MAX: usize = 3;
/// Most characters of what is quoted.
const QUOTED_MAX: usize = 80;
/// Words before those that have changed, so that they can be understood.
const WORDS_BEFORE: usize = 2;

/// What the page of a digest states, as it is remembered until the next version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    message_count: i32,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    text: String,
    /// Until when it is to be done.
    due: Option<String>,
    message_ids: Vec<i64>,
}

/// What the page of a digest states.
pub fn stated(view: &View<'_>) -> Stated {
    let words = Wording::of(&view.digest.language);
    let lines = outline(view).into_iter().filter_map(|block| {
        let Block::Item { text, message_ids, .. } = block else { return None };
        let is_it =
            |action: &&Action| action.message_ids == message_ids && action_text(action, words) == text;
        let action = view.digest.actions.iter().find(is_it);
        let due = action.and_then(|action| action.due_date.clone().or_else(|| action.due.clone()));
        let text = printable(&action.map_or(text, action_words));
        Some(Line { text, due, message_ids })
    });
    Stated { message_count: view.digest.message_count, lines: lines.collect() }
}

/// What is otherwise than `before`, in the digest's language; none where its page states the same.
pub fn changed(before: &Stated, view: &View<'_>) -> Option<String> {
    let now = stated(view);
    (*before != now).then(|| {
        let mut changes = changes(before, &now);
        changes.truncate(CHANGES_MAX);
        Wording::of(&view.digest.language).updated(&changes)
    })
}

fn changes(before: &Stated, now: &Stated) -> Vec<Change> {
    let (mut moved, mut reworded, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for line in &now.lines {
        match counterpart(&before.lines, line) {
            Some(old) => {
                moved.extend(line.due.clone().filter(|_| line.due != old.due).map(Change::Moved));
                reworded.extend(rewording(&old.text, &line.text));
            }
            None => new.push(Change::New(quoted(&line.text))),
        }
    }
    let difference = now.message_count - before.message_count;
    let is_gone = |old: &Line| counterpart(&now.lines, old).is_none();
    let count = match difference {
        ..0 => Some(Change::Withdrawn(-difference)),
        // A line that is new tells it better.
        1.. if new.is_empty() => Some(Change::Late(difference)),
        0 if moved.is_empty() && reworded.is_empty() && new.is_empty() => {
            before.lines.iter().any(is_gone).then_some(Change::Gone)
        }
        _ => None,
    };
    // Where messages are gone, a line that is new only has room now.
    let new = new.into_iter().filter(|_| difference >= 0);
    moved.into_iter().chain(reworded).chain(new).chain(count).collect()
}

/// The line of another version that tells the same messages, else one that tells some of them.
fn counterpart<'a>(lines: &'a [Line], line: &Line) -> Option<&'a Line> {
    let shares = |other: &&Line| other.message_ids.iter().any(|id| line.message_ids.contains(id));
    let same = lines.iter().find(|other| other.message_ids == line.message_ids);
    same.or_else(|| lines.iter().find(shares))
}

/// The words that stand in a text and not in its place before, with a few that lead to them.
fn rewording(old: &str, new: &str) -> Option<Change> {
    if old == new {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split(' ').collect(), new.split(' ').collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let head = same(&mut old.iter().zip(&new));
    let tail = same(&mut old[head..].iter().rev().zip(new[head..].iter().rev()));
    let end = new.len() - tail;
    if head >= end {
        return Some(Change::Shortened);
    }
    let words = new[head.saturating_sub(WORDS_BEFORE)..end].join(" ");
    Some(Change::Reworded(quoted(words.trim_end_matches(['.', ',', ';', ':', '!', '…']))))
}

/// A text that is not long, cut between words where there are any.
fn quoted(text: &str) -> String {
    if text.chars().count() <= QUOTED_MAX {
        return text.to_owned();
    }
    let cut: String = text.chars().take(QUOTED_MAX).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests;
