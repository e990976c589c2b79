//! Windows of a chat as the stages get them, for evaluation without the pipeline: one per UTC day.
//!
//! Invariant: like `context_builder`, marks near-duplicates inside a window and decides one language for it.

use schemas::{ContextMessage, DigestState, GroupSettings, WindowRef};
use std::collections::BTreeMap;
use text::Signature;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Similarity of two posts from which the later one repeats the earlier.
const REPEATED: f64 = 0.9;
/// Posts with fewer words repeat each other by chance ("ok", "спасибо").
const REPEATED_WORDS_MIN: usize = 4;
/// Posts back that a repetition is looked for.
const REPEATED_WITHIN: usize = 400;

/// The days of a chat with at least `messages_min` messages, as states before the first stage.
pub fn days(messages: &[ContextMessage], messages_min: usize) -> Vec<DigestState> {
    let mut days: BTreeMap<i64, Vec<ContextMessage>> = BTreeMap::new();
    for message in messages {
        days.entry(message.sent_at.div_euclid(DAY_MS)).or_default().push(message.clone());
    }
    days.into_iter()
        .filter(|(_, messages)| messages.len() >= messages_min)
        .map(|(day, messages)| state(day, messages))
        .collect()
}

fn state(day: i64, mut messages: Vec<ContextMessage>) -> DigestState {
    messages.sort_by_key(|message| (message.sent_at, message.id));
    let duplicates_removed = mark_duplicates(&mut messages);
    let language = text::detect(messages.iter().map(|message| message.text.as_str())).code();
    let authors: std::collections::BTreeSet<&str> =
        messages.iter().map(|message| message.author_id.as_str()).collect();
    let window = WindowRef {
        size_hours: 24,
        window_start: day * DAY_MS,
        window_end: (day + 1) * DAY_MS,
        revision: 1,
        lane: "sample".to_owned(),
        message_count: messages.len() as i32,
        participant_count: authors.len() as i32,
        settings: GroupSettings::default(),
        source_partition: 0,
        source_offset: 0,
    };
    DigestState { duplicates_removed, ..DigestState::new(window, language, messages) }
}

fn mark_duplicates(messages: &mut [ContextMessage]) -> i32 {
    let signatures: Vec<Signature> = messages.iter().map(|message| Signature::of(&message.text)).collect();
    let long = |at: usize| text::tokens(&messages[at].text).len() >= REPEATED_WORDS_MIN;
    let repeats: Vec<(usize, i64)> = (0..messages.len())
        .filter(|at| long(*at))
        .filter_map(|at| {
            let earlier = at.saturating_sub(REPEATED_WITHIN)..at;
            let found = earlier
                .into_iter()
                .find(|before| signatures[*before].similarity(&signatures[at]) >= REPEATED)?;
            Some((at, messages[found].id))
        })
        .collect();
    for (at, id) in &repeats {
        messages[*at].duplicate_of = Some(*id);
    }
    repeats.len() as i32
}
