//! Archives that are not what they should be.

use super::support::{folder, read_at, refusal, zip};
use crate::Choice;

const CHAT: &[u8] = b"13.01.24, 10:00 - Ann: hi\n";

#[test]
fn a_path_that_leads_out_is_refused() {
    for name in ["../../etc/cron.d/x.txt", "/etc/x.txt", "a\\..\\..\\x.txt"] {
        let said = refusal("a.zip", &zip(&[("_chat.txt", CHAT), (name, CHAT)]));
        assert!(said.contains("leads out of the archive"), "{said}");
    }
}

#[test]
fn a_bomb_is_refused_by_what_it_says_and_by_what_it_does() {
    let zeros = vec![b' '; 64 * 1024 * 1024];
    let said = refusal("a.zip", &zip(&[("_chat.txt", &zeros)]));
    assert!(said.contains("says it is 67108864 bytes packed into"), "{said}");
    // One that lies: the directory says 26 bytes, and a mebibyte comes out.
    let honest = zip(&[("_chat.txt", &[CHAT, &vec![b'x'; 1024 * 1024]].concat())]);
    let size = (1024 * 1024 + CHAT.len() as u32).to_le_bytes();
    let mut lying = honest.clone();
    for at in 0..lying.len() - 4 {
        if lying[at..at + 4] == size {
            lying[at..at + 4].copy_from_slice(&(CHAT.len() as u32).to_le_bytes());
        }
    }
    assert_ne!(honest, lying);
    let said = refusal("a.zip", &lying);
    assert!(said.contains("more bytes than an export has, or than it says it has"), "{said}");
}

#[test]
fn an_encrypted_archive_is_refused() {
    let mut bytes = zip(&[("_chat.txt", CHAT)]);
    // The flag in the local header and in the directory.
    bytes[6] |= 1;
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    bytes[directory + 8] |= 1;
    let said = refusal("a.zip", &bytes);
    assert!(
        said.contains("\"_chat.txt\" is encrypted") && said.contains("unpack it with its password"),
        "{said}"
    );
}

#[test]
fn half_an_archive_and_a_damaged_one_are_refused() {
    let lines = (0..2000).map(|n| format!("13.01.24, 10:00 - Ann: message {}\n", n * 7919));
    let text = lines.collect::<Vec<_>>().concat();
    let bytes = zip(&[("_chat.txt", text.as_bytes())]);
    for end in [30, bytes.len() / 2, bytes.len() - 10] {
        let said = refusal("a.zip", &bytes[..end]);
        assert!(said.contains("its directory is damaged or missing"), "{said}");
    }
    let mut flipped = bytes.clone();
    let middle = bytes.len() / 2;
    flipped[middle] ^= 0x55;
    let said = refusal("a.zip", &flipped);
    // Seen as what is wrong in the compression, in the sum, or in the size, whichever comes first.
    let is_seen = said.contains("is damaged at") || said.contains("than it says it has");
    assert!(is_seen && said.contains("nothing was imported"), "{said}");
}

#[test]
fn a_zip_without_a_chat_says_what_it_holds() {
    assert!(
        refusal("a.zip", &zip(&[("a/b.png", b"x"), ("notes.txt", b"hi")]))
            .contains("a zip with notes.txt, a/b.png, in which no chat is")
    );
    assert!(
        refusal("a.docx", &zip(&[("[Content_Types].xml", b"x")])).contains("a document of a word processor")
    );
    assert!(refusal("a.zip", &zip(&[])).contains("a zip with nothing in it"));
}

#[test]
fn of_several_chats_one_is_chosen() {
    let folder = folder(&[("team.txt", CHAT), ("family.txt", CHAT)]);
    let said = read_at(folder.path(), &Choice::default(), "UTC").expect_err("two").to_string();
    assert!(said.contains("holds 2 chats: choose one with --chat ID\n  family.txt\n  team.txt"), "{said}");
    let choice = |name: &str| Choice { chat: Some(name.to_owned()), ..Choice::default() };
    let read = read_at(folder.path(), &choice("team.txt"), "UTC").expect("readable");
    assert_eq!((read.messages.len(), read.export.identity.as_str()), (1, "whatsapp:dmy/chat:team.txt"));
    let said = read_at(folder.path(), &choice("work"), "UTC").expect_err("none").to_string();
    assert!(said.contains("has not exactly one chat \"work\""), "{said}");
}
