//! Exports of other makers through the pipeline: a chat that comes from two phones, or in two formats, is one chat.

use schemas::{GroupMessageIngested, GroupWindowReady};
use std::collections::BTreeSet;
use tests::{PATIENCE, Pipeline, Seen, assert_once, decode_all, settle};

const INGESTED: &str = "group.message.ingested.v1";

/// Authors of the newest states that an id of an account names.
const BY_ACCOUNT: &str = "
SELECT count(*) FROM (SELECT DISTINCT ON (id) author_id FROM messages WHERE group_id = 'formats'
    ORDER BY id, revision DESC, source_offset DESC) AS newest WHERE author_id LIKE 'user%'";
const OF_FORMATS: &str = "SELECT count(DISTINCT id) FROM messages WHERE group_id = 'formats'";
const OF_PHONES: &str = "SELECT count(DISTINCT id) FROM messages WHERE group_id = 'phones'";
/// How the first phone calls the people.
const BY_FIRST_PHONE: &str = "
SELECT count(*) FROM (SELECT DISTINCT ON (id) author_name FROM messages WHERE group_id = 'phones'
    ORDER BY id, revision DESC, source_offset DESC) AS newest WHERE author_name IN ('Ann', 'Bob')";
const MESSAGES: i64 = 40;

/// A line of each message, as Android in German or an iPhone in English writes it.
fn phone(messages: i64, is_iphone: bool) -> String {
    let line = |n: i64| {
        let (name, other) = if n % 2 == 0 { ("Ann", "Annie \u{1f431}") } else { ("Bob", "+49 151 7654321") };
        let (minute, second, said) = (n / 2, n % 2, format!("who takes part {}?", n % 3));
        match (is_iphone, n % 10) {
            (false, 9) => format!("13.01.24, 10:{minute:02} - {name}: <Medien ausgeschlossen>\n"),
            (true, 9) => {
                format!("\u{200e}[1/13/24, 10:{minute:02}:0{second} AM] {other}: \u{200e}image omitted\n")
            }
            (false, _) => format!("13.01.24, 10:{minute:02} - {name}: {said}\n"),
            (true, _) => format!("[1/13/24, 10:{minute:02}:0{second} AM] {other}: {said}\n"),
        }
    };
    (0..messages).map(line).collect::<Vec<_>>().concat()
}

/// The same messages as Telegram Desktop writes them in JSON, and as a page.
fn formats() -> (String, String) {
    let json = |id: i64| {
        let (user, time) = (id % 2, 1_705_140_000 + id * 30);
        format!(
            r#"{{"id": {id}, "type": "message", "date_unixtime": "{time}", "from": "Member {user}",
                "from_id": "user{user}", "text": "line {id}"}}"#
        )
    };
    let html = |id: i64| {
        let (user, minute, second) = (id % 2, id * 30 / 60, id * 30 % 60);
        format!(
            "<div class=\"message default clearfix\" id=\"message{id}\"><div class=\"body\">\n\
             <div class=\"pull_right date details\" title=\"13.01.2024 11:{minute:02}:{second:02} UTC+01:00\">\n\
             11:00\n</div>\n<div class=\"from_name\">\nMember {user}\n</div>\n\
             <div class=\"text\">\nline {id}\n</div>\n</div></div>"
        )
    };
    let json = (1..=MESSAGES).map(json).collect::<Vec<_>>().join(",");
    let html = (1..=MESSAGES).map(html).collect::<Vec<_>>().concat();
    let page = format!(
        "<html><body><div class=\"page_wrap\"><div class=\"page_header\"><div class=\"text bold\">\nTeam\n</div></div>\
         {html}</div></body></html>"
    );
    (format!(r#"{{"name": "Team", "type": "private_group", "id": 7, "messages": [{json}]}}"#), page)
}

#[test]
fn a_chat_that_comes_twice_is_one_chat() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("exports")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    let folder = pipeline.directory().join("exports");
    std::fs::create_dir_all(&folder)?;
    let write = |name: &str, content: &str| -> anyhow::Result<std::path::PathBuf> {
        let path = folder.join(name);
        std::fs::write(&path, content)?;
        Ok(path)
    };
    let (json, page) = formats();
    let android = write("android.txt", &phone(MESSAGES, false))?;
    let iphone = write("iphone.txt", &phone(MESSAGES + 4, true))?;
    let summary = pipeline.import(&android, "phones")?;
    assert_eq!((&summary["read"], &summary["notes"][0]), (&MESSAGES.into(), &"an export of WhatsApp".into()));
    assert_eq!(pipeline.import(&iphone, "phones")?["read"], MESSAGES + 4);
    for file in [write("result.json", &json)?, write("messages.html", &page)?] {
        assert_eq!(pipeline.import(&file, "formats")?["read"], MESSAGES);
    }
    let seen = settle(&pipeline)?.into_seen();
    // A message that is told in two lanes is two records of one identity, and one message.
    let made: Vec<Seen> = seen.iter().filter(|seen| seen.topic != INGESTED).cloned().collect();
    assert_once(&made);
    assert_eq!(pipeline.rows.number(OF_PHONES)?, MESSAGES + 4, "what the second phone has beyond the first");
    assert_eq!(pipeline.rows.number(BY_FIRST_PHONE)?, MESSAGES, "who was named first keeps the name");
    assert_eq!((pipeline.rows.number(OF_FORMATS)?, pipeline.rows.number(BY_ACCOUNT)?), (MESSAGES, MESSAGES));

    let windows: Vec<GroupWindowReady> = decode_all(&pipeline, &seen, "group.window.ready.v1")?;
    let of = |group: &str| {
        let windows = windows.iter().filter(|ready| ready.group_id == group);
        windows.map(|ready| (ready.message_count, ready.participant_count)).collect::<BTreeSet<_>>()
    };
    assert_eq!(of("formats"), [(MESSAGES as i32, 2)].into(), "nothing new in HTML, nobody new either");
    assert_eq!(of("phones").last().map(|(messages, _)| *messages), Some(MESSAGES as i32 + 4));

    let before = seen.len();
    assert_eq!(pipeline.import(&android, "phones")?["finished"], true);
    let seen = settle(&pipeline)?.into_seen();
    assert_eq!(seen.len(), before, "the same file gives nothing new");
    let records: Vec<GroupMessageIngested> = decode_all(&pipeline, &seen, INGESTED)?;
    let lanes: BTreeSet<&str> = records.iter().map(|record| record.lane.as_str()).collect();
    assert_eq!(lanes.len(), 4, "each export a lane");
    up.stop(PATIENCE)?;
    pipeline.finish()
}
