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

/// Evaluates the labelled windows of `gold_dir`, of one split or of all: rows by language, split and size.
pub fn evaluate(data_dir: &Path, gold_dir: &Path, split: Option<&str>) -> Result<Report, Error> {
    let windows = windows(data_dir, gold_dir, split)?;
    let measured: Vec<(&Window, Measured)> = windows.iter().map(|window| (window, measure(window))).collect();
    let mut groups: Vec<(String, Tally)> = Vec::new();
    for (window, measured) in &measured {
        for name in window.groups() {
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, tally)) => tally.add(measured),
                None => groups.push((name, Tally::of(measured))),
            }
        }
    }
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    let mut report = Report::new("gold");
    for (name, tally) in groups {
        for (metric, value) in tally.rows() {
            let target = TARGETS.iter().find(|(known, _)| *known == metric).map(|(_, target)| *target);
            report.add(&name, metric, value, target);
        }
    }
    Ok(report)
}
