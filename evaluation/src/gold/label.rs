//! A labelled window: what a careful reader finds in it, by message ids.

use crate::{Error, data};
use serde::Deserialize;
use std::path::Path;

/// What a reader found in a window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Label {
    /// UTC day: `YYYY-MM-DD`.
    pub window: String,
    /// Name of the sample that the day is from; the large Telegram group without it.
    #[serde(default)]
    pub sample: Option<String>,
    /// `train` or `test`; samples have none.
    #[serde(default)]
    pub split: Option<String>,
    /// Messages of the window, as a check that it is the same.
    pub messages: usize,
    /// What was settled.
    pub decisions: Vec<Item>,
    /// Who will do what.
    pub actions: Vec<Action>,
    /// What was asked and stayed open.
    pub open_questions: Vec<Item>,
    /// What was asked and answered.
    pub answered_questions: Vec<Answered>,
    /// Conversations.
    pub topics: Vec<Topic>,
    /// Messages that any digest of the window must cite.
    pub must_mention: Vec<i64>,
    /// Messages that no digest may cite.
    pub noise: Vec<i64>,
}

/// Something that a digest lists; citing any one of its messages finds it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Item {
    /// Messages that state it.
    pub ids: Vec<i64>,
}

/// A commitment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Action {
    /// Messages that state it.
    pub ids: Vec<i64>,
    /// Name of who will do it.
    pub owner: Option<String>,
    /// `YYYY-MM-DD` in the chat's time zone.
    pub due: Option<String>,
}

/// A question and the messages that answer it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Answered {
    /// The message that asks.
    pub question: i64,
    /// Messages that answer.
    pub answers: Vec<i64>,
}

/// A conversation with all its messages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Topic {
    /// As a person would write it, in the chat's language.
    pub title: String,
    /// Its messages.
    pub ids: Vec<i64>,
}

/// Labels of a folder, by file name; of one split or of all.
pub(super) fn labels(folder: &Path, split: Option<&str>) -> Result<Vec<Label>, Error> {
    let files = data::files(folder)?;
    let json = files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let labels: Vec<Label> = json.map(|path| data::json(path)).collect::<Result<_, _>>()?;
    Ok(labels.into_iter().filter(|label| split.is_none_or(|wanted| label.group() == wanted)).collect())
}

impl Label {
    /// `train`, `test` or `samples`.
    pub fn group(&self) -> &str {
        if self.sample.is_some() { "samples" } else { self.split.as_deref().unwrap_or("train") }
    }
}
