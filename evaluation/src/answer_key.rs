//! Holds digests against the answer key of a sample: what a careful reader would note.
//!
//! Invariant: pure; a found item needs a citation of one of its messages in the list of its kind, and a found
//! conversation a thread that shares half of their messages, nothing looser.

use schemas::{ContextMessage, Digest, Threads};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Overlap of two sets of messages (intersection over union) from which they are the same conversation; the
/// bound of detection in Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge" (IJCV 2010).
const SAME_THREAD: f64 = 0.5;

/// A sample's answer key; further fields are for people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct AnswerKey {
    /// What was decided.
    pub decisions: Vec<Item>,
    /// What stayed open.
    pub questions: Vec<Item>,
    /// What is to be done.
    pub actions: Vec<Item>,
    /// Conversations.
    pub threads: Vec<Conversation>,
}

/// Something that a digest must cite.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Item {
    /// In the words of the key.
    pub text: String,
    /// Messages that state it; any one of them will do.
    pub message_ids: Vec<i64>,
    /// Of an action: first names, separated by commas; any one of them will do.
    pub owner: Option<String>,
}

/// A conversation; it lies within one window.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Conversation {
    /// In the words of the key.
    pub title: String,
    /// Its messages.
    pub message_ids: Vec<i64>,
}

/// A window's digest and what it is checked with.
#[derive(Debug, Clone, Copy)]
pub struct Digested<'a> {
    /// The digest.
    pub digest: &'a Digest,
    /// Artifact of `thread_builder`.
    pub threads: &'a Threads,
    /// Messages of the window.
    pub messages: &'a [ContextMessage],
}

/// How much of a kind was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Items of the key.
    pub total: usize,
    /// Texts of those that no digest cites.
    pub missed: Vec<String>,
    /// Items in the digests.
    pub listed: usize,
}

impl Tally {
    /// Items found.
    pub fn found(&self) -> usize {
        self.total - self.missed.len()
    }

    /// Share of the key that was found, in [0, 1]; 1 for an empty key.
    pub fn share(&self) -> f64 {
        if self.total == 0 { 1.0 } else { self.found() as f64 / self.total as f64 }
    }
}

/// What a check finds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Checked {
    /// Decisions.
    pub decisions: Tally,
    /// Open questions.
    pub questions: Tally,
    /// Actions with their owners.
    pub actions: Tally,
    /// Conversations.
    pub threads: Tally,
    /// Cited ids that are no message of their window.
    pub dangling: usize,
}

/// Checks the digests of a sample's windows against its key.
pub fn check(key: &AnswerKey, windows: &[Digested<'_>]) -> Checked {
    let claims = |pick: fn(&Digest) -> Vec<&[i64]>| -> Vec<&[i64]> {
        windows.iter().flat_map(|window| pick(window.digest)).collect()
    };
    let decisions =
        claims(|digest| digest.decisions.iter().map(|claim| claim.message_ids.as_slice()).collect());
    let questions =
        claims(|digest| digest.questions.iter().map(|claim| claim.message_ids.as_slice()).collect());
    Checked {
        decisions: cited(&key.decisions, &decisions),
        questions: cited(&key.questions, &questions),
        actions: actions(key, windows),
        threads: threads(key, windows),
        dangling: windows.iter().map(dangling).sum(),
    }
}

fn cited(items: &[Item], citations: &[&[i64]]) -> Tally {
    let ids: BTreeSet<i64> = citations.iter().flat_map(|ids| ids.iter().copied()).collect();
    let missed = items.iter().filter(|item| !item.message_ids.iter().any(|id| ids.contains(id)));
    Tally {
        total: items.len(),
        missed: missed.map(|item| item.text.clone()).collect(),
        listed: citations.len(),
    }
}

fn actions(key: &AnswerKey, windows: &[Digested<'_>]) -> Tally {
    let listed = || windows.iter().flat_map(|window| &window.digest.actions);
    let found = |item: &&Item| {
        listed().any(|action| {
            action.message_ids.iter().any(|id| item.message_ids.contains(id))
                && owns(item.owner.as_deref(), action.owner.as_deref())
        })
    };
    let missed = key.actions.iter().filter(|item| !found(item));
    Tally {
        total: key.actions.len(),
        missed: missed.map(|item| item.text.clone()).collect(),
        listed: listed().count(),
    }
}

/// Whether the display name of a found owner starts with one of the key's names.
fn owns(wanted: Option<&str>, found: Option<&str>) -> bool {
    let Some(wanted) = wanted else { return true };
    let found = text::fold(found.unwrap_or_default());
    wanted.split(',').any(|name| {
        let rest = found.strip_prefix(&text::fold(name.trim()));
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

/// Threads part the messages of a window, so that many or large ones find no more conversations than right ones.
fn threads(key: &AnswerKey, windows: &[Digested<'_>]) -> Tally {
    let listed: Vec<BTreeSet<i64>> = windows
        .iter()
        .flat_map(|window| &window.threads.threads)
        .map(|thread| thread.message_ids.iter().copied().collect())
        .collect();
    conversations(&key.threads, &listed)
}

fn conversations(wanted: &[Conversation], listed: &[BTreeSet<i64>]) -> Tally {
    let found = |conversation: &&Conversation| {
        let messages: BTreeSet<i64> = conversation.message_ids.iter().copied().collect();
        listed.iter().any(|thread| jaccard(&messages, thread) >= SAME_THREAD)
    };
    let missed = wanted.iter().filter(|conversation| !found(conversation));
    Tally {
        total: wanted.len(),
        missed: missed.map(|conversation| conversation.title.clone()).collect(),
        listed: listed.len(),
    }
}

fn jaccard(a: &BTreeSet<i64>, b: &BTreeSet<i64>) -> f64 {
    let shared = a.intersection(b).count();
    let all = a.len() + b.len() - shared;
    if all == 0 { 0.0 } else { shared as f64 / all as f64 }
}

fn dangling(window: &Digested<'_>) -> usize {
    let known: BTreeSet<i64> = window.messages.iter().map(|message| message.id).collect();
    window.digest.citations().flatten().filter(|id| !known.contains(id)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(message_ids: &[i64], owner: Option<&str>) -> Item {
        Item { text: "x".to_owned(), message_ids: message_ids.to_vec(), owner: owner.map(str::to_owned) }
    }

    #[test]
    fn any_message_of_an_item_will_do() {
        let tally = cited(&[item(&[1, 2], None), item(&[3], None)], &[&[2], &[9]]);
        assert_eq!((tally.found(), tally.total, tally.listed), (1, 2, 2));
        assert!((tally.share() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn owners_match_by_first_name_or_name_and_patronymic() {
        assert!(owns(Some("Tom, Maria"), Some("Maria Lindqvist")));
        assert!(owns(Some("Артём"), Some("Артем Лис")));
        assert!(owns(Some("Надежда Юрьевна"), Some("Надежда Юрьевна")));
        assert!(!owns(Some("Tom"), Some("Tomas")));
        assert!(!owns(Some("Tom"), None));
    }

    fn set(ids: &[i64]) -> BTreeSet<i64> {
        ids.iter().copied().collect()
    }

    #[test]
    fn a_conversation_needs_a_thread_of_about_its_messages() {
        let wanted = [("halved", 1..=4), ("swallowed", 5..=8), ("kept", 9..=12)];
        let wanted =
            wanted.map(|(title, ids)| Conversation { title: title.to_owned(), message_ids: ids.collect() });
        // 2 of 5, 4 of 9 and 4 of 7.
        let listed =
            [set(&[1, 2, 20]), set(&[3, 4, 5, 6, 7, 8, 21, 22, 23]), set(&[9, 10, 11, 12, 24, 25, 26])];
        let tally = conversations(&wanted, &listed);
        assert_eq!((tally.found(), tally.missed), (1, vec!["halved".to_owned(), "swallowed".to_owned()]));
    }

    #[test]
    fn overlap_by_hand() {
        assert!((jaccard(&set(&[1, 2, 3]), &set(&[2, 3, 4])) - 0.5).abs() < 1e-9);
        assert!(jaccard(&set(&[]), &set(&[])) < 1e-9);
    }
}
