//! What phones write, in several languages.

use super::support::{chat, folder, read_at, refusal, zip};
use crate::Choice;

#[test]
fn an_android_phone_in_english_with_twelve_hours() {
    let read = chat(
        "12/31/23, 9:40\u{202f}PM - Messages and calls are end-to-end encrypted. Only people in this chat can read them.\n\
         12/31/23, 9:40\u{202f}PM - Ann created group \"Party: the plan\"\n\
         12/31/23, 9:41\u{202f}PM - Ann Lee: Who brings the cake?\nIt should be large.\n\n- and with cherries\n\
         12/31/23, 12:05\u{202f}AM - +49 170 1234567: Me: at nine <This message was edited>\n\
         1/1/24, 12:30\u{202f}PM - Ann Lee: This message was deleted\n\
         1/1/24, 1:00\u{202f}PM - Bob: <Media omitted>\nthe cake\n\
         1/1/24, 1:01\u{202f}PM - Bob: IMG-20240101-WA0003.jpg (file attached)\nanother\n\
         1/1/24, 1:01\u{202f}PM - Bob: \n",
    );
    assert_eq!(
        read.lines(),
        [
            "Ann Lee: Who brings the cake?\nIt should be large.\n\n- and with cherries",
            "phone …67: Me: at nine",
            "Bob: the cake",
            "Bob: another",
        ]
    );
    assert_eq!(
        read.times(),
        ["2023-12-31T21:41:00Z", "2023-12-31T00:05:00Z", "2024-01-01T13:00:00Z", "2024-01-01T13:01:00Z"]
    );
    assert_eq!((read.skipped("service"), read.skipped("deleted"), read.skipped("no_text")), (2, 1, 1));
    let media = |index: usize| {
        read.messages[index].media.as_ref().map(|media| (media.kind.as_str(), media.file_name.as_deref()))
    };
    assert_eq!(
        (media(2), media(3)),
        (Some(("file", None)), Some(("photo", Some("IMG-20240101-WA0003.jpg"))))
    );
    let author = read.messages[1].author.as_ref().expect("an author");
    assert!(author.id.starts_with("phone:") && !author.id.contains("1234567"), "{author:?}");
    assert_eq!(
        read.export.notes(),
        ["an export of WhatsApp", "dates are month, day, year (some days are above 12)"]
    );
}

#[test]
fn an_iphone_in_german() {
    let read = chat(
        "\u{feff}[31.12.23, 21:41:05] Fest: \u{200e}Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt. Niemand kann mitlesen.\r\n\
         [31.12.23, 21:41:05] Anna: \u{200e}Anna hat diese Gruppe erstellt\r\n\
         [31.12.23, 21:41:30] ~\u{202f}Jörg Groß: Wer bringt Kuchen?\r\nIch nicht.\r\n\
         \u{200e}[31.12.23, 21:42:00] Anna: \u{200e}<Anhang: 00000004-PHOTO-2023-12-31-21-42-00.jpg>\r\n\
         [31.12.23, 21:43:00] Anna: So einer \u{200e}Bild weggelassen\r\n\
         [31.12.23, 21:43:10] Anna: rezept.pdf • \u{200e}2 Seiten \u{200e}Dokument weggelassen\r\n\
         [31.12.23, 21:44:00] Anna: \u{200e}Du hast diese Nachricht gelöscht.\r\n\
         [31.12.23, 21:45:00] Anna: Um neun \u{200e}<Diese Nachricht wurde bearbeitet.>\r\n\
         [31.12.23, 21:46:00] Anna: \u{200e}Verpasster Sprachanruf\r\n\
         [31.12.23, 21:47:00] Anna: \u{200e}Standort: https://maps.google.com/?q=52.5,13.4\r\n",
    );
    assert_eq!(
        read.lines(),
        [
            "Jörg Groß: Wer bringt Kuchen?\nIch nicht.",
            "Anna: ",
            "Anna: So einer",
            "Anna: ",
            "Anna: Um neun",
            "Anna: Standort: https://maps.google.com/?q=52.5,13.4"
        ]
    );
    assert_eq!((read.skipped("service"), read.skipped("deleted")), (3, 1));
    let media: Vec<_> = read.messages.iter().filter_map(|message| message.media.as_ref()).collect();
    let kinds: Vec<_> = media.iter().map(|media| (media.kind.as_str(), media.file_name.as_deref())).collect();
    assert_eq!(
        kinds,
        [
            ("photo", Some("00000004-PHOTO-2023-12-31-21-42-00.jpg")),
            ("photo", None),
            ("file", Some("rezept.pdf"))
        ]
    );
}

#[test]
fn dates_and_times_of_many_phones() {
    let table = [
        ("20/6/2017 8:28 p.\u{a0}m. - Ana: hola", "2017-06-20T20:28:00Z"),
        ("2023-12-20, 5:46 p.m. - Ana: hola", "2023-12-20T17:46:00Z"),
        ("2023/12/20, 5:46 pm - Ana: hola", "2023-12-20T17:46:00Z"),
        ("31.12.23 um 21:41 Uhr - Ana: hallo", "2023-12-31T21:41:00Z"),
        ("02.05.18 à 18:00 - Ana: salut", "2018-05-02T18:00:00Z"),
        ("31.12.2023 klo 9.05 - Ana: moi", "2023-12-31T09:05:00Z"),
        ("31/12/2023 21:41 - Ana: oi", "2023-12-31T21:41:00Z"),
        ("[2023/12/31 下午9:41:05] Ana: 你好", "2023-12-31T21:41:05Z"),
        ("2023. 12. 31. 오후 9:41 - Ana: 안녕", "2023-12-31T21:41:00Z"),
        ("٣١/١٢/٢٠٢٣، ٩:٤١ م - Ana: مرحبا", "2023-12-31T21:41:00Z"),
        ("\u{200f}31/12/2023, 9:41 م - Ana: مرحبا", "2023-12-31T21:41:00Z"),
        ("[14/10/2021, 3:34:09\u{202f}PM] Ana: hi", "2021-10-14T15:34:09Z"),
        ("3/24/14, 1:59:59 PM: Ana: hi", "2014-03-24T13:59:59Z"),
        ("24/3/14 13:59:59: Ana: hi", "2014-03-24T13:59:59Z"),
        ("13-01-24 12:00 am - Ana: hi", "2024-01-13T00:00:00Z"),
        ("31.12.23, 24:05 - Ana: hi", "2023-12-31T00:05:00Z"),
    ];
    for (line, time) in table {
        let read = chat(line);
        assert_eq!(read.times(), [time], "{line}");
        assert!(read.lines()[0].starts_with("Ana: "), "{line}: {:?}", read.lines());
    }
}

#[test]
fn lines_that_only_look_like_the_beginning_of_a_message() {
    let read = chat(
        "13.01.24, 10:00 - Ann: the times are\n9:41 - first\n12.01.24 is late\n[1] one: two\n\
         [12.01.24, 10:00:00] Bob: as I wrote\n13.01.24, 10:01 - Bob: fine: yes\n",
    );
    assert_eq!(
        read.lines(),
        [
            "Ann: the times are\n9:41 - first\n12.01.24 is late\n[1] one: two\n[12.01.24, 10:00:00] Bob: as I wrote",
            "Bob: fine: yes"
        ]
    );
}

#[test]
fn a_poll_is_read_in_any_language() {
    let read = chat(
        "13.01.24, 10:00 - Ann: ОПРОС:\nКогда?\nВАРИАНТ: во вторник (3 голоса)\nВАРИАНТ: в среду (0 голосов)\n",
    );
    assert_eq!(read.lines(), ["Ann: Когда?\n- во вторник: 3\n- в среду: 0"]);
}

#[test]
fn a_zip_and_its_folder_and_its_file_are_one_export() {
    let text = "13.01.24, 10:00 - Ann: hi\n";
    let name = "WhatsApp Chat with Team.txt";
    let files: [(&str, &[u8]); 3] =
        [(name, text.as_bytes()), ("IMG-1.jpg", b"\xff\xd8"), ("__MACOSX/._x.txt", b"x")];
    let zip = zip(&files);
    let folder = folder(&[files[0], files[1], ("all.zip", &zip)]);
    let read = |name: &str| read_at(&folder.path().join(name), &Choice::default(), "UTC").expect("readable");
    let (whole, file, zip) = (read(""), read(name), read("all.zip"));
    assert_eq!(whole.export.sha256, file.export.sha256);
    assert_eq!((&zip.export.sha256, &zip.export.identity), (&file.export.sha256, &file.export.identity));
    assert_eq!((whole.lines(), zip.ids()), (zip.lines(), file.ids()));
}

#[test]
fn what_is_no_whole_export_says_so() {
    let cut = "13.01.24, 10:00 - Ann: прив".as_bytes();
    assert!(refusal("a.txt", &cut[..cut.len() - 1]).contains("ends in the middle of a character, in line 1"));
    let bad = b"13.01.24, 10:00 - Ann: a\xffb\n13.01.24, 10:00 - Ann: b\n";
    assert!(refusal("a.txt", bad).starts_with("FILE is damaged at line 1: it is not UTF-8"));
    assert!(
        refusal("a.txt", b"\xff\xfe1\x003\x00").contains("it looks like text in UTF-16: save it as UTF-8")
    );
    assert!(refusal("a.txt", b"Dear diary,\ntoday").contains("no line begins as a message of WhatsApp does"));
    assert!(refusal("a.pdf", b"%PDF-1.4").contains("it looks like a PDF"));
}

#[test]
fn two_exports_in_one_file_are_refused() {
    let android = |day: u32| {
        (0..12).map(|n| format!("{day}.01.24, 10:{n:02} - Ann: m{n}\n")).collect::<Vec<_>>().concat()
    };
    let iphone =
        (0..12).map(|n| format!("[14.01.24, 10:{n:02}:00] Ann: m{n}\n")).collect::<Vec<_>>().concat();
    let said = refusal("a.txt", format!("{}{iphone}", android(13)).as_bytes());
    assert!(said.contains("as Android writes it and goes on from line 13 as an iPhone does"), "{said}");
    let twice = format!("{}{}{}", android(13), android(14), android(13));
    let said = refusal("a.txt", twice.as_bytes());
    assert!(said.contains("the first lines come again at line 25"), "{said}");
    // The same words in one minute are no second export.
    chat("13.01.24, 10:00 - Ann: ok\n13.01.24, 10:00 - Ann: ok\n13.01.24, 10:00 - Ann: ok\n");
}
