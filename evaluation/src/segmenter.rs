//! Evaluates segmentation: marked topic shifts of TIAGE, concatenated dialogues of `DialSeg711`, agenda of `QMSum`.

use crate::{
    Error, Report, data,
    segmentation::{Segmentation, marks},
};
use schemas::ContextMessage;
use serde::Deserialize;
use std::path::Path;

/// A dialogue with its gold segments.
#[derive(Debug, Clone)]
pub(crate) struct Dialogue {
    /// What was said, in order.
    pub(crate) messages: Vec<ContextMessage>,
    /// Lengths of the segments.
    pub(crate) segments: Vec<usize>,
}

#[derive(Deserialize)]
struct Raw {
    utterances: Vec<String>,
    segments: Vec<usize>,
    set: String,
}

#[derive(Deserialize)]
struct Meeting {
    topic_list: Vec<Subject>,
    meeting_transcripts: Vec<Turn>,
}

#[derive(Deserialize)]
struct Subject {
    relevant_text_span: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Turn {
    speaker: String,
    content: String,
}

/// Runs all three data sets.
pub(crate) fn evaluate(data_dir: &Path) -> Result<Report, Error> {
    let mut report = Report::new("segmenter");
    add(&mut report, "tiage dev", &tiage(data_dir, "dev")?, Some(0.39));
    let concatenated = dialogues(&data_dir.join("dialseg711/dialseg_711.even.json"), None)?;
    add(&mut report, "dialseg711", &concatenated, Some(0.51));
    add(&mut report, "qmsum val", &meetings(data_dir)?, None);
    Ok(report)
}

fn add(report: &mut Report, dataset: &str, dialogues: &[Dialogue], baseline: Option<f64>) {
    let all: Vec<Segmentation> = dialogues.iter().map(compare).collect();
    let mean = Segmentation::mean(&all);
    report.add(dataset, "F1", mean.f1, None);
    report.add(dataset, "1-Pk", 1.0 - mean.pk, None);
    report.add(dataset, "1-WD", 1.0 - mean.window_diff, None);
    report.add(dataset, "score", mean.score(), baseline);
}

fn compare(dialogue: &Dialogue) -> Segmentation {
    let references: Vec<&ContextMessage> = dialogue.messages.iter().collect();
    let starts = segmenter::boundaries(&references, &segmenter::model(&dialogue.messages));
    let predicted: Vec<bool> =
        (0..references.len()).map(|at| starts.binary_search(&(at + 1)).is_ok()).collect();
    Segmentation::of(&predicted, &marks(&dialogue.segments))
}

/// A part (`train`, `dev`) of TIAGE.
pub(crate) fn tiage(data_dir: &Path, part: &str) -> Result<Vec<Dialogue>, Error> {
    dialogues(&data_dir.join("tiage/tiage.train_dev.json"), Some(part))
}

fn dialogues(path: &Path, part: Option<&str>) -> Result<Vec<Dialogue>, Error> {
    let raw: Vec<Raw> = data::json(path)?;
    let wanted = raw.into_iter().filter(|raw| part.is_none_or(|part| raw.set == part));
    Ok(wanted
        .map(|raw| Dialogue { messages: two_speakers(&raw.utterances), segments: raw.segments })
        .collect())
}

/// The sets are dialogues of two who speak in turn; they carry no time.
fn two_speakers(utterances: &[String]) -> Vec<ContextMessage> {
    let speaker = |at: usize| if at.is_multiple_of(2) { "A" } else { "B" };
    utterances
        .iter()
        .enumerate()
        .map(|(at, text)| ContextMessage::plain(at as i64, 0, speaker(at), text))
        .collect()
}

/// Meetings whose subjects are consecutive spans.
fn meetings(data_dir: &Path) -> Result<Vec<Dialogue>, Error> {
    let raw: Vec<Meeting> = data::json_lines(&data_dir.join("qmsum/val.jsonl"))?;
    Ok(raw.iter().filter_map(meeting).collect())
}

fn meeting(raw: &Meeting) -> Option<Dialogue> {
    let turns = raw.meeting_transcripts.len();
    let spans = raw.topic_list.iter().flat_map(|subject| &subject.relevant_text_span);
    let mut ends: Vec<usize> = spans.filter_map(|(_, end)| Some(end.parse::<usize>().ok()? + 1)).collect();
    ends.retain(|&end| end < turns);
    ends.push(turns);
    ends.sort_unstable();
    ends.dedup();
    let mut start = 0;
    let length = |&end: &usize| end - std::mem::replace(&mut start, end);
    let segments: Vec<usize> = ends.iter().map(length).collect();
    let turn = |(at, turn): (usize, &Turn)| ContextMessage::plain(at as i64, 0, &turn.speaker, &turn.content);
    let messages = raw.meeting_transcripts.iter().enumerate().map(turn).collect();
    (segments.len() > 1).then_some(Dialogue { messages, segments })
}
