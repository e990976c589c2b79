//! Each stage beats its simple baseline on real data; skipped where the data folder is absent.
#![expect(clippy::expect_used, reason = "the helpers of a test may fail it")]

use std::path::{Path, PathBuf};

/// The data lies beside the clone.
fn data_dir() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there is no {}", folder.display());
    None
}

fn check(stage: &str, rows_min: usize) {
    let Some(folder) = data_dir() else { return };
    let report = evaluation::run(stage, &folder).expect("data is readable");
    assert_eq!(report.stage, stage);
    assert!(report.rows.iter().filter(|row| row.baseline.is_some()).count() >= rows_min);
    assert!(report.behind().is_empty(), "not above the baseline: {:?}", report.behind());
}

#[test]
fn thread_builder_beats_the_baselines() {
    check("thread_builder", 4);
}

#[test]
fn segmenter_beats_the_baselines() {
    check("segmenter", 2);
}

#[test]
fn topic_beats_the_time_gap_split() {
    check("topic", 2);
}

#[test]
fn an_unknown_stage_is_an_error() {
    assert!(evaluation::run("weather", Path::new(".")).is_err());
}
