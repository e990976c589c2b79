//! A letter has the headers that it should, whatever groups and people are called.

use super::*;
use proptest::prelude::*;
use runtime::config::Email;

fn sender() -> Sender {
    let settings = Email {
        from: Some("Digests <digests@example.org>".to_owned()),
        unsubscribe_url: Some("https://example.org/unsubscribe".to_owned()),
        ..Email::default()
    };
    Sender::of(&settings).unwrap()
}

fn parcel(kind: Kind, subject: &str, group_id: &str, first: Option<&str>) -> Parcel {
    let due = Due {
        tenant_id: "acme".to_owned(),
        window_id: "w".to_owned(),
        channel: "email",
        chat: "ann@example.org".to_owned(),
    };
    let version: Version = "2.0".parse().unwrap();
    let reference = message_id(&due, ("d", version), kind, "example.org");
    let kept = Kept {
        subject: subject.to_owned(),
        text: "text".to_owned(),
        html: "<p><!--note-->html</p>".to_owned(),
        newer: "newer".to_owned(),
    };
    let payload = serde_json::to_string(&kept).unwrap();
    Parcel::of_test((due, version), (group_id, "d"), (kind, &payload), (&reference, first))
}

fn sent(parcel: &Parcel) -> String {
    String::from_utf8(letter(parcel, &sender()).unwrap().1).unwrap()
}

/// Headers with their lines joined.
fn headers(letter: &str) -> Vec<(String, String)> {
    let head = letter.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?} is no header"));
        (name.to_owned(), value.trim().to_owned())
    };
    head.lines().map(header).collect()
}

fn value(letter: &str, name: &str) -> Option<String> {
    headers(letter).into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
}

#[test]
fn a_letter_says_who_sent_it_and_how_to_get_no_more() {
    let letter = sent(&parcel(Kind::New, "team: digest of 2026-03-02", "team", None));
    assert_eq!(value(&letter, "From").unwrap(), "Digests <digests@example.org>");
    assert_eq!(value(&letter, "To").unwrap(), "ann@example.org");
    assert_eq!(value(&letter, "Subject").unwrap(), "team: digest of 2026-03-02");
    assert_eq!(value(&letter, "Auto-Submitted").unwrap(), "auto-generated");
    let expected = "<mailto:digests@example.org?subject=unsubscribe%20acme%2Fteam%20ann%40example.org>, \
                    <https://example.org/unsubscribe>";
    assert_eq!(value(&letter, "List-Unsubscribe").unwrap(), expected);
    assert!(value(&letter, "Date").is_some());
    assert_eq!(value(&letter, "In-Reply-To"), None);
    assert!(!letter.contains("newer"));
}

#[test]
fn a_group_of_a_long_name_has_a_header_that_fits_a_line() {
    let letter = sent(&parcel(Kind::New, "s", &"ж".repeat(256), None));
    let header = value(&letter, "List-Unsubscribe").unwrap();
    assert!(header.starts_with("<mailto:digests@example.org?subject=unsubscribe>, <https://"), "{header}");
    assert!(letter.lines().all(|line| line.len() <= 998));
}

#[test]
fn versions_of_a_window_are_a_thread_and_say_that_they_are_newer() {
    let first = parcel(Kind::New, "s", "team", None);
    let second = parcel(Kind::Edited, "s", "team", Some(&first.reference));
    let letter = sent(&second);
    let of_first = format!("<{}>", first.reference);
    assert_eq!(value(&letter, "In-Reply-To").as_ref(), Some(&of_first));
    assert_eq!(value(&letter, "References").as_ref(), Some(&of_first));
    // A long line is broken in its encoding.
    let letter = letter.replace("=\r\n", "");
    assert_eq!(letter.matches("newer").count(), 2, "in both forms: {letter}");
    let notice = parcel(Kind::Withdrawn, "s", "team", Some(&first.reference));
    assert_ne!(notice.reference, second.reference);
}

#[test]
fn each_recipient_has_letters_of_its_own() {
    let of = |chat: &str| {
        let due = Due {
            tenant_id: "t".to_owned(),
            window_id: "w".to_owned(),
            channel: "email",
            chat: chat.to_owned(),
        };
        message_id(&due, ("d", "1.0".parse().unwrap()), Kind::New, "example.org")
    };
    assert_ne!(of("a@example.org"), of("b@example.org"));
    assert!(!of("ann@example.org").contains("ann"), "a recipient is not told to others");
}

proptest! {
    #[test]
    fn no_name_makes_a_header_or_a_line_of_its_own(subject in "\\PC{0,80}", group in "(\r|\n|\\PC){1,60}") {
        let nasty = format!("{subject}\r\nBcc: eve@example.org\r\n\r\n{group}");
        let letter = sent(&parcel(Kind::Edited, &nasty, &nasty, Some("x@example.org")));
        let names: Vec<String> = headers(&letter).into_iter().map(|(name, _)| name).collect();
        let mut expected = ["From", "To", "Subject", "Message-ID", "Auto-Submitted", "List-Unsubscribe",
            "In-Reply-To", "References", "MIME-Version", "Date", "Content-Type"].map(str::to_owned).to_vec();
        let mut found = names.clone();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
        prop_assert!(letter.is_ascii());
        prop_assert!(letter.lines().all(|line| line.len() <= 998));
    }
}
