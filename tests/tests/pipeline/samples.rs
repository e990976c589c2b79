//! The two sample chats through the real pipeline, held against their answer keys.

use evaluation::answer_key::{AnswerKey, Digested, check};
use schemas::DigestStageCompleted;
use std::path::PathBuf;
use tests::{Pipeline, assert_once, decode_all, settle};

/// Least share of the key that is found; of decisions and actions what is claimed must be right before it is complete.
const FOUND_MIN: f64 = 0.8;
const DECISIONS_FOUND_MIN: f64 = 0.5;
const ACTIONS_FOUND_MIN: f64 = 0.6;
const SAMPLES: [(&str, &str); 2] = [("engineering", "engineering_en"), ("garden", "garden_ru")];

fn sample(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples").join(file)
}

#[test]
fn digests_of_the_samples_hold_most_of_the_answer_keys() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("samples")? else { return Ok(()) };
    let _up = pipeline.up_without(&[])?;
    for (group, file) in SAMPLES {
        pipeline.import(&sample(&format!("{file}.json")), group)?;
    }
    let seen = settle(&pipeline)?.into_seen();
    assert_once(&seen);
    let ends: Vec<DigestStageCompleted> =
        decode_all(&pipeline, &seen, "digest.stage.delivery_manager.completed.v1")?;
    let mut lacking = Vec::new();
    for (group, file) in SAMPLES {
        let key: AnswerKey =
            serde_json::from_str(&std::fs::read_to_string(sample(&format!("{file}.key.json")))?)?;
        let windows: Vec<Digested<'_>> = ends
            .iter()
            .filter(|end| end.group_id == group)
            .map(|end| Digested {
                digest: end.state.digest.as_ref().expect("a digest"),
                threads: end.state.threads.as_ref().expect("threads"),
                messages: &end.state.messages,
            })
            .collect();
        assert_eq!(windows.len(), 3, "{group} has three days");
        let found = check(&key, &windows);
        let kinds = [
            ("decisions", &found.decisions, DECISIONS_FOUND_MIN),
            ("questions", &found.questions, FOUND_MIN),
            ("actions", &found.actions, ACTIONS_FOUND_MIN),
            ("threads", &found.threads, FOUND_MIN),
        ];
        for (kind, tally, found_min) in kinds {
            eprintln!("{group}: {} of {} {kind}", tally.found(), tally.total);
            if tally.share() < found_min {
                lacking.push(format!("{group}: of {} {kind} {:?} were missed", tally.total, tally.missed));
            }
        }
        assert_eq!(found.dangling, 0, "{group}: citations of messages that are not there");
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    pipeline.finish()
}
