//! The gates as a table, and the invariant that one decision follows each digest.

use delivery_manager::{DeliveryManager, READY};
use processor::{Event, Outcome, Processor, SourcePosition};
use proptest::prelude::*;
use schemas::{
    Digest, DigestBlocked, DigestReadyForDelivery, DigestStageCompleted, DigestState, GroupSettings, Mood,
    Quality, StageRun, WindowRef, digest_id,
};

fn digest(score: f64) -> Digest {
    Digest {
        language: "en".to_owned(),
        headline: "Release moved".to_owned(),
        summary: Vec::new(),
        topics: Vec::new(),
        decisions: Vec::new(),
        questions: Vec::new(),
        actions: Vec::new(),
        mood: Mood {
            label: "neutral".to_owned(),
            positive: 0.0,
            negative: 0.0,
            neutral: 1.0,
            message_ids: vec![],
        },
        participants: Vec::new(),
        links: Vec::new(),
        message_count: 5,
        participant_count: 2,
        quality: Quality { score, ..Quality::default() },
        answers: Vec::new(),
        continuity: None,
        weaknesses: vec!["thin".to_owned()],
        claims_dropped: 0,
        facts_struck: 0,
        recalls: Vec::new(),
    }
}

fn input(digest: Option<Digest>, scopes: &[&str], channels: &str) -> Event<DigestStageCompleted> {
    let settings = GroupSettings {
        scopes: scopes.iter().map(ToString::to_string).collect(),
        ..GroupSettings::default()
    };
    let window = WindowRef {
        message_count: 5,
        participant_count: 2,
        settings,
        source_offset: 9,
        ..fixtures::window()
    };
    let state =
        DigestState { window, delivery_channel: channels.to_owned(), digest, ..fixtures::state(Vec::new()) };
    let value = fixtures::completed("synthesis", state);
    let source = SourcePosition {
        topic: "digest.stage.synthesis.completed.v1".into(),
        partition: 0,
        offset: 1,
        append_time_ms: 0,
    };
    Event { value, source }
}

fn emitted(event: &Event<DigestStageCompleted>) -> Vec<processor::Emission> {
    match DeliveryManager::default().process(event) {
        Ok(Outcome::Emit(emissions)) => emissions,
        Ok(Outcome::Drop(_)) | Err(_) => Vec::new(),
    }
}

#[test]
fn a_good_digest_of_a_permitted_group_is_ready() {
    let event = input(Some(digest(0.8)), &["DIGEST_READ"], "telegram, file,,file");
    let emissions = emitted(&event);
    let ports: Vec<_> = emissions.iter().map(|emission| emission.port).collect();
    assert_eq!(ports, ["started", "completed", "ready"]);
    let completed: &DigestStageCompleted = emissions[1].downcast().expect("completed");
    assert_eq!(completed.stage, "delivery_manager");
    assert!((completed.quality_metrics["quality_score"] - 0.8).abs() < 1e-9);
    let ready: &DigestReadyForDelivery = emissions[2].downcast().expect("ready");
    assert_eq!(ready.digest_id, digest_id(&event.value.window_id, "1.0"));
    assert_eq!(ready.channels, ["telegram", "file"]);
    assert_eq!(ready.runs.last().map(|run| run.stage.as_str()), Some("delivery_manager"));
    assert_eq!(READY.spec().record_type, "digest.ready_for_delivery.v1");
}

#[test]
fn each_gate_has_its_reason() {
    let cases = [
        (0.8, vec!["OTHER"], "missing_scope", vec!["DIGEST_READ"]),
        (0.1, vec![], "missing_scope", vec!["DIGEST_READ"]),
        (0.409, vec!["DIGEST_READ"], "low_quality", vec![]),
        (0.40, vec!["DIGEST_READ"], "low_quality", vec![]),
        (f64::NAN, vec!["DIGEST_READ"], "low_quality", vec![]),
    ];
    for (score, scopes, reason, missing) in cases {
        let emissions = emitted(&input(Some(digest(score)), &scopes, "file"));
        let blocked: &DigestBlocked = emissions[2].downcast().expect("blocked");
        assert_eq!(blocked.reason, reason, "score {score}");
        assert_eq!(blocked.missing_scopes, missing);
        assert_eq!(blocked.quality_score, score.is_finite().then_some(score));
        let held = if reason == "low_quality" { vec!["thin"] } else { vec![] };
        assert_eq!(blocked.weaknesses, held);
    }
}

#[test]
fn the_threshold_itself_passes() {
    let emissions = emitted(&input(Some(digest(0.41)), &["DIGEST_READ"], "file"));
    assert_eq!(emissions[2].port, "ready");
}

#[test]
fn an_input_without_a_digest_is_rejected() {
    let reject =
        DeliveryManager::default().process(&input(None, &["DIGEST_READ"], "file")).expect_err("reject");
    assert_eq!(reject.reason, "digest_missing");
}

#[test]
fn runs_that_add_up_to_no_number_are_rejected() {
    for (tokens, cost) in [(1, f64::MAX), (i64::MAX, 0.0)] {
        let mut event = input(Some(digest(0.8)), &["DIGEST_READ"], "file");
        let run = StageRun {
            stage: "topic".to_owned(),
            run_id: "r".to_owned(),
            outcome: "ok".to_owned(),
            model_id: "offline".to_owned(),
            tokens,
            cost,
        };
        event.value.state.runs = vec![run.clone(), run];
        let reject = DeliveryManager::default().process(&event).expect_err("reject");
        assert_eq!(reject.reason, "bad_totals");
    }
}

proptest! {
    #[test]
    fn one_decision_follows_each_digest(score in any::<f64>(), scope in "[A-Z_]{0,12}", channels in ".{0,40}") {
        let emissions = emitted(&input(Some(digest(score)), &[&scope, "DIGEST_READ"], &channels));
        prop_assert_eq!(emissions.len(), 3);
        prop_assert!(matches!(emissions[2].port, "ready" | "blocked"));
    }
}
