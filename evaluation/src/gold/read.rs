//! Days whose pages were read line by line beside their messages: which lines were right, by message ids.

use super::windows::{days_of, digest};
use crate::{Error, data};
use schemas::DigestState;
use serde::Deserialize;
use std::path::Path;

/// A day of the large group as its reader left it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reading {
    /// UTC day: `YYYY-MM-DD`.
    pub window: String,
    /// Messages of the window, as a check that it is the same.
    pub messages: usize,
    /// Of its page, by each reader: 1, worthless or misleading, to 5.
    pub ratings: Vec<u8>,
    /// Lines of its page; those that two readers saw differently are left out.
    pub lines: Vec<ReadLine>,
}

/// A line of a page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReadLine {
    /// `told` alone, a question with its answer in `answers`, or listed as `open`.
    pub part: String,
    /// Messages that it cites; of an answered question the last one is the answer.
    pub ids: Vec<i64>,
    /// What was wrong with it: `wrong_answer`, `not_open`, `noise`, `unclear`, `repeated`, `invented`, `wrong_owner`.
    #[serde(default)]
    pub fault: Option<String>,
}

/// The days read in a folder, each with its window before the last stage.
pub fn readings(data_dir: &Path, folder: &Path) -> Result<Vec<(Reading, DigestState)>, Error> {
    let days = days_of(data_dir, None)?;
    let mut found = Vec::new();
    for path in data::files(folder)?.iter().filter(|path| path.extension().is_some_and(|is| is == "json")) {
        let reading: Reading = data::json(path)?;
        let state =
            days.get(&reading.window).filter(|state| state.messages.len() == reading.messages).cloned();
        let Some(mut state) = state else { return Err(Error::OtherWindow(reading.window)) };
        digest(&mut state);
        found.push((reading, state));
    }
    Ok(found)
}
