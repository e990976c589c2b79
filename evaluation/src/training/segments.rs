//! Trains the weights of `segmenter`: TIAGE `train`, and conversations of the training parts of the chats put
//! one after another.
//!
//! Invariant: deterministic, and nothing that is evaluated on is trained on.

use super::logistic::{Example, fit};
use crate::{
    Error,
    agreement::components,
    irc,
    segmenter::{Dialogue, tiage},
    telegram,
    thread_builder::held_out,
};
use schemas::ContextMessage;
use segmenter::Features;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Pull of the weights towards nothing.
const DECAY: f64 = 1e-4;
/// Messages of a conversation that are used.
const PART: std::ops::RangeInclusive<usize> = 3..=9;
/// Conversations put one after another.
const PARTS: usize = 5;

/// Weights in the order of the features.
pub fn segments(data_dir: &Path) -> Result<Vec<f64>, Error> {
    let mut sources = vec![tiage(data_dir, "train")?];
    let logs = irc::load(&data_dir.join("irc_disentanglement/train"))?;
    let talks: Vec<_> =
        logs.iter().flat_map(|log| conversations(&log.messages, &log.links, log.first)).collect();
    sources.push(concatenate(&talks));
    let messages = telegram::load(data_dir)?;
    let seen = &messages[..messages.len() - held_out(&messages).len()];
    let replies: BTreeSet<_> =
        seen.iter().filter_map(|message| Some((message.id, message.reply_to?))).collect();
    sources.push(concatenate(&conversations(seen, &replies, i64::MIN)));
    // Each source weighs the same, whatever its size.
    let examples = sources.iter().flat_map(|source| {
        let gaps: Vec<(Features, bool)> = source.iter().flat_map(examples).collect();
        let weight = 1.0 / gaps.len().max(1) as f64;
        gaps.into_iter().map(move |(features, right)| Example { window: 0, features, right, weight })
    });
    Ok(fit(examples.collect::<Vec<_>>().iter(), DECAY).to_vec())
}

fn examples(dialogue: &Dialogue) -> Vec<(Features, bool)> {
    let references: Vec<&ContextMessage> = dialogue.messages.iter().collect();
    let marks = crate::segmentation::marks(&dialogue.segments);
    segmenter::gaps(&references, &segmenter::model(&dialogue.messages)).into_iter().zip(marks).collect()
}

fn conversations(
    messages: &[ContextMessage],
    links: &BTreeSet<(i64, i64)>,
    first: i64,
) -> Vec<Vec<ContextMessage>> {
    let ids: Vec<i64> = messages.iter().map(|message| message.id).filter(|&id| id >= first).collect();
    let roots = components(&ids, links);
    let mut found: BTreeMap<i64, Vec<ContextMessage>> = BTreeMap::new();
    for message in messages.iter().filter(|message| message.id >= first) {
        found.entry(roots[&message.id]).or_default().push(ContextMessage { sent_at: 0, ..message.clone() });
    }
    found.into_values().filter(|talk| talk.len() >= *PART.start()).collect()
}

/// Takes conversations far apart in time, so that neighbours differ in subject.
fn concatenate(talks: &[Vec<ContextMessage>]) -> Vec<Dialogue> {
    let rounds = talks.len() / PARTS;
    let dialogue = |round: usize| {
        let parts = (0..PARTS).map(|part| &talks[part * rounds + round]);
        let parts: Vec<&[ContextMessage]> = parts.map(|talk| &talk[..talk.len().min(*PART.end())]).collect();
        Dialogue { segments: parts.iter().map(|part| part.len()).collect(), messages: parts.concat() }
    };
    (0..rounds).map(dialogue).collect()
}
