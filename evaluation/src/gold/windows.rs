//! Labelled windows with their messages, through every stage of the pipeline.
//!
//! Invariant: a label whose window has another number of messages than the data is an error, never measured.

use super::label::{Label, labels};
use crate::{Error, telegram, windows::days};
use processor::Stage;
use schemas::{ContextMessage, DigestState};
use std::{collections::BTreeMap, path::Path};
use synthesis::{Memory, Synthesis, WINDOWS_REMEMBERED};

/// The time zone of the large group's people, in which their dates are meant.
const GROUP_TIME_ZONE: &str = "Europe/Moscow";
/// Where the samples lie, beside this package.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples");

/// A labelled window after its last stage.
#[derive(Debug, Clone)]
pub struct Window {
    /// What a reader found.
    pub label: Label,
    /// Artifacts of the stages, the digest among them.
    pub state: DigestState,
}

impl Window {
    /// Names of the groups that it counts for: its half, and its half with its size and language.
    pub(super) fn groups(&self) -> [String; 2] {
        let size = match self.state.messages.len() {
            0..=25 => "quiet",
            26..=90 => "middle",
            _ => "loud",
        };
        let half = self.label.group();
        [half.to_owned(), format!("{half} · {} · {size}", self.state.language)]
    }
}

/// The windows labelled in `gold_dir`, of one split or of all, with digests made by today's code.
pub fn windows(data_dir: &Path, gold_dir: &Path, split: Option<&str>) -> Result<Vec<Window>, Error> {
    let labels = labels(gold_dir, split)?;
    let mut chats: BTreeMap<Option<String>, BTreeMap<String, DigestState>> = BTreeMap::new();
    let mut found = Vec::new();
    for label in labels {
        if !chats.contains_key(&label.sample) {
            chats.insert(label.sample.clone(), days_of(data_dir, label.sample.as_deref())?);
        }
        let state = chats.get(&label.sample).and_then(|days| days.get(&label.window)).cloned();
        let state = state.filter(|state| state.messages.len() == label.messages);
        let Some(mut state) = state else { return Err(Error::OtherWindow(label.window)) };
        digest(&mut state);
        found.push(Window { label, state });
    }
    Ok(found)
}

/// The days of the large group, or of a sample, as they come to the first stage, by date.
pub fn days_of(data_dir: &Path, sample: Option<&str>) -> Result<BTreeMap<String, DigestState>, Error> {
    let (messages, zone): (Vec<ContextMessage>, &str) = match sample {
        Some(name) => (telegram::load_file(&Path::new(SAMPLES).join(format!("{name}.json")))?, "UTC"),
        None => (telegram::load(data_dir)?, GROUP_TIME_ZONE),
    };
    let dated = days(&messages, 1).into_iter().map(|mut state| {
        zone.clone_into(&mut state.window.settings.time_zone);
        (date(state.window.window_start), state)
    });
    Ok(dated.collect())
}

fn date(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// Runs every stage on a window of which no earlier one is known.
pub fn digest(state: &mut DigestState) {
    digest_after(&mut Memory::default(), state);
}

/// Runs every stage, as the pipeline does. No stage refuses a state that the ones before it have made.
pub fn digest_after(memory: &mut Memory, state: &mut DigestState) {
    state.threads = Some(thread_builder::build(&state.messages));
    let stages: [&dyn Fn(&mut DigestState) -> bool; 4] = [
        &|state| segmenter::Segmenter.run(state).is_ok(),
        &|state| emotion::Emotion.run(state).is_ok(),
        &|state| roles::RoleFinder.run(state).is_ok(),
        &|state| topic::TopicFinder.run(state).is_ok(),
    ];
    for stage in stages {
        stage(state);
    }
    Synthesis::default().add(memory, state);
}

/// A memory of the windows before a date that it reaches back to.
pub fn memory_before(days: &BTreeMap<String, DigestState>, date: &str) -> Memory {
    let mut memory = Memory::default();
    let mut earlier: Vec<&DigestState> =
        days.iter().take_while(|(day, _)| day.as_str() < date).map(|(_, state)| state).collect();
    for day in earlier.split_off(earlier.len().saturating_sub(WINDOWS_REMEMBERED)) {
        digest_after(&mut memory, &mut day.clone());
    }
    memory
}
