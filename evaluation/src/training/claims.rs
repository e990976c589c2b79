//! Trains what tells decisions and promises from remarks: labelled windows of the training half, of the samples, and
//! plain little chats written for it.
//!
//! Invariant: deterministic; the test half is never read, and each figure given is of windows left out of the training.

use crate::{
    Error, data,
    gold::{self, Label, Window},
};
use schemas::ContextMessage;
use std::path::Path;
use synthesis::{
    Source,
    acts::{FEATURES, Features, commitment_candidates, decision_candidates},
};

const STEPS: i32 = 600;
const RATE: f64 = 0.05;
/// Pull of the weights towards nothing.
const DECAY: f64 = 0.003;
/// Thresholds that the figures are given for.
const THRESHOLDS: [f64; 9] = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// A little chat of `plain/chats.jsonl`; decisions and actions are indices of lines.
#[derive(serde::Deserialize)]
struct Plain {
    lines: Vec<Line>,
    decisions: Vec<usize>,
    actions: Vec<usize>,
}

#[derive(serde::Deserialize)]
struct Line {
    author: String,
    text: String,
}

/// A candidate: its window, its features, and whether a reader found it to be one.
struct Example {
    window: usize,
    features: Features,
    right: bool,
}

/// What was trained: weights in the order of the features, and figures by threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Weights of decisions.
    pub decisions: Features,
    /// Weights of actions.
    pub actions: Features,
    /// For a person: precision and recall of windows left out of the training.
    pub figures: String,
}

/// Trains on the windows of `gold_dir` but its test half.
pub fn claims(data_dir: &Path, gold_dir: &Path) -> Result<Trained, Error> {
    let mut windows = gold::windows(data_dir, gold_dir, Some("train"))?;
    windows.extend(gold::windows(data_dir, gold_dir, Some("samples"))?);
    let (mut decisions, mut actions) = (Vec::new(), Vec::new());
    for (number, window) in windows.iter().enumerate() {
        let source = Source::new(&window.state.messages, window.state.threads.as_ref());
        let id = |sentence: usize| source.posts[source.sentences[sentence].post].message.id;
        let decided = |label: &Label, id| label.decisions.iter().any(|item| item.ids.contains(&id));
        let promised = |label: &Label, id| label.actions.iter().any(|item| item.ids.contains(&id));
        for (found, features) in decision_candidates(&source) {
            let right = decided(&window.label, id(found.sentence));
            decisions.push(Example { window: number, features, right });
        }
        for (found, features) in commitment_candidates(&source) {
            let right = promised(&window.label, id(found.sentence));
            actions.push(Example { window: number, features, right });
        }
    }
    for (number, chat) in plain()?.iter().enumerate() {
        let number = windows.len() + number;
        let line =
            |(line, id): (&Line, i64)| ContextMessage::plain(id, id * 60_000, &line.author, &line.text);
        let messages: Vec<ContextMessage> = chat.lines.iter().zip(0..).map(line).collect();
        let source = Source::new(&messages, None);
        let post = |sentence: usize| source.sentences[sentence].post;
        for (found, features) in decision_candidates(&source) {
            let right = chat.decisions.contains(&post(found.sentence));
            decisions.push(Example { window: number, features, right });
        }
        for (found, features) in commitment_candidates(&source) {
            let right = chat.actions.contains(&post(found.sentence));
            actions.push(Example { window: number, features, right });
        }
    }
    let mut figures = String::new();
    tell(&mut figures, "decisions", &windows, &decisions);
    tell(&mut figures, "actions", &windows, &actions);
    Ok(Trained { decisions: fit(decisions.iter()), actions: fit(actions.iter()), figures })
}

fn plain() -> Result<Vec<Plain>, Error> {
    data::json_lines(&Path::new(env!("CARGO_MANIFEST_DIR")).join("plain/chats.jsonl"))
}

/// Precision and recall with each window judged by weights of the other ones.
fn tell(figures: &mut String, kind: &str, windows: &[Window], examples: &[Example]) {
    let mut judged: Vec<(&Example, f64)> = Vec::new();
    let last = examples.iter().map(|example| example.window).max().unwrap_or(0);
    for window in 0..=last {
        let weights = fit(examples.iter().filter(|example| example.window != window));
        let own = examples.iter().filter(|example| example.window == window);
        judged.extend(own.map(|example| (example, probability(&weights, &example.features))));
    }
    for split in ["samples", "train", "plain"] {
        let of_split = |example: &Example| {
            windows.get(example.window).map_or("plain", |window| window.label.group()) == split
        };
        let all = examples.iter().filter(|example| of_split(example) && example.right).count();
        for threshold in THRESHOLDS {
            let listed = judged.iter().filter(|(example, p)| of_split(example) && *p >= threshold);
            let (mut right, mut wrong) = (0, 0);
            for (example, _) in listed {
                if example.right { right += 1 } else { wrong += 1 }
            }
            figures.extend([format!(
                "{kind} {split} from {threshold:.2}: {right} right of {all}, {wrong} wrong\n"
            )]);
        }
    }
}

fn probability(weights: &Features, features: &Features) -> f64 {
    let score: f64 = weights.iter().zip(features).map(|(weight, value)| weight * value).sum();
    1.0 / (1.0 + (-score).exp())
}

/// Logistic regression by full-batch gradient descent (Adam, Kingma and Ba 2015).
fn fit<'e>(examples: impl Iterator<Item = &'e Example>) -> Features {
    let examples: Vec<&Example> = examples.collect();
    let total = examples.len().max(1) as f64;
    let (mut weights, mut first, mut second) = ([0.0; FEATURES], [0.0; FEATURES], [0.0; FEATURES]);
    for step in 1..=STEPS {
        let mut gradient = [0.0; FEATURES];
        for example in &examples {
            let error = probability(&weights, &example.features) - f64::from(u8::from(example.right));
            gradient.iter_mut().zip(&example.features).for_each(|(slot, value)| *slot += error * value);
        }
        for at in 0..FEATURES {
            let slope = gradient[at] / total + DECAY * weights[at];
            first[at] = 0.9 * first[at] + 0.1 * slope;
            second[at] = 0.999 * second[at] + 0.001 * slope * slope;
            let (first, second) =
                (first[at] / (1.0 - 0.9_f64.powi(step)), second[at] / (1.0 - 0.999_f64.powi(step)));
            weights[at] -= RATE * first / (second.sqrt() + 1e-8);
        }
    }
    weights
}
