//! The quality score: against human judgement (Pearson), under corruption, and over the days of the large group.

use crate::{
    Error, Report,
    corruption::{KINDS, corruptions},
    data,
    gold::{self, Window},
    rouge::pearson,
};
use schemas::{ContextMessage, Digest};
use serde::Deserialize;
use std::{collections::BTreeSet, path::Path};
use synthesis::{Source, Statement, digest_quality, quality_score};

const JUDGED: &str = "dialsummeval/human_judgment.even.jsonl";
const LABELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/gold");
/// A turn's pause in ms: dialogues have no clock.
const PAUSE_MS: i64 = 20_000;
/// Every so many days of the large group is digested for the spread.
const DAY_STEP: usize = 6;
/// The gate's own threshold.
const THRESHOLD: f64 = delivery_manager::THRESHOLD;

/// Evaluates the quality score.
pub(crate) fn evaluate(data_dir: &Path) -> Result<Report, Error> {
    let mut report = Report::new("quality");
    judged(&data::json_lines(&data_dir.join(JUDGED))?, &mut report);
    let mut windows = gold::windows(data_dir, Path::new(LABELS), Some("test"))?;
    windows.extend(gold::windows(data_dir, Path::new(LABELS), Some("samples"))?);
    spoiled(&windows, &mut report);
    spread(data_dir, &mut report)?;
    Ok(report)
}

/// Share of spoiled digests that score less than the digest they were made of.
fn spoiled(windows: &[Window], report: &mut Report) {
    let mut tallies = KINDS.map(|kind| (kind, 0.0, 0.0, 0.0));
    for (at, window) in windows.iter().enumerate() {
        let other = windows[(at + 1) % windows.len()].state.digest.as_ref();
        let (Some(digest), Some(other)) = (&window.state.digest, other) else { continue };
        let source = Source::new(&window.state.messages, window.state.threads.as_ref());
        let score = |digest: &Digest| digest_quality(&source, digest).score;
        let whole = score(digest);
        for (kind, spoiled) in corruptions(&window.state, digest, other) {
            for tally in tallies.iter_mut().filter(|tally| tally.0 == kind) {
                let spoiled = score(&spoiled);
                tally.1 += f64::from(u8::from(spoiled < whole));
                tally.2 += 1.0;
                tally.3 += f64::from(u8::from(spoiled < THRESHOLD));
            }
        }
    }
    let (fallen, total) = tallies.iter().fold((0.0, 0.0), |sum, tally| (sum.0 + tally.1, sum.1 + tally.2));
    let dataset = "spoiled digests, test and samples";
    report.add(dataset, "spoiled", total, None);
    report.add(dataset, "share that falls", share(fallen, total), 0.9);
    let held_back = tallies.iter().map(|tally| tally.3).sum();
    report.add(dataset, "share held back at the gate", share(held_back, total), None);
    for (kind, fallen, total, held_back) in tallies {
        report.add(dataset, &format!("share that falls: {kind}"), share(fallen, total), 0.9);
        report.add(dataset, &format!("share held back: {kind}"), share(held_back, total), None);
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 1.0 }
}

/// Scores of days of the large group, and the share that the gate holds back.
fn spread(data_dir: &Path, report: &mut Report) -> Result<(), Error> {
    let mut scores = Vec::new();
    for (_, mut state) in gold::days(data_dir, None)?.into_iter().step_by(DAY_STEP) {
        gold::digest(&mut state);
        scores.extend(state.digest.map(|digest| digest.quality.score));
    }
    scores.sort_by(f64::total_cmp);
    let dataset = "days of the large group";
    let at =
        |share: f64| scores.get((share * (scores.len().max(1) - 1) as f64) as usize).copied().unwrap_or(0.0);
    report.add(dataset, "days", scores.len() as f64, None);
    for (name, place) in
        [("score, lowest", 0.0), ("score, 5 %", 0.05), ("score, half", 0.5), ("score, 95 %", 0.95)]
    {
        report.add(dataset, name, at(place), None);
    }
    let held = scores.iter().filter(|score| **score < THRESHOLD).count() as f64;
    report.add(dataset, "share held back by the gate", share(held, scores.len() as f64), None);
    Ok(())
}

#[derive(Deserialize)]
struct Judged {
    dialogue: String,
    summary: String,
    annotations: Vec<Judgement>,
}

#[derive(Deserialize)]
struct Judgement {
    consistency: f64,
    relevance: f64,
}

fn judged(summaries: &[Judged], report: &mut Report) {
    let scores: Vec<(f64, f64, f64)> = summaries
        .iter()
        .map(|judged| {
            let count = judged.annotations.len().max(1) as f64;
            let mean = |pick: fn(&Judgement) -> f64| judged.annotations.iter().map(pick).sum::<f64>() / count;
            (score(judged), mean(|one| one.relevance), mean(|one| one.consistency))
        })
        .collect();
    let relevance: Vec<(f64, f64)> =
        scores.iter().map(|(score, relevance, _)| (*score, *relevance)).collect();
    let consistency: Vec<(f64, f64)> =
        scores.iter().map(|(score, _, consistency)| (*score, *consistency)).collect();
    let plain = |pick: fn(&(f64, f64, f64)) -> f64| -> Vec<(f64, f64)> {
        summaries.iter().map(recall).zip(scores.iter().map(pick)).collect()
    };
    let dataset = "dialsummeval even";
    report.add(dataset, "Pearson relevance", pearson(&relevance), pearson(&plain(|mean| mean.1)));
    report.add(dataset, "Pearson consistency", pearson(&consistency), pearson(&plain(|mean| mean.2)));
}

fn turns(judged: &Judged) -> Vec<ContextMessage> {
    let turns = judged.dialogue.split(" | ").map(|turn| turn.trim_start_matches(['|', ' ']));
    turns
        .zip(1..)
        .map(|(turn, id)| {
            let (speaker, text) = turn.split_once(": ").unwrap_or(("", turn));
            ContextMessage::plain(id, id * PAUSE_MS, speaker, text)
        })
        .collect()
}

/// The baseline: the share of the dialogue's terms, by weight, that the summary has.
fn recall(judged: &Judged) -> f64 {
    let messages = turns(judged);
    let source = Source::new(&messages, None);
    let all: BTreeSet<u32> = source.thread_terms.iter().flatten().copied().collect();
    let (told, _) = source.terms(&judged.summary);
    source.weight(&told) / source.weight(&all.into_iter().collect::<Vec<u32>>()).max(f64::MIN_POSITIVE)
}

/// Quality of a summary that cites nothing, of a dialogue as one thread.
fn score(judged: &Judged) -> f64 {
    let messages = turns(judged);
    let source = Source::new(&messages, None);
    let sentences = text::sentences(&judged.summary);
    let statements: Vec<Statement<'_>> = sentences
        .into_iter()
        .map(|range| Statement { speaker: None, text: &judged.summary[range], message_ids: &[] })
        .collect();
    quality_score(&source, &statements).score
}
