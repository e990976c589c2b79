//! Which earlier messages of the group are about the same thing as messages of the window.
//!
//! Invariant: pure; candidates are found by others and judged here by words alone. Silence before a guess: what is let through
//! shares several words that are rare in this group, not only those of the trade.

mod prose;

use prose::{Words, asks};
use schemas::{ContextMessage, HistoryMatch, Message};
use std::collections::{BTreeSet, HashMap};
use text::{noise, pii, specificity};

/// Messages of a window that are looked up.
const SUBJECTS_MAX: usize = 4;
/// Stems of a text that is compared: fewer say too little, more are a log or an article.
const STEMS: std::ops::RangeInclusive<usize> = 4..=40;
/// Specificity of a stem that may name a subject: no everyday word of either language.
const SPECIFIC: f64 = 0.97;
/// Most texts from before the window that tell how a group's people write. At 2,000 a word of one message in 300 is seen some six
/// times.
pub(crate) const BACKGROUND_MAX: u32 = 2_000;
/// Fewest texts from before the window by which common words are known.
const BACKGROUND_MIN: usize = 500;
/// A word that more than one message in so many holds is common here.
const COMMON_ONE_IN: usize = 333;
/// Rare stems of a text that may name a subject.
const RARE_MIN: usize = 3;
/// What two messages have in common at least: things that rare stems name, such stems, and similarity, chosen by reading:
/// `docs/QUALITY.md`. Names of two dialogs alone say which tool is spoken of, not what is asked about it.
const ENOUGH: [(usize, usize, f64); 2] = [(3, 3, 0.30), (2, 4, 0.41)];
/// From here on it is one text posted again.
const REPEATED: f64 = 0.9;
/// Matches of a subject.
const MATCHES_MAX: usize = 3;
/// What the same person says again within this time is one conversation.
const SAME_TALK_MS: i64 = 24 * 60 * 60 * 1000;
const THOUSAND: f64 = 1000.0;

/// The messages of a window that are worth a look into the past, best first: what people ask, by rank.
pub fn subjects(messages: &[ContextMessage]) -> Vec<&ContextMessage> {
    let mut found: Vec<&ContextMessage> = messages.iter().filter(|message| is_subject(message)).collect();
    found.sort_by(|a, b| b.rank.total_cmp(&a.rank));
    found.truncate(SUBJECTS_MAX);
    found
}

fn is_subject(message: &ContextMessage) -> bool {
    let by_people = !message.is_bot && !message.forwarded && message.duplicate_of.is_none();
    let begins = message.reply_to.is_none();
    by_people
        && begins
        && asks(&message.text)
        && noise(&message.text).is_none()
        && tells(&Words::of(&message.text).stems)
}

/// Whether stems are enough to know a subject by.
fn tells(stems: &BTreeSet<String>) -> bool {
    STEMS.contains(&stems.len()) && stems.iter().filter(|stem| is_specific(stem)).count() >= RARE_MIN
}

fn is_specific(stem: &str) -> bool {
    specificity(stem) >= SPECIFIC && stem.chars().nth(2).is_some() && stem.contains(char::is_alphabetic)
}

/// How rare each stem is here, by the texts from before a window.
#[derive(Debug)]
pub struct Background {
    counts: HashMap<String, usize>,
    texts: usize,
}

impl Background {
    /// Of these texts.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut background = Self { counts: HashMap::new(), texts: 0 };
        for text in texts {
            background.texts += 1;
            for stem in Words::of(text).stems {
                *background.counts.entry(stem).or_default() += 1;
            }
        }
        background
    }

    fn count(&self, stem: &str) -> usize {
        self.counts.get(stem).copied().unwrap_or_default()
    }

    fn is_rare(&self, stem: &str) -> bool {
        is_specific(stem) && self.count(stem) * COMMON_ONE_IN <= self.texts
    }

    fn weight(&self, stem: &str) -> f64 {
        ((self.texts + 1) as f64 / (self.count(stem) + 1) as f64).ln() * specificity(stem)
    }

    /// The weight that two texts share, as a share of all of theirs (Dice); none where they share too few things.
    fn similarity(&self, left: &Words, right: &Words) -> Option<f64> {
        let in_common = left.in_common(right, |stem| self.is_rare(stem));
        let weight = |words: &Words| words.stems.iter().map(|stem| self.weight(stem)).sum::<f64>();
        let shared: f64 = left.stems.intersection(&right.stems).map(|stem| self.weight(stem)).sum();
        let similarity = 2.0 * shared / (weight(left) + weight(right)).max(f64::MIN_POSITIVE);
        (is_enough(in_common, similarity) && similarity < REPEATED).then_some(similarity)
    }
}

/// Whether so many things and stems and so much similarity tell that two messages are about the same.
fn is_enough((things, stems): (usize, usize), similarity: f64) -> bool {
    ENOUGH.iter().any(|enough| things >= enough.0 && stems >= enough.1 && similarity >= enough.2)
}

/// Messages near a subject that may be about the same: another conversation's, in which people ask, with enough words in common
/// that are not everyday ones. The rest is not worth to know what the group's common words are.
pub fn candidates(subject: &ContextMessage, near: Vec<Message>) -> Vec<Message> {
    let wanted = Words::of(&subject.text);
    let is_like = |candidate: &Message| {
        let words = Words::of(&pii::mask(&candidate.text));
        tells(&words.stems) && is_enough(wanted.in_common(&words, is_specific), 1.0)
    };
    let asks = |candidate: &Message| is_earlier(subject, candidate) && asks(&candidate.text);
    near.into_iter().filter(|candidate| asks(candidate) && is_like(candidate)).collect()
}

/// The candidates that ask about the same as the subject, most similar first; of equal similarity by id.
pub fn related(
    subject: &ContextMessage,
    candidates: &[Message],
    background: &Background,
) -> Vec<HistoryMatch> {
    if background.texts < BACKGROUND_MIN {
        return Vec::new();
    }
    let wanted = Words::of(&subject.text);
    let mut found: Vec<(f64, &Message)> = candidates
        .iter()
        .filter_map(|candidate| {
            let similarity = background.similarity(&wanted, &Words::of(&pii::mask(&candidate.text)))?;
            Some((similarity, candidate))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.id.cmp(&b.1.id)));
    found.dedup_by_key(|found| found.1.id);
    let found = found.into_iter().take(MATCHES_MAX);
    found
        .map(|(similarity, candidate)| HistoryMatch {
            item_id: candidate.id.to_string(),
            sent_at: candidate.sent_at,
            score: (similarity * THOUSAND).round() / THOUSAND,
            text: String::new(),
            message_id: subject.id,
        })
        .collect()
}

/// Whether a candidate begins another conversation, and one of people. A question inside of one asks back, in its words.
fn is_earlier(subject: &ContextMessage, candidate: &Message) -> bool {
    let (author, is_bot) =
        candidate.author.as_ref().map_or(("", false), |author| (author.id.as_str(), author.is_bot));
    let again = author == subject.author_id && subject.sent_at - candidate.sent_at < SAME_TALK_MS;
    !is_bot && !again && candidate.id != subject.id && candidate.reply_to.is_none()
}

#[cfg(test)]
mod tests;
