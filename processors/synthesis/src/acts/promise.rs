//! Promises: what the words of a sentence say about who will do it.

use super::{has, phrases::Family};
use crate::sentence::Sentence;

/// What the words of a promise tell.
pub(super) fn own_words(sentence: &Sentence, timed: bool) -> f64 {
    let padded = sentence.padded.as_str();
    let mut score: f64 = 0.0;
    if sentence.phrases.has(Family::Committed) {
        score += 2.0;
    }
    if sentence.verbs.promises && !wonders(padded) {
        score += 2.0;
    }
    score += english_ellipsis(padded, timed);
    score
}

/// "Где ж я тебе их наловлю": a verb of a promise after a word that asks promises nothing. "Когда приду" and "как смогу"
/// may.
fn wonders(padded: &str) -> bool {
    const ASKS: &[&str] = &["где", "куда", "откуда", "зачем", "почему", "сколько"];
    padded.split_whitespace().next().is_some_and(|opener| ASKS.contains(&opener))
}

/// "с Русланом", "with Tom": somebody by name does it together with the speaker.
pub(super) fn names_companion(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|pair| matches!(pair[0], "с" | "with") && pair[1].starts_with(char::is_uppercase))
}

/// Promises without "I'll": "will do", "I add that today", "resubmitting within the hour", "that I can build by tonight".
fn english_ellipsis(padded: &str, timed: bool) -> f64 {
    let opener = padded.split_whitespace().next().unwrap_or_default();
    if padded.starts_with(" will do ") {
        return 1.75;
    }
    if opener == "will" && !padded.contains(" will not ") {
        return 1.75;
    }
    if !timed {
        return 0.0;
    }
    let words: Vec<&str> = padded.split_whitespace().collect();
    let own = words.windows(2).any(|pair| pair[0] == "i" && is_plain_verb(pair[1]));
    let doing = words.windows(2).any(|pair| pair[0] == "i'm" && pair[1].ends_with("ing"));
    let elided = opener.ends_with("ing") && opener.len() > 5 && !NO_TASK.contains(&opener);
    let able = has(padded, &[" i can "]) && !has(padded, &[" can't ", " if i "]);
    let ready = has(
        padded,
        &[
            "'ll be with you ",
            "'ll be ready ",
            "'ll be done ",
            "'ll be up ",
            " will be ready ",
            " will have ",
        ],
    );
    if own || doing || elided || able || ready { 1.5 } else { 0.0 }
}

/// Openers in -ing that are no task.
const NO_TASK: &[&str] = &[
    "morning",
    "evening",
    "nothing",
    "something",
    "anything",
    "everything",
    "heading",
    "going",
    "looking",
    "waiting",
    "leaving",
    "coming",
    "shadowing",
    "according",
    "during",
];

/// A verb after "I" that acts: not a state of mind, not the past.
fn is_plain_verb(word: &str) -> bool {
    const STATES: &[&str] = &[
        "am",
        "was",
        "had",
        "have",
        "think",
        "know",
        "guess",
        "hope",
        "love",
        "like",
        "hate",
        "want",
        "need",
        "said",
        "did",
        "do",
        "don't",
        "can",
        "can't",
        "could",
        "would",
        "should",
        "mean",
        "see",
        "saw",
        "got",
        "get",
        "feel",
        "just",
        "will",
        "thought",
        "wonder",
        "believe",
        "assume",
        "remember",
        "forgot",
        "never",
        "still",
        "read",
        "only",
        "promise",
        "agree",
        "imagined",
        "told",
        "took",
        "went",
        "made",
        "found",
        "heard",
        "keep",
        "really",
        "understand",
        "wish",
        "swear",
        "live",
    ];
    word.chars().all(|c| c.is_ascii_lowercase()) && !word.ends_with("ed") && !STATES.contains(&word)
}
