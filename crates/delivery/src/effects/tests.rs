//! What is decided of a delivery, by the state of its ledger.

use super::*;
use DeliveryStatus::{Blocked, Failed, Planned, Sending, Sent, Superseded, Unknown, Withdrawn};

fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

fn ledger(rows: &[(&str, i32, DeliveryStatus, &str)]) -> Vec<Effect> {
    let effect = |(of, part, status, reference): &(&str, i32, DeliveryStatus, &str)| Effect {
        version: version(of),
        part: *part,
        status: *status,
        digest_id: format!("d{of}"),
        reference: (!reference.is_empty()).then(|| (*reference).to_owned()),
    };
    rows.iter().map(effect).collect()
}

fn wanted(parts: i32) -> Wanted {
    Wanted { version: version("2.0"), parts, may_begin: true, done: Sent, versions_kept: 3 }
}

/// What comes next for version 2.0 of one part.
fn next(rows: &[(&str, i32, DeliveryStatus, &str)]) -> Step {
    decide(&ledger(rows), &wanted(1))
}

fn post(part: i32, reply_to: Option<&str>) -> Step {
    Step::Call(Call { part, kind: CallKind::Post { reply_to: reply_to.map(str::to_owned) } })
}

fn edit(part: i32, reference: &str) -> Step {
    Step::Call(Call { part, kind: CallKind::Edit { reference: reference.to_owned() } })
}

#[test]
fn a_digest_is_posted_once_and_edited_from_then_on() {
    assert_eq!(next(&[]), post(1, None));
    assert_eq!(next(&[("2.0", 1, Planned, "")]), post(1, None));
    assert_eq!(next(&[("1.0", 1, Sent, "7")]), edit(1, "7"));
    assert_eq!(next(&[("1.0", 1, Sent, "7"), ("2.0", 1, Planned, "7")]), edit(1, "7"));
    assert_eq!(next(&[("2.0", 1, Sent, "7")]), Step::Done(Outcome::Done));
    // What did not happen is no reason not to post.
    for status in [Failed, Superseded, Withdrawn] {
        assert_eq!(next(&[("1.0", 1, status, "")]), post(1, None), "{status:?}");
    }
    // A version fails once; the next one is another attempt.
    assert_eq!(next(&[("2.0", 1, Failed, "")]), Step::Done(Outcome::Failed));
    assert_eq!(next(&[("1.0", 1, Failed, "7")]), edit(1, "7"));
}

#[test]
fn a_post_that_was_begun_is_unknown_and_nothing_takes_its_place() {
    assert_eq!(next(&[("2.0", 1, Sending, "")]), Step::Lost(1));
    assert_eq!(next(&[("2.0", 1, Unknown, "")]), Step::Done(Outcome::Unknown));
    assert_eq!(next(&[("1.0", 1, Unknown, "")]), Step::Done(Outcome::Held(version("1.0"))));
    assert_eq!(next(&[("1.0", 1, Sending, "")]), Step::Wait(version("1.0")));
    // An edit that was begun is done again.
    assert_eq!(next(&[("1.0", 1, Sent, "7"), ("2.0", 1, Sending, "7")]), edit(1, "7"));
}

#[test]
fn an_older_version_replaces_no_newer_one() {
    for status in [Sending, Sent, Unknown] {
        let rows = [("1.0", 1, Sent, "7"), ("3.0", 1, status, "7")];
        assert_eq!(next(&rows), Step::Done(Outcome::Superseded), "{status:?}");
    }
    assert_eq!(next(&[("2.1", 1, Sent, "7")]), Step::Done(Outcome::Superseded));
    assert_eq!(next(&[("3.0", 1, Failed, "")]), post(1, None));
    let newer = [("3.0", 1, Sent, "7"), ("4.0", 1, Sent, "7"), ("5.0", 1, Sent, "7")];
    assert_eq!(next(&newer), Step::Done(Outcome::Forgotten));
}

#[test]
fn a_newer_blocked_version_withdraws_and_an_older_one_does_not() {
    let blocked_by = |of| [("1.0", 1, Sent, "7"), (of, 0, Blocked, "")];
    assert_eq!(next(&blocked_by("3.0")), Step::Done(Outcome::Withdrawn));
    assert_eq!(next(&[("1.0", 0, Blocked, ""), ("1.0", 1, Withdrawn, "7")]), edit(1, "7"));
    let of_blocked = Wanted { may_begin: false, done: Withdrawn, ..wanted(1) };
    assert_eq!(decide(&ledger(&blocked_by("2.0")), &of_blocked), edit(1, "7"));
    let nothing = ledger(&[("2.0", 0, Blocked, "")]);
    assert_eq!(decide(&nothing, &of_blocked), Step::Done(Outcome::NothingThere));
    let begun = ledger(&blocked_by("2.0"));
    assert_eq!(to_withdraw(&begun, version("2.0")).count(), 1);
}

#[test]
fn parts_follow_the_first_and_those_too_many_are_emptied() {
    let first = [("2.0", 1, Sent, "7"), ("2.0", 2, Planned, "")];
    assert_eq!(decide(&ledger(&first), &wanted(2)), post(2, Some("7")));
    let two = [("1.0", 1, Sent, "7"), ("1.0", 2, Sent, "8")];
    assert_eq!(decide(&ledger(&two), &wanted(1)), edit(1, "7"));
    let rest = ledger(&[two[0], two[1], ("2.0", 1, Sent, "7")]);
    let blank = Call { part: 2, kind: CallKind::Blank { reference: "8".to_owned() } };
    assert_eq!(decide(&rest, &wanted(1)), Step::Call(blank));
    let lost = ledger(&[two[0], ("2.0", 1, Sent, "7"), ("2.0", 2, Sending, "")]);
    assert_eq!(decide(&lost, &wanted(2)), Step::Lost(2));
}

#[test]
fn what_only_corrects_posts_nothing() {
    let corrects = Wanted { may_begin: false, ..wanted(1) };
    assert_eq!(decide(&[], &corrects), Step::Done(Outcome::NothingThere));
    assert_eq!(decide(&ledger(&[("1.0", 1, Sent, "7")]), &corrects), edit(1, "7"));
}

#[test]
fn the_newest_versions_are_kept() {
    let rows = ledger(&[
        ("1.0", 1, Sent, "7"),
        ("1.0", 2, Sent, "8"),
        ("2.0", 1, Sent, "7"),
        ("3.0", 0, Blocked, ""),
    ]);
    assert_eq!(newest_past(&rows, 3), None);
    assert_eq!(newest_past(&rows, 2).map(|it| it.version), Some(version("1.0")));
    assert_eq!(newest_past(&rows, 1).map(|it| it.version), Some(version("2.0")));
}
