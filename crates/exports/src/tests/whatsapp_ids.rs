//! The same message has the same id in every export of its chat.

use super::support::{chat, folder, read_at};
use crate::Choice;
use std::collections::BTreeSet;

const MINUTES: &str = "13.01.24, 10:00 - Ann: ok\n13.01.24, 10:00 - Bob: ok\n13.01.24, 10:00 - Ann: ok\n\
                       13.01.24, 10:01 - Ann: <Media omitted>\n13.01.24, 10:01 - Ann: <Media omitted>\n";

#[test]
fn a_later_and_longer_export_gives_the_ids_again() {
    let short = chat(MINUTES);
    let long = chat(&format!("{MINUTES}13.01.24, 10:01 - Bob: ok\n13.01.24, 10:02 - Ann: ok\n"));
    assert_eq!(long.ids()[..5], short.ids());
    assert_eq!(long.ids().iter().collect::<BTreeSet<_>>().len(), 7, "each its own");
    assert!(long.ids().iter().all(|id| *id > 0 && *id < 1 << 53));
}

#[test]
fn another_phone_gives_the_ids_again() {
    let android = chat(
        "13.01.24, 10:00 - Ann: Hello @491701234567\n13.01.24, 10:00 - Bob: IMG-20240113-WA0001.jpg (file attached)\nmy cat\n\
         13.01.24, 10:01 - Bob: done <This message was edited>\n13.01.24, 10:02 - Bob: STK-20240113-WA0002.webp (file attached)\n",
    );
    let iphone = chat(
        "[1/13/24, 10:00:12 AM] Annie \u{1f431}: Hello @\u{2068}~Zoe\u{2069}\r\n\
         \u{200e}[1/13/24, 10:00:40 AM] +49 151 7654321: my cat\r\n\u{200e}<attached: 00000002-PHOTO-2024-01-13-10-00-40.jpg>\r\n\
         [1/13/24, 10:01:00 AM] +49 151 7654321: done \u{200e}<This message was edited>\r\n\
         [1/13/24, 10:02:59 AM] +49 151 7654321: \u{200e}sticker omitted\r\n",
    );
    assert_eq!(android.ids(), iphone.ids());
    assert_ne!(android.lines()[1], iphone.lines()[1], "people are named by each address book");
}

#[test]
fn phones_in_two_zones_agree_when_each_zone_is_said() {
    let files: [(&str, &[u8]); 2] =
        [("berlin.txt", b"13.01.24, 10:00 - Ann: hi\n"), ("tokyo.txt", b"2024/01/13, 18:00 - Anne: hi\n")];
    let folder = folder(&files);
    let read =
        |name: &str, zone| read_at(&folder.path().join(name), &Choice::default(), zone).expect("readable");
    assert_eq!(read("berlin.txt", "Europe/Berlin").ids(), read("tokyo.txt", "Asia/Tokyo").ids());
    assert_ne!(read("berlin.txt", "UTC").ids(), read("berlin.txt", "Europe/Berlin").ids());
}

#[test]
fn ids_are_what_they_were() {
    // Changing how they are made would double every chat that was imported before.
    assert_eq!(chat("13.01.24, 10:00 - Ann: hi\n").ids(), [3_814_333_698_263_933]);
}
