//! What a group settles by a poll, or lists to be done, is told with its counts.

use schemas::{Checklist, ChecklistItem, ContextMessage, Digest, Poll, PollOption};
use synthesis::Synthesis;

fn said(id: i64, author: &str, text: &str) -> ContextMessage {
    fixtures::message(id, id * 60_000, author, text)
}

/// As the sources tell it: the words of the poll are the message's text.
fn poll(id: i64, closed: bool, votes: [i32; 2]) -> ContextMessage {
    let [friday, monday] = votes;
    let end = if closed { "\n[closed]" } else { "" };
    let option = |text: &str, votes| PollOption { text: text.to_owned(), votes: Some(votes) };
    ContextMessage {
        poll: Some(Poll {
            question: "Friday or Monday?".to_owned(),
            options: vec![option("Friday", friday), option("Monday", monday)],
            closed,
            voters: Some(friday + monday),
        }),
        media_kind: Some("poll".to_owned()),
        ..said(id, "Ann", &format!("Friday or Monday?\n- Friday: {friday}\n- Monday: {monday}{end}"))
    }
}

fn checklist(id: i64) -> ContextMessage {
    let item = |text: &str, done| ChecklistItem { text: text.to_owned(), done };
    let items = vec![item("tag", Some(true)), item("notes", None), item("mail", None)];
    ContextMessage {
        checklist: Some(Checklist { title: "Before release".to_owned(), items }),
        media_kind: Some("checklist".to_owned()),
        ..said(id, "Ann", "Before release\n- [x] tag\n- notes\n- mail")
    }
}

fn digest(messages: Vec<ContextMessage>) -> Digest {
    Synthesis::default().digest(&fixtures::state(messages)).0
}

/// Texts and first ids of claims.
fn told(claims: &[schemas::Claim]) -> Vec<(&str, i64)> {
    claims.iter().map(|claim| (claim.text.as_str(), claim.message_ids[0])).collect()
}

#[test]
fn a_closed_poll_is_a_decision_with_its_votes() {
    let digest = digest(vec![poll(1, true, [1, 2]), said(2, "Bob", "nice")]);
    assert_eq!(told(&digest.decisions), [("Ann: Friday or Monday? — Monday: 2, Friday: 1", 1)]);
    assert_eq!((digest.questions.len(), digest.claims_dropped, digest.facts_struck), (0, 0, 0));
    assert!((digest.quality.claims - 1.0).abs() < f64::EPSILON, "{:?}", digest.quality);
}

#[test]
fn a_poll_that_goes_on_or_is_tied_is_an_open_question() {
    for (closed, votes, line) in [
        (false, [2, 1], "Ann: Friday or Monday? — Friday: 2, Monday: 1"),
        (true, [1, 1], "Ann: Friday or Monday? — Friday: 1, Monday: 1"),
    ] {
        let digest = digest(vec![poll(1, closed, votes), said(2, "Bob", "Friday is better for me")]);
        assert_eq!(told(&digest.questions), [(line, 1)]);
        assert_eq!((digest.decisions.len(), digest.answers.len()), (0, 0), "{digest:?}");
    }
}

#[test]
fn a_poll_of_another_group_settles_nothing_here() {
    let forwarded = ContextMessage { forwarded: true, ..poll(1, true, [1, 2]) };
    let digest = digest(vec![forwarded, said(2, "Bob", "look what they chose")]);
    assert_eq!((digest.decisions.len(), digest.questions.len()), (0, 0), "{digest:?}");
}

#[test]
fn a_checklist_is_an_action_without_owner() {
    let digest = digest(vec![checklist(1), said(2, "Bob", "nice")]);
    let actions: Vec<_> =
        digest.actions.iter().map(|it| (it.text.as_str(), &it.owner, &*it.message_ids)).collect();
    assert_eq!(actions, [("Before release: notes, mail", &None, &[1][..])]);
    assert!((digest.quality.claims - 1.0).abs() < f64::EPSILON, "{:?}", digest.quality);
}

/// Few words are said in such a window, and a poll is all that it is about: it is delivered.
#[test]
fn a_window_of_a_poll_and_a_checklist_scores_as_told() {
    let empty =
        |id, author| ContextMessage { media_kind: Some("voice_message".to_owned()), ..said(id, author, "") };
    let digest = digest(vec![
        poll(1, false, [2, 1]),
        empty(2, "Bob"),
        empty(3, "Ann"),
        said(4, "Ann", "nice"),
        checklist(5),
    ]);
    assert_eq!((digest.questions.len(), digest.actions.len()), (1, 1), "{digest:?}");
    assert!(digest.quality.score > 0.7, "{:?}", digest.quality);
}
