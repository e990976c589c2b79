//! A digest held against the windows before it: what goes on, what is answered now, what is worse than usual.

#![expect(clippy::expect_used, reason = "a test may say what it is sure of")]

use fixtures::message;
use processor::FoldState;
use schemas::{ContextMessage, Continuity, DigestState, outcome};
use synthesis::{Memory, Synthesis};

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// A day of a group, at ten in the morning, a message a minute.
fn day(number: i64, messages: Vec<ContextMessage>) -> DigestState {
    let mut state = fixtures::state(messages);
    state.window.window_start = number * DAY_MS;
    state.window.window_end = (number + 1) * DAY_MS;
    state.window.message_count = state.messages.len() as i32;
    for (minute, message) in state.messages.iter_mut().enumerate() {
        message.sent_at = number * DAY_MS + (600 + minute as i64) * MINUTE_MS;
    }
    state
}

fn said(id: i64, author: &str, reply_to: Option<i64>, text: &str) -> ContextMessage {
    ContextMessage { reply_to, ..message(id, 0, author, text) }
}

/// A talk, and a question after it that stays open.
fn monday() -> DigestState {
    let messages = vec![
        said(2, "Bob", None, "The new coffee machine arrives on Thursday, it takes beans and milk."),
        said(3, "Cid", Some(2), "The coffee machine stands in the kitchen from Thursday on, with beans."),
        said(
            4,
            "Ann",
            None,
            "Does anybody know which backup the restore of the billing database started from?",
        ),
    ];
    day(4, messages)
}

fn tuesday(answer: ContextMessage) -> DigestState {
    let other = said(12, "Dora", None, "The lift on the north side is out of order until Friday evening.");
    day(5, vec![answer, other])
}

fn continuity(memory: &mut Memory, mut state: DigestState) -> Option<Continuity> {
    Synthesis::default().add(memory, &mut state);
    state.digest.expect("a digest").continuity
}

fn after_monday(next: DigestState) -> Continuity {
    let mut memory = Memory::default();
    assert_eq!(continuity(&mut memory, monday()), None, "nothing is known before it");
    continuity(&mut memory, next).expect("a digest before")
}

#[test]
fn a_question_of_an_earlier_window_is_closed_by_the_reply_of_another() {
    let answer =
        said(11, "Bob", Some(4), "It started from the copy of Saturday night, the later one was damaged.");
    let found = after_monday(tuesday(answer));
    let [closed] = found.closed.as_slice() else { panic!("one question: {found:?}") };
    assert_eq!(closed.question.text, "Question of 1970-01-05 (Ann)");
    assert_eq!(closed.question.message_ids, [4]);
    assert!(closed.answers[0].text.starts_with("Bob: It started from the copy"), "{closed:?}");
    assert_eq!(closed.answers[0].message_ids, [11]);
    assert_eq!((found.continued, found.gone), (vec![], vec![]));
}

#[test]
fn a_digest_that_somebody_asked_for_is_held_against_nothing_and_remembered_nowhere() {
    let answer =
        || said(11, "Bob", Some(4), "It started from the copy of Saturday night, the later one was damaged.");
    let mut asked = tuesday(answer());
    asked.window.size_hours = schemas::ASKED_SIZE_HOURS;
    let mut memory = Memory::default();
    continuity(&mut memory, monday());
    let before = memory.clone();
    assert_eq!(continuity(&mut memory, asked), None);
    assert_eq!(memory, before);
    assert_eq!(continuity(&mut memory, tuesday(answer())).expect("a digest before").closed.len(), 1);
}

#[test]
fn what_is_no_answer_closes_nothing() {
    for (author, reply_to, text) in [
        ("Ann", Some(4), "It started from the copy of Saturday night, I found it myself."),
        ("Bob", Some(4), "Which restore of the billing database do you mean?"),
        ("Bob", Some(4), "Thanks!"),
        ("Bob", None, "It started from the copy of Saturday night, the later one was damaged."),
        ("Bob", Some(2), "The beans are in the cupboard on the left side of the kitchen."),
    ] {
        let found = after_monday(tuesday(said(11, author, reply_to, text)));
        assert_eq!(found.closed, [], "{author}: {text}");
    }
}

#[test]
fn a_question_is_closed_once_and_again_by_its_window_made_anew() {
    let mut memory = Memory::default();
    let answer =
        |id| said(id, "Bob", Some(4), "It started from the copy of Saturday night, the later was damaged.");
    continuity(&mut memory, monday());
    let mut closed = |state| continuity(&mut memory, state).expect("a digest before").closed.len();
    assert_eq!(closed(tuesday(answer(11))), 1);
    let wednesday =
        || day(6, vec![answer(21), said(22, "Dora", None, "The lift works again since this morning.")]);
    assert_eq!(closed(wednesday()), 0, "it was closed on Tuesday");
    assert_eq!(closed(tuesday(answer(11))), 1, "as before");
    let other = said(11, "Bob", None, "The beans are in the cupboard on the left side of the kitchen.");
    assert_eq!(closed(tuesday(other)), 0, "the answer was deleted");
    assert_eq!(closed(wednesday()), 1, "the first that is left");
}

#[test]
fn a_topic_that_is_spoken_of_again_goes_on() {
    let texts = [
        "The coffee machine is in the kitchen now and takes its beans from above.",
        "The beans for the coffee machine in the kitchen ran out before Thursday.",
    ];
    let next = vec![said(11, "Bob", None, texts[0]), said(12, "Cid", Some(11), texts[1])];
    let found = after_monday(day(5, next));
    assert_eq!(found.continued.len(), 1, "{found:?}");
}

#[test]
fn no_word_of_a_message_is_kept() {
    let mut memory = Memory::default();
    continuity(&mut memory, monday());
    let mut kept = String::new();
    memory.drain_changes(&mut |_, value| kept.push_str(&String::from_utf8_lossy(&value.expect("a value"))));
    assert!(kept.contains("Ann"), "{kept}");
    for word in ["backup", "restore", "billing", "coffee", "machine", "beans"] {
        assert!(!kept.to_lowercase().contains(word), "{word}: {kept}");
    }
}

#[test]
fn a_digest_far_below_the_usual_or_of_a_part_is_degraded() {
    let mut memory = Memory::default();
    let outcome_of = |memory: &mut Memory, degraded_by: f64, mut state: DigestState| {
        Synthesis { degraded_by, ..Synthesis::default() }.add(memory, &mut state).outcome
    };
    for number in 1..4 {
        let state = DigestState { window: day(number, vec![]).window, ..day(number, monday().messages) };
        assert_ne!(outcome_of(&mut memory, 0.15, state), outcome::DEGRADED);
    }
    let usual = outcome_of(&mut memory.clone(), 0.15, monday());
    assert_ne!(usual, outcome::DEGRADED);
    assert_eq!(
        outcome_of(&mut memory.clone(), -1.0, monday()),
        outcome::DEGRADED,
        "the bound is the setting's"
    );
    let mut part = monday();
    part.window.message_count += 1;
    assert_eq!(outcome_of(&mut memory, 0.15, part), outcome::DEGRADED);
}
