//! Digests against windows that people have labelled by reading: what is claimed, what is left out, what is noise.
//!
//! Invariant: labels hold message ids only; the text comes from the data folder or from the samples.

mod label;
mod measure;
mod read;
mod tally;
mod windows;

pub use label::{Action, Answered, Item, Label, Topic};
pub use measure::{Measured, measure};
pub use read::{ReadLine, Reading, readings};
pub use tally::{Listed, Tally};
pub use windows::{Window, days_of as days, digest, digest_after, memory_before, windows};

use crate::{Error, Report};
use schemas::{Digest, DigestState};
use std::path::Path;

/// Least share of each measure that a digest must reach, by metric.
const TARGETS: [(&str, f64); 9] = [
    ("decisions precision", 0.80),
    ("decisions recall", 0.50),
    ("actions precision", 0.75),
    ("actions owner right", 0.95),
    ("open questions F1", 0.60),
    ("lines without noise", 0.97),
    ("must-mention cited", 0.60),
    ("threads best overlap F1", 0.75),
    ("titles sharing a word", 0.80),
];

/// Who puts the digests of windows into other words.
pub trait Wording {
    /// The digest of a window's state in its words.
    ///
    /// # Errors
    /// The state is none that the stage takes; a model that fails is none.
    fn word(&mut self, state: &DigestState) -> Result<Digest, String>;
}

/// Evaluates the labelled windows of `gold_dir`, of one split or of all: rows by language, split and size.
pub fn evaluate(data_dir: &Path, gold_dir: &Path, split: Option<&str>) -> Result<Report, Error> {
    Ok(report("gold", &windows(data_dir, gold_dir, split)?))
}

/// [`evaluate`] of the digests as they are, and of the same in other words: of the first so many windows.
///
/// # Errors
/// Of the data, and a window that is not taken.
pub fn compare(
    (data_dir, gold_dir): (&Path, &Path),
    (split, windows_max): (Option<&str>, usize),
    wording: &mut dyn Wording,
) -> Result<(Report, Report), Error> {
    let mut windows = windows(data_dir, gold_dir, split)?;
    windows.truncate(windows_max);
    let before = report("gold", &windows);
    for window in &mut windows {
        let refused = |why| Error::Wording { window: window.label.window.clone(), why };
        let worded = wording.word(&window.state).map_err(refused)?;
        window.state.digest = Some(worded);
    }
    Ok((before, report("gold", &windows)))
}

fn report(name: &str, windows: &[Window]) -> Report {
    let mut groups: Vec<(String, Tally)> = Vec::new();
    for window in windows {
        let measured = measure(window);
        for name in window.groups() {
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, tally)) => tally.add(&measured),
                None => groups.push((name, Tally::of(&measured))),
            }
        }
    }
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    let mut report = Report::new(name);
    for (name, tally) in groups {
        for (metric, value) in tally.rows() {
            let target = TARGETS.iter().find(|(known, _)| *known == metric).map(|(_, target)| *target);
            report.add(&name, metric, value, target);
        }
    }
    report
}
