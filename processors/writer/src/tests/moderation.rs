//! A provider that judges what the model wrote: what it flags does not go out, and whatever came of it stands in the event.

use super::*;
use processor::{Judgement, Moderated};

const JUDGED: Writer = Writer { moderates: true, ..ASKING };
const LINE: &str = "We move the staging cluster on Friday.";

/// A judgement of the texts asked about, in which those that contain a word are flagged for a category.
fn judgement(texts: &[String], word: &str, category: &str) -> Response {
    let flags = |text: &String| if text.contains(word) { vec![category.to_owned()] } else { Vec::new() };
    Response::Moderation(Moderated::Judged(Judgement {
        model_id: "pro/omni".to_owned(),
        categories: texts.iter().map(flags).collect(),
        tokens: 7,
        cost: 0.25,
    }))
}

/// The texts that are judged once the model has answered.
fn asked(event: &Event<DigestStageCompleted>, writer: &Writer, draft: &Value) -> (Box<Cursor>, Vec<String>) {
    let Step::Ask(cursor, _) = writer.begin(event) else { panic!("asks nothing") };
    let step = writer.resume(event, cursor, vec![said(draft)]);
    let Step::Ask(cursor, requests) = step else { panic!("nobody is to judge: {step:?}") };
    let [Request::Moderation(question)] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((question.tenant_id.as_str(), question.stage), (event.value.tenant_id.as_str(), NAME));
    (cursor, question.texts.clone())
}

fn measures(result: &DigestStageCompleted, prefixes: &[&str]) -> Vec<(String, f64)> {
    let of = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let all = result.quality_metrics.iter().filter(|(name, _)| of(name));
    all.map(|(name, value)| (name.clone(), *value)).collect()
}

const KINDS: [&str; 4] = ["moderated_", "flagged_", "judged_", "unjudged_"];

#[test]
fn each_line_of_the_models_is_judged_once_and_what_is_flagged_does_not_go_out() {
    let event = input(talk());
    let (cursor, texts) = asked(&event, &JUDGED, &good());
    let mut once = texts.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), texts.len(), "{texts:?}");
    for text in
        [LINE, "Send the plan for the move to everyone.", "Moving the staging cluster to the new rack"]
    {
        assert!(texts.iter().any(|known| known == text), "{text}: {texts:?}");
    }
    let result = completed(JUDGED.resume(&event, cursor, vec![judgement(&texts, "Send", "violence")]));
    assert_eq!((result.outcome.as_str(), result.model_id.as_str()), (outcome::OK, "part/1 m"));
    assert_eq!((result.tokens, result.cost), (107, 0.75), "the judgement is paid for too");
    let told = serde_json::to_string(&result.state.digest).unwrap();
    assert!(told.contains(LINE) && !told.contains("Send the plan for the move"), "{told}");
    let judged = ("judged_by_pro/omni".to_owned(), texts.len() as f64);
    assert_eq!(measures(&result, &KINDS), [("flagged_violence".to_owned(), 1.0), judged]);
}

#[test]
fn a_title_that_is_flagged_is_the_one_that_was_there() {
    let event = input(talk());
    let known = event.value.state.digest.as_ref().unwrap().topics[0].title.clone();
    let (cursor, texts) = asked(&event, &JUDGED, &good());
    let result = completed(JUDGED.resume(&event, cursor, vec![judgement(&texts, "Moving", "hate")]));
    assert_eq!(result.state.digest.unwrap().topics[0].title, known);
}

#[test]
fn the_lists_stand_beside_it_and_alone_where_it_is_away() {
    let event = input(talk());
    let mut draft = good();
    let rude = json!({"text": "We move the fucking staging cluster on Friday.", "messages": [2, 4]});
    draft["summary"].as_array_mut().unwrap().push(rude);
    let (_, texts) = asked(&event, &JUDGED, &draft);
    assert!(!texts.iter().any(|text| text.contains("fucking")), "what the lists withhold goes nowhere");
    let listed = ("moderated_profanity".to_owned(), 1.0);
    let clean = judgement(&texts, "nothing of the kind", "x");
    let judged = ("judged_by_pro/omni".to_owned(), texts.len() as f64);
    let malformed = Moderated::Judged(Judgement {
        model_id: "pro/omni".to_owned(),
        categories: vec![Vec::new(); texts.len() + 1],
        tokens: 0,
        cost: 0.0,
    });
    for (answer, told) in [
        (clean, vec![judged, listed.clone()]),
        (
            Response::Moderation(Moderated::Failed("unreachable".to_owned())),
            vec![listed.clone(), ("unjudged_unreachable".to_owned(), 1.0)],
        ),
        (Response::Moderation(malformed), vec![listed.clone(), ("unjudged_malformed".to_owned(), 1.0)]),
        (Response::Moderation(Moderated::Off), vec![listed.clone()]),
    ] {
        let (cursor, _) = asked(&event, &JUDGED, &draft);
        let result = completed(JUDGED.resume(&event, cursor, vec![answer]));
        assert_eq!(result.outcome, outcome::OK);
        assert_eq!(measures(&result, &KINDS), told);
        let digest = serde_json::to_string(&result.state.digest).unwrap();
        assert!(digest.contains(LINE) && !digest.contains("fucking"), "{digest}");
    }
}

#[test]
fn where_nothing_is_left_the_digest_goes_on_as_it_came_and_says_why() {
    let event = input(talk());
    let (cursor, texts) = asked(&event, &JUDGED, &good());
    let result = completed(JUDGED.resume(&event, cursor, vec![judgement(&texts, "", "hate")]));
    fell_back(&result, &event, "moderated");
    assert!(result.quality_metrics["flagged_hate"] >= texts.len() as f64);
    assert_eq!(result.tokens, 107);
}

#[test]
fn a_window_in_parts_is_judged_in_its_last_round() {
    let event = input(talk());
    let small = Writer { part_tokens: 90, ..JUDGED };
    let Step::Ask(cursor, requests) = small.begin(&event) else { panic!() };
    let mut rounds = 1;
    let mut step = small.resume(&event, cursor, requests.iter().map(|_| text_said("?")).collect());
    let mut answers = vec![said(&good()), text_said("?"), text_said("?")].into_iter();
    let texts = loop {
        rounds += 1;
        let Step::Ask(cursor, requests) = step else { panic!("{step:?}") };
        if let [Request::Moderation(question)] = &requests[..] {
            break question.texts.clone();
        }
        let answer = answers.next().expect("an end");
        step = small.resume(&event, cursor, requests.iter().map(|_| answer.clone()).collect());
    };
    assert!(!texts.is_empty());
    assert_eq!(rounds, Writer::ROUNDS_MAX, "every round that there can be");
}
