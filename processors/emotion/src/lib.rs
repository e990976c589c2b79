//! `emotion`: the tone of each message and of the window, from lexicons, in Russian and English.
//!
//! Invariant: shares add up to 1 and count each statement of a person once: no bots, no repeated posts.

mod lexicon;
mod tone;

pub use tone::{NEUTRAL_BELOW, Tone, strength};

use processor::{Reject, Stage, StageReport};
use schemas::{ContextMessage, DigestStageCompleted, DigestState, Emotions, MessageEmotion};

/// A side that this share of messages takes makes the window's label.
const STRONG: f64 = 0.15;
/// The weaker side, as a share of the stronger, that makes the label `mixed`.
const BALANCED: f64 = 0.6;

/// The stage; has no settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Emotion;

impl Stage for Emotion {
    const NAME: &'static str = "emotion";
    const CODE_VERSION: &'static str = "1";
    const SCHEMA_VERSION: i32 = 1;
    type In = DigestStageCompleted;

    fn run(&self, state: &mut DigestState) -> Result<StageReport, Reject> {
        let emotions = emotions(&state.messages);
        let report = StageReport::ok()
            .metric("positive", emotions.positive)
            .metric("negative", emotions.negative)
            .metric("messages", emotions.messages.len() as f64);
        state.emotions = Some(emotions);
        Ok(report)
    }
}

/// Tone of the messages and of all of them together.
pub fn emotions(messages: &[ContextMessage]) -> Emotions {
    let counted: Vec<&ContextMessage> = messages.iter().filter(|message| counts(message)).collect();
    let found: Vec<MessageEmotion> = counted.iter().filter_map(|message| emotion(message)).collect();
    let share = |tone: Tone| {
        let count = found.iter().filter(|emotion| emotion.label == tone.as_str()).count();
        if counted.is_empty() { 0.0 } else { count as f64 / counted.len() as f64 }
    };
    let (positive, negative) = (share(Tone::Positive), share(Tone::Negative));
    let neutral = (1.0 - positive - negative).max(0.0);
    Emotions { positive, negative, neutral, label: label(positive, negative).to_owned(), messages: found }
}

fn counts(message: &ContextMessage) -> bool {
    !message.is_bot && message.duplicate_of.is_none() && !message.text.trim().is_empty()
}

/// Tone of a message, unless it is neutral; strength in steps of .001.
fn emotion(message: &ContextMessage) -> Option<MessageEmotion> {
    let strength = strength(&message.text);
    let tone = Tone::of(strength);
    let score = (strength * 1000.0).round() / 1000.0;
    (tone != Tone::Neutral).then(|| MessageEmotion { id: message.id, label: tone.as_str().to_owned(), score })
}

fn label(positive: f64, negative: f64) -> &'static str {
    let (weaker, stronger) = if positive < negative { (positive, negative) } else { (negative, positive) };
    if stronger < STRONG {
        Tone::Neutral.as_str()
    } else if weaker >= STRONG * BALANCED && weaker >= stronger * BALANCED {
        "mixed"
    } else if positive > negative {
        Tone::Positive.as_str()
    } else {
        Tone::Negative.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(id: i64, text: &str) -> ContextMessage {
        fixtures::message(id, id, "A", text)
    }

    #[test]
    fn shares_count_people_once() {
        let mut messages: Vec<_> = ["great!", "ужасно", "at noon", "table"]
            .iter()
            .enumerate()
            .map(|(at, text)| message(at as i64, text))
            .collect();
        messages.push(ContextMessage { is_bot: true, ..message(8, "terrible error") });
        messages.push(ContextMessage { duplicate_of: Some(0), ..message(9, "great!") });
        messages.push(message(10, ""));
        let emotions = emotions(&messages);
        assert_eq!((emotions.positive, emotions.negative, emotions.neutral), (0.25, 0.25, 0.5));
        assert_eq!(emotions.label, "mixed");
        let ids: Vec<i64> = emotions.messages.iter().map(|emotion| emotion.id).collect();
        assert_eq!(ids, [0, 1]);
    }

    #[test]
    fn labels() {
        assert_eq!(label(0.0, 0.0), "neutral");
        assert_eq!(label(0.4, 0.05), "positive");
        assert_eq!(label(0.1, 0.3), "negative");
        assert_eq!(label(0.3, 0.25), "mixed");
    }

    #[test]
    fn an_empty_window_is_neutral() {
        let emotions = emotions(&[]);
        assert_eq!((emotions.neutral, emotions.label.as_str()), (1.0, "neutral"));
    }

    proptest! {
        #[test]
        fn shares_add_up_to_one(texts in proptest::collection::vec("\\PC{0,60}", 0..12)) {
            let messages: Vec<_> = texts.iter().enumerate().map(|(at, text)| message(at as i64, text)).collect();
            let emotions = emotions(&messages);
            prop_assert!((emotions.positive + emotions.negative + emotions.neutral - 1.0).abs() < 1e-9);
        }
    }
}
