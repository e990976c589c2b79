//! A request that somebody accepts is told in the words of who asked, as theirs.

use synthesis::Synthesis;

#[test]
fn who_accepts_a_request_is_its_owner_and_who_asked_is_its_speaker() {
    let said = |id: i64, author: &str, text: &str| fixtures::message(id, id * 60_000, author, text);
    let messages = vec![
        said(1, "Ann", "Bob, could you write the release notes by Friday?"),
        said(2, "Bob", "yes, will do"),
        said(3, "Ann", "I'll send the invoices by Monday."),
    ];
    let (digest, _) = Synthesis::default().digest(&fixtures::state(messages));
    let told: Vec<(&str, Option<&str>, &[i64])> = digest
        .actions
        .iter()
        .map(|action| (action.text.as_str(), action.owner.as_deref(), action.message_ids.as_slice()))
        .collect();
    assert_eq!(
        told,
        [
            ("Ann: Bob, could you write the release notes by Friday?", Some("Bob"), &[1, 2][..]),
            ("I'll send the invoices by Monday.", Some("Ann"), &[3][..]),
        ]
    );
    assert_eq!((digest.claims_dropped, digest.facts_struck), (0, 0));
}
