//! Exports that Telegram Desktop, or a disk, has damaged.

use super::support::{drain, file, gzip, messages, options};
use crate::{Damage, Error, FileSource, Meter, Summary};
use proptest::prelude::*;
use runtime::Source as _;
use schemas::Message;
use std::path::Path;

fn open(path: &Path, skip_damaged: bool, meter: &Meter) -> Result<FileSource, Error> {
    let mut options = options(path);
    options.skip_damaged = skip_damaged;
    FileSource::open(&options, meter.clone())
}

/// Imports content, damaged or not: its messages and what is said of them.
fn import(content: &[u8], skip_damaged: bool) -> Result<(Vec<Message>, Summary), String> {
    let folder = file("result.json", content);
    let path = folder.path().join("result.json");
    let meter = Meter::default();
    let mut source = open(&path, skip_damaged, &meter)
        .map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))?;
    let records = drain(&mut source, None).into_iter().flat_map(|(_, records)| records).collect();
    Ok((messages(records), meter.snapshot().summary))
}

fn ids(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(|message| message.id).collect()
}

fn damage(id: i64, line: u64, reason: &str) -> Damage {
    Damage { id: Some(id), line, reason: reason.to_owned() }
}

/// A message as Telegram Desktop writes it, a blank a level.
fn element(id: i64, level: usize) -> String {
    let lines = [
        "{".to_owned(),
        format!(" \"id\": {id},"),
        " \"type\": \"message\",".to_owned(),
        " \"date\": \"2026-03-02T10:00:00\",".to_owned(),
        format!(" \"date_unixtime\": \"{}\",", 1_772_445_600 + id),
        " \"from\": \"Ann\",".to_owned(),
        " \"from_id\": \"user1\",".to_owned(),
        format!(" \"text\": \"text {id}\","),
        " \"text_entities\": [".to_owned(),
        "  {".to_owned(),
        "   \"type\": \"plain\",".to_owned(),
        "   \"text\": \"\"".to_owned(),
        "  }".to_owned(),
        " ]".to_owned(),
        "}".to_owned(),
    ];
    let indent = " ".repeat(level);
    lines.map(|line| format!("{indent}{line}")).join("\n")
}

fn elements(ids: impl Iterator<Item = i64>, level: usize) -> String {
    ids.map(|id| element(id, level)).collect::<Vec<_>>().join(",\n")
}

/// An export of messages 1 to `count`.
fn written(count: i64) -> String {
    let elements = elements(1..=count, 2);
    format!(
        "{{\n \"name\": \"Chat\",\n \"type\": \"private_group\",\n \"id\": 7,\n \"messages\": [\n{elements}\n ]\n}}"
    )
}

#[test]
fn slips_of_telegram_desktop_are_read_and_counted() {
    let table = [
        (
            r#""text 4""#,
            r#"[{"type":"custom_emoji","text":"😮","document_id": video_files/sticker (2).webm},"hi"]"#,
            "😮hi",
            ("bare_path", 1),
        ),
        (r#""text 4""#, r#""page\x0cbreak""#, "pagebreak", ("hex_escape", 1)),
        (r#""text 4""#, "\"two\nlines\u{1}\"", "two\nlines", ("control_character", 2)),
        (r#""text 4""#, r#""nul\u0000here""#, "nulhere", ("nul", 1)),
        (r#""text 4""#, r#""half\ud83d and \ude00""#, "half\u{fffd} and \u{fffd}", ("half_surrogate", 2)),
    ];
    for (good, slip, text, count) in table {
        let content = written(5).replace(good, slip);
        let (messages, summary) = import(content.as_bytes(), false).expect("importable");
        assert_eq!(ids(&messages), [1, 2, 3, 4, 5]);
        assert_eq!(messages[3].text, text);
        assert_eq!(summary.repaired, [count].into(), "{slip}");
        assert_eq!((summary.skipped.len(), summary.damaged.len()), (0, 0));
    }
}

const QUOTES: &str = "a quotation mark inside a text is not escaped, or a comma is missing";

#[test]
fn what_cannot_be_read_is_told_with_its_place_and_both_ways_out() {
    let content = written(4).replace("text 4", r#"he said "no" twice"#);
    let line = 1 + content.lines().position(|line| line.contains("he said")).expect("there");
    let byte = content.find("no\"").expect("there");
    let refused = import(content.as_bytes(), false).expect_err("refused");
    let expected = format!(
        "FILE is damaged at line {line} (byte {byte}, in message 4): {QUOTES}; nothing was imported: copy or export it again, \
         or give --skip-damaged to import all but the damaged messages"
    );
    assert_eq!(refused, expected);
    let (messages, summary) = import(content.as_bytes(), true).expect("importable");
    assert_eq!(ids(&messages), [1, 2, 3]);
    assert_eq!(summary.damaged, [damage(4, line as u64, QUOTES)]);
    assert_eq!((summary.skipped_text().as_str(), summary.damaged_more()), ("damaged 1", 0));
}

#[test]
fn a_place_is_that_of_the_file_and_not_of_what_was_repaired() {
    let content = written(4).replace("text 2", "a\nb\\x0cc\u{1}").replace("text 4", r#"he said "no" twice"#);
    let line = 1 + content.lines().position(|line| line.contains("he said")).expect("there");
    let byte = content.find("no\"").expect("there");
    let refused = import(content.as_bytes(), false).expect_err("refused");
    assert!(
        refused.starts_with(&format!("FILE is damaged at line {line} (byte {byte}, in message 4)")),
        "{refused}"
    );
    let (messages, summary) = import(content.as_bytes(), true).expect("importable");
    assert_eq!((messages[1].text.as_str(), summary.damaged[0].line), ("a\nbc", line as u64));
    assert_eq!(summary.repaired, [("control_character", 2), ("hex_escape", 1)].into());
}

#[test]
fn everything_but_the_damaged_elements_is_imported() {
    let good = written(6);
    let cut = |from: &str, to: &str| {
        let (start, end) = (good.find(from).expect("there"), good.find(to).expect("there"));
        format!("{}{}", &good[..start], &good[end..])
    };
    let end = |id: i64| good.find(&format!("text {id}")).expect("there");
    let table = [
        ("no closing quote", good.replace("text 3\"", "text 3"), vec![1, 2, 4, 5, 6], 1),
        ("two in a row", good.replace("\"text 3\"", "x").replace("\"text 4\"", "y"), vec![1, 2, 5, 6], 2),
        ("the first", good.replace("\"text 1\"", "}"), vec![2, 3, 4, 5, 6], 1),
        ("the last", good.replace("\"text 6\"", "]"), vec![1, 2, 3, 4, 5], 1),
        ("a hole from 2 into 4", cut("\"text 2\"", "  {\n   \"id\": 4"), vec![1, 5, 6], 1),
        (
            "a bracket left open",
            good.replace("    }\n   ]\n  },\n  {\n   \"id\": 3", "    },\n  {\n   \"id\": 3"),
            vec![1, 3, 4, 5, 6],
            1,
        ),
        ("no comma between two", good.replacen("  },\n", "  }\n", 1), vec![1, 2, 3, 4, 5, 6], 0),
        ("the end is missing", good[..end(5)].to_owned(), vec![1, 2, 3, 4], 1),
        (
            "cut after a message",
            good[..good.rfind(",\n  {").expect("there")].to_owned(),
            vec![1, 2, 3, 4, 5],
            1,
        ),
        ("something follows", format!("{good}\u{0}\u{0}"), vec![1, 2, 3, 4, 5, 6], 1),
    ];
    for (what, content, expected, damaged) in table {
        let refused = import(content.as_bytes(), false).expect_err(what);
        assert!(refused.contains("--skip-damaged"), "{what}: {refused}");
        let (messages, summary) = import(content.as_bytes(), true).expect(what);
        assert_eq!(ids(&messages), expected, "{what}");
        assert_eq!(summary.damaged.len(), damaged, "{what}: {:?}", summary.damaged);
    }
    let mut bytes = good.into_bytes();
    let at = bytes.windows(6).position(|text| text == b"text 3").expect("there");
    bytes[at] = 0xff;
    assert!(import(&bytes, false).expect_err("refused").contains(", in message 3); nothing was imported"));
    let (messages, summary) = import(&bytes, true).expect("importable");
    assert_eq!(ids(&messages), [1, 2, 4, 5, 6]);
    assert_eq!(
        (summary.damaged[0].id, summary.damaged[0].reason.as_str()),
        (Some(3), "its text is not UTF-8")
    );
}

#[test]
fn a_damaged_file_without_lines_is_read_too() {
    let compact: String = written(5).lines().map(str::trim_start).collect();
    let damaged = compact.replace("text 3", "he \"said\" no");
    let (messages, summary) = import(damaged.as_bytes(), true).expect("importable");
    assert_eq!(ids(&messages), [1, 2, 4, 5]);
    assert_eq!((summary.damaged.len(), summary.damaged[0].id), (1, Some(3)));
}

#[test]
fn damage_between_chats_is_not_passed_over() {
    let chat = |id: i64, first: i64| {
        let elements = elements(first..first + 3, 5);
        format!(
            "   {{\n    \"name\": \"Chat {id}\",\n    \"id\": {id},\n    \"messages\": [\n{elements}\n    ]\n   }}"
        )
    };
    let good = format!("{{\n \"chats\": {{\n  \"list\": [\n{},\n{}\n  ]\n }}\n}}", chat(1, 10), chat(2, 20));
    let folder = file("result.json", good.replace("\"text 12\"", "oops").as_bytes());
    let path = folder.path().join("result.json");
    let chosen = |id: &str| {
        let mut options = options(&path);
        (options.skip_damaged, options.chat) = (true, Some(id.to_owned()));
        let meter = Meter::default();
        let mut source = FileSource::open(&options, meter.clone()).map_err(|error| error.to_string())?;
        let records = drain(&mut source, None).into_iter().flat_map(|(_, records)| records).collect();
        Ok::<_, String>((ids(&messages(records)), meter.snapshot().summary.damaged.len()))
    };
    assert_eq!(chosen("1"), Ok((vec![10, 11], 1)));
    assert_eq!(chosen("2"), Ok((vec![20, 21, 22], 0)), "the damage is another chat's");
    let hole = good.find("text 12").expect("there")..good.rfind("\"messages\"").expect("there");
    std::fs::write(&path, [&good[..hole.start], &good[hole.end..]].concat()).expect("written");
    let refused = chosen("1").expect_err("refused");
    assert!(
        refused
            .contains("it is damaged outside of the messages; nothing was imported: copy or export it again"),
        "{refused}"
    );
    assert!(!refused.contains("--skip-damaged"), "{refused}");
}

#[test]
fn twenty_are_named_and_the_rest_counted() {
    let content = (1..=25).fold(written(30), |text, id| text.replace(&format!("\"text {id}\""), "oops"));
    let (messages, summary) = import(content.as_bytes(), true).expect("importable");
    assert_eq!(ids(&messages), [26, 27, 28, 29, 30]);
    assert_eq!((summary.damaged.len(), summary.damaged_more()), (20, 5));
}

#[test]
fn a_line_that_is_no_json_is_passed_over_where_that_is_wished() {
    let line =
        |id: i64| format!("{{\"id\": {id}, \"sent_at\": \"2026-03-02T10:00:00Z\", \"text\": \"x\\x0c\"}}");
    let content = format!("{}\n{{\"id\": 2, oops\n{}\n", line(1), line(3));
    let refused = import(content.as_bytes(), false).expect_err("refused");
    assert!(refused.contains("line 2 of FILE") && refused.contains("--skip-damaged"), "{refused}");
    let (messages, summary) = import(content.as_bytes(), true).expect("importable");
    assert_eq!(ids(&messages), [1, 3]);
    assert_eq!((summary.damaged[0].line, summary.damaged[0].id), (2, None));
    assert_eq!(summary.repaired, [("hex_escape", 2)].into());
}

#[test]
fn the_flag_changes_nothing_for_a_whole_file() {
    let content = written(2500);
    let folder = file("result.json", content.as_bytes());
    std::fs::write(folder.path().join("b.json.gz"), gzip(content.as_bytes())).expect("written");
    let given = |name: &str, skip_damaged| {
        let mut source =
            open(&folder.path().join(name), skip_damaged, &Meter::default()).expect("importable");
        (source.identity(), drain(&mut source, None))
    };
    assert_eq!(given("result.json", false), given("b.json.gz", true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever is wrong inside some messages, all others are given, in every run the same from every position.
    #[test]
    fn the_others_are_given_from_every_position(
        bad in prop::collection::btree_set(1_i64..2200, 1..40),
        harm in prop::sample::select(vec!["x\"", "\"", "\"}", "\"]", "\"a\": {", "\"\\q\"", "{", "[", "tru"]),
    ) {
        let content = bad.iter().fold(written(2200), |text, id| text.replace(&format!("\"text {id}\""), harm));
        let folder = file("result.json", content.as_bytes());
        let path = folder.path().join("result.json");
        let meter = Meter::default();
        let mut source = open(&path, true, &meter).expect("importable");
        let whole = drain(&mut source, None);
        let given = messages(whole.iter().flat_map(|(_, records)| records.clone()).collect());
        let expected: Vec<i64> = (1..=2200).filter(|id| !bad.contains(id)).collect();
        prop_assert_eq!(ids(&given), expected);
        let summary = meter.snapshot().summary;
        prop_assert_eq!(summary.skipped.get("damaged").copied(), Some(bad.len() as u64));
        let named: Vec<_> = summary.damaged.iter().map(|damage| damage.id).collect();
        prop_assert_eq!(named, bad.iter().take(20).map(|id| Some(*id)).collect::<Vec<_>>());
        for (index, (position, _)) in whole.iter().enumerate() {
            let mut restarted = open(&path, true, &Meter::default()).expect("importable");
            prop_assert_eq!(&drain(&mut restarted, Some(position.clone())), &whole[index + 1..]);
        }
    }
}
