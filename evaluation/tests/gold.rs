//! Digests of labelled days claim little that did not happen; skipped with a message where the data folder is absent.
#![expect(clippy::expect_used, reason = "the helpers of a test may fail it")]

use evaluation::gold::{Tally, measure, windows};
use std::path::Path;

/// Days of the large group, which has next to no decision: both halves.
fn tally() -> Option<Tally> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = root.join("../../shared/data");
    if !data.is_dir() {
        eprintln!("skipped: no data folder at ../shared/data beside the project");
        return None;
    }
    let mut tally = Tally::default();
    for split in ["train", "test"] {
        for window in windows(&data, &root.join("gold"), Some(split)).expect("labels and data agree") {
            tally.add(&measure(&window));
        }
    }
    Some(tally)
}

#[test]
fn decisions_and_actions_are_hardly_invented() {
    let Some(tally) = tally() else { return };
    assert_eq!(tally.windows, 62);
    let per_20_days = 20.0 * tally.invented as f64 / tally.quiet_windows as f64;
    assert!(per_20_days <= 1.0, "{per_20_days} invented decisions in 20 days without any");
    assert!(tally.actions.wrong <= 4, "{:?}", tally.actions);
    assert!(tally.questions.f1() >= 0.5, "{:?}", tally.questions);
    assert!(tally.answers.precision() >= 0.55, "{:?}", tally.answers);
}
