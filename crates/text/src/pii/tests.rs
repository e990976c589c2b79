//! What is masked, what is not, and that masking twice is masking once.

use super::*;
use proptest::prelude::*;

#[test]
fn personal_data_is_replaced() {
    let table = [
        ("пишите на ivan.petrov+work@mail.example.ru.", "пишите на [email]."),
        ("mail me: a_b@x-y.org, thanks", "mail me: [email], thanks"),
        ("почта@яндекс.рф", "[email]"),
        ("<bob@corp.example>", "<[email]>"),
        ("позвони +7 (916) 123-45-67 до 12:30", "позвони [phone] до 12:30"),
        ("+79161234567", "[phone]"),
        ("+7 916 123 45 67 12:30", "[phone] 12:30"),
        ("8 (495) 123-45-67, доб. 12", "[phone], доб. 12"),
        ("89161234567", "[phone]"),
        ("мой 8-916-123-45-67!", "мой [phone]!"),
        ("8 800 555 35 35", "[phone]"),
        ("(812) 123-45-67", "[phone]"),
        ("916 123-45-67", "[phone]"),
        ("тел. 123-45-67", "тел. [phone]"),
        ("call (555) 123-4567 now", "call [phone] now"),
        ("call 555-123-4567", "call [phone]"),
        ("+44 20 7946 0958", "[phone]"),
        ("+1-202-555-0143", "[phone]"),
        ("+380 44 123 45 67", "[phone]"),
        ("карта 4276 1600 0000 0001?", "карта [card]?"),
        ("4111111111111111", "[card]"),
        ("5500-0000-0000-0004", "[card]"),
        ("3782 822463 10005", "[card]"),
        ("паспорт 4510 № 123456", "паспорт [passport]"),
        ("Паспорт: серия 45 10 номер 123456, 45 10 123456", "Паспорт: серия 45 10 номер 123456, [passport]"),
        ("passport 4510123456", "passport [passport]"),
        ("112-233-445 95", "[snils]"),
        ("СНИЛС: 11223344595", "СНИЛС: [snils]"),
        ("ИНН 7707083893, ОГРН нет", "ИНН [inn], ОГРН нет"),
        ("инн: 500100732259", "инн: [inn]"),
        ("DE89 3704 0044 0532 0130 00 please", "[iban] please"),
        ("GB29NWBK60161331926819", "[iban]"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[secret]"),
        ("key=sk-proj-Ab12Cd34Ef56Gh78Ij90Kl12", "key=[secret]"),
        ("bot 123456789:AAExampleExampleExampleExampleExamp1 ok", "bot [secret] ok"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[secret]"),
        ("AKIAIOSFODNN7EXAMPL1", "[secret]"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA1\n-----END RSA PRIVATE KEY----- ok",
            "[secret] ok",
        ),
        ("postgres://app:hunter2@db.example/main", "postgres://[secret]@db.example/main"),
        ("https://x.example/reset?mail=a@b.example&t=1", "https://x.example/reset?mail=[email]&t=1"),
    ];
    let wrong: Vec<_> = table.into_iter().filter(|(text, masked)| mask(text) != *masked).collect();
    let found: Vec<_> = wrong.iter().map(|(text, _)| mask(text)).collect();
    assert!(wrong.is_empty(), "expected {wrong:#?}, found {found:#?}");
}

#[test]
fn the_rest_stays() {
    let table = [
        "",
        "версия 1.2.3.4567 и 10.20.30.40:8080",
        "rdkafka 0.39, librdkafka 2.12.1",
        "id 3458284981, message 97859, снова 9161234567",
        "2024-01-15 10:20:30.123456 и 15.01.2024 10:20",
        "20240115102030 1542895468000 1542895468",
        "1 234 567 890 руб, 12 345 678,90",
        "8 999 123 456 записей",
        "100500 200300 400500",
        "+100500 к карме, +5%",
        "4111111111111112 is not a card",
        "550e8400-e29b-41d4-a716-446655440000",
        "commit 89161234567a1b2c3",
        "p99 = 12345678 ms, rps 10000000",
        "@username спасибо, @all",
        "ssh git@github.example:org/repo.git and ssh://git@host.example/x",
        "root@localhost",
        "lodash@4.17.21 foo@1.2.3",
        "https://medium.example/@user.name/post-89161234567",
        "https://t.example/c/1234567890/12345?thread=89161234567",
        "https://example.com/a@b.example/c",
        "винный 7707083893 магазин",
        "sk-learn-contrib-something-else-entirely",
        "very_long_snake_case_identifier_without_secrets_1",
        "0xdeadbeef00000000 0123456789abcdef0123456789abcdef",
        "order 4510 123456",
        "[email] [phone] [secret]",
        "DE00 3704 0044 0532 0130 00",
        "#89161234567 №89161234567",
        "192.168.100.200 255.255.255.255",
    ];
    let changed: Vec<_> =
        table.into_iter().map(mask).filter(|masked| matches!(masked, Cow::Owned(_))).collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn known_places_are_replaced_and_marks_follow() {
    let text = "жирный 123-4567 и a@b.example и [конец]";
    let place =
        |part: &str| text.find(part).map(|start| start..start + part.len()).expect("part of the text");
    let number = place("123-4567");
    let known = [Span { start: number.start, end: number.end, kind: Kind::Phone }];
    let mut marks = [place("жирный"), place("123-4567"), place("b.example и"), place("конец"), 0..text.len()];
    let masked = mask_marked(text, &known, &mut marks);
    assert_eq!(masked, "жирный [phone] и [email] и [конец]");
    let marked: Vec<&str> = marks.iter().map(|mark| &masked[mark.clone()]).collect();
    assert_eq!(marked, ["жирный", "[phone]", "[email] и", "конец", &masked]);
}

#[test]
fn a_hostile_text_takes_linear_time() {
    for pattern in
        ["a@b.co", "+79991234567a@b.co", "https://a:b@c?d@e.fg ", "8 999 ", "AB12", "://", "@", "-----BEGIN "]
    {
        let text = pattern.repeat(200_000 / pattern.len());
        assert!(mask(&text).len() <= text.len() * 2);
    }
}

fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "+7",
        "8",
        "916",
        "123-45-67",
        "a@b.co",
        "@",
        "://",
        "https://",
        "?x=",
        "user:pw@",
        "4276 1600 0000 0001",
        " ",
        "-",
        "(",
        ")",
        ".",
        ",",
        "/",
        "паспорт ",
        "инн ",
        "тел ",
        "[email]",
        "ghp_",
        "0123456789",
        "eyJ",
        "№",
        "DE89370400440532013000",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "\n",
        "é",
        "😀",
        "AKIA",
    ]);
    prop_oneof![4 => fixed.prop_map(str::to_owned), 1 => "[0-9]{1,12}", 1 => "\\PC{0,6}", 1 => "[A-Za-z0-9_]{10,40}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn masking_twice_is_masking_once(pieces in prop::collection::vec(piece(), 0..16)) {
        let text = pieces.concat();
        let once = mask(&text).into_owned();
        prop_assert_eq!(mask(&once), once.as_str());
    }

    #[test]
    fn marks_stay_on_character_boundaries(pieces in prop::collection::vec(piece(), 0..12), a in 0_usize..99, b in 0_usize..99) {
        let text = pieces.concat();
        let edges: Vec<usize> = text.char_indices().map(|(index, _)| index).chain([text.len()]).collect();
        let (a, b) = (edges[a % edges.len()], edges[b % edges.len()]);
        let mut marks = [a.min(b)..a.max(b), 0..text.len()];
        let masked = mask_marked(&text, &[], &mut marks);
        prop_assert!(marks[0].start <= marks[0].end);
        prop_assert!(masked.get(marks[0].clone()).is_some());
        prop_assert_eq!(marks[1].clone(), 0..masked.len());
    }
}
