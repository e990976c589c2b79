//! Targets of `emotion` and `synthesis` on the data folder; skipped with a message where it is absent.

use std::path::PathBuf;

fn data() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: no data folder at ../shared/data beside the project");
    None
}

#[test]
fn tone_beats_its_targets() {
    let Some(data) = data() else { return };
    let report = evaluation::run("emotion", &data).expect("data reads");
    let english = report.value("goemotions dev", "macro F1").expect("a row");
    let russian = report.value("ru_goemotions validation", "macro F1").expect("a row");
    assert!(english > 0.62, "{english}");
    assert!(russian > 0.45, "{russian}");
}

#[test]
fn chosen_sentences_beat_the_first_ones() {
    let Some(data) = data() else { return };
    let report = evaluation::run("synthesis", &data).expect("data reads");
    let found = report.rows.iter().find(|row| row.metric == "ROUGE-1").expect("a row");
    assert!(found.baseline.is_some_and(|lead| found.value > lead), "{found:?}");
}

#[test]
fn the_score_beats_plain_recall_and_sees_spoiled_digests() {
    let Some(data) = data() else { return };
    let report = evaluation::run("quality", &data).expect("data reads");
    assert_eq!(report.behind(), Vec::<&evaluation::Row>::new());
}
