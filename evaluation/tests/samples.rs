//! The two samples through the stages, in process: the answer keys, and the quality score under corruption.
#![expect(clippy::expect_used, reason = "the helpers of a test may fail it")]

use evaluation::{
    answer_key::{AnswerKey, Checked, Digested, check},
    corruption::{KINDS, corruptions},
    telegram, windows,
};
use processor::Stage;
use schemas::{Digest, DigestState};
use std::{collections::BTreeSet, fs, path::PathBuf};
use synthesis::{Memory, Source, Synthesis, digest_quality};

/// Least share of the key that is found: what is claimed must be right before it is complete.
const DECISIONS_FOUND_MIN: f64 = 0.5;
const ACTIONS_FOUND_MIN: f64 = 0.6;
const FOUND_MIN: f64 = 0.8;
const CORRUPTIONS_FALL_MIN: f64 = 0.9;
/// Least share of each kind.
const CORRUPTIONS_OF_A_KIND_MIN: f64 = 0.8;

fn sample(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples").join(file)
}

fn digested(name: &str) -> Vec<DigestState> {
    let messages = telegram::load_file(&sample(&format!("{name}.json"))).expect("sample is an export");
    let mut days = windows::days(&messages, 5);
    for day in &mut days {
        day.threads = Some(thread_builder::build(&day.messages));
        emotion::Emotion.run(day).expect("emotion rejects nothing");
        Synthesis::default().add(&mut Memory::default(), day);
    }
    days
}

fn digest(day: &DigestState) -> &Digest {
    day.digest.as_ref().expect("synthesis leaves a digest")
}

fn checked(name: &str) -> Checked {
    let key = fs::read_to_string(sample(&format!("{name}.key.json"))).expect("sample has a key");
    let key: AnswerKey = serde_json::from_str(&key).expect("key has its shape");
    let days = digested(name);
    assert_eq!(days.len(), 3, "three days");
    let windows: Vec<Digested<'_>> = days
        .iter()
        .map(|day| Digested {
            digest: digest(day),
            threads: day.threads.as_ref().expect("threads"),
            messages: &day.messages,
        })
        .collect();
    check(&key, &windows)
}

#[test]
fn most_of_the_answer_keys_is_found() {
    for name in ["engineering_en", "garden_ru"] {
        let checked = checked(name);
        for (kind, tally, found_min) in [
            ("decisions", &checked.decisions, DECISIONS_FOUND_MIN),
            ("questions", &checked.questions, FOUND_MIN),
            ("actions", &checked.actions, ACTIONS_FOUND_MIN),
        ] {
            assert!(
                tally.share() >= found_min,
                "{name}: {kind} {:.2}, missed {:?}",
                tally.share(),
                tally.missed
            );
            assert!(
                tally.listed <= tally.total * 5 / 4,
                "{name}: {} {kind} listed for {}",
                tally.listed,
                tally.total
            );
        }
        // Threads part the messages, so that listing more of them finds no more.
        let threads = &checked.threads;
        assert!(
            threads.share() >= FOUND_MIN,
            "{name}: threads {:.2}, missed {:?}",
            threads.share(),
            threads.missed
        );
        assert_eq!(checked.dangling, 0, "{name}");
    }
}

#[test]
fn digests_are_faithful_and_equal_on_repetition() {
    for name in ["engineering_en", "garden_ru"] {
        for day in &digested(name) {
            let quality = digest(day).quality;
            assert!(quality.guard >= 1.0 && quality.faithfulness >= 1.0, "{quality:?}");
            assert!(quality.score >= 0.55, "{quality:?}");
            assert_eq!(&Synthesis::default().digest(day).0, digest(day));
        }
    }
}

#[test]
fn a_second_draft_tells_more_and_stands_only_where_it_is_better() {
    let mut corrected = 0;
    for day in digested("engineering_en").iter().chain(&digested("garden_ru")) {
        let (draft, _) = Synthesis { retry_below: 0.0, ..Synthesis::default() }.digest(day);
        let (second, is_corrected) = Synthesis { retry_below: 1.1, ..Synthesis::default() }.digest(day);
        if is_corrected {
            corrected += 1;
            assert!(second.quality.score > draft.quality.score);
            assert!(second.summary.len() > draft.summary.len());
        } else {
            assert_eq!(second, draft);
        }
    }
    assert!(corrected > 0, "no second draft was better");
}

#[test]
fn bots_and_repeated_posts_are_not_quoted() {
    for name in ["engineering_en", "garden_ru"] {
        for day in &digested(name) {
            let left_out: BTreeSet<i64> = day
                .messages
                .iter()
                .filter(|message| message.is_bot || message.duplicate_of.is_some())
                .map(|message| message.id)
                .collect();
            assert!(!left_out.is_empty(), "{name} has bots and repeated posts");
            let digest = digest(day);
            let claims = digest.decisions.iter().chain(&digest.summary).chain(&digest.questions);
            assert!(claims.flat_map(|claim| &claim.message_ids).all(|id| !left_out.contains(id)));
        }
    }
}

fn score(day: &DigestState, digest: &Digest) -> f64 {
    let source = Source::new(&day.messages, day.threads.as_ref());
    digest_quality(&source, digest).score
}

#[test]
fn corruptions_lower_the_score() {
    let (english, russian) = (digested("engineering_en"), digested("garden_ru"));
    let mut kinds: Vec<(&str, usize, usize)> = KINDS.map(|kind| (kind, 0, 0)).to_vec();
    for (days, others) in [(&english, &russian), (&russian, &english)] {
        for (day, other) in days.iter().zip(others) {
            let whole = score(day, digest(day));
            for (kind, corrupted) in corruptions(day, digest(day), digest(other)) {
                let tally = kinds.iter_mut().find(|tally| tally.0 == kind).expect("is listed");
                tally.1 += usize::from(score(day, &corrupted) < whole);
                tally.2 += 1;
            }
        }
    }
    eprintln!("fallen of corrupted: {kinds:?}");
    let (fallen, total) =
        kinds.iter().fold((0, 0), |(fallen, total), kind| (fallen + kind.1, total + kind.2));
    assert!(fallen as f64 >= CORRUPTIONS_FALL_MIN * total as f64, "{fallen} of {total}");
    for (kind, fallen, total) in kinds {
        // A digest has one largest thread: six cases in all, of which one is not seen.
        assert!(
            total > 0 && fallen as f64 >= CORRUPTIONS_OF_A_KIND_MIN * total as f64,
            "{kind}: {fallen} of {total}"
        );
    }
}
