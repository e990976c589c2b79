//! A chat as it happens: each message once, whatever is killed, and the same as from an export.

use crate::kills::SLOW;
use schemas::GroupMessageIngested;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};
use tests::{
    Isolation, PATIENCE, Pipeline, Process, TENANT,
    bot_api::{BotApi, Chat, Kind, Person, TOKEN},
    decode_all, eventually, read, settle,
};

pub(crate) const GARDEN: i64 = -1_001_234_567_890;
const SHED: i64 = -1_001_234_567_891;
const STRANGERS: i64 = -1_001_234_567_892;
pub(crate) const INGESTED: &str = "group.message.ingested.v1";

pub(crate) fn server() -> anyhow::Result<BotApi> {
    let bot = BotApi::start()?;
    for (chat, title) in [(GARDEN, "Garden"), (SHED, "Shed"), (STRANGERS, "Strangers")] {
        bot.add_chat(Chat::new(chat, Kind::Supergroup, title));
    }
    Ok(bot)
}

pub(crate) fn link(pipeline: &Pipeline, chat: i64, group: &str) -> anyhow::Result<()> {
    let chat = chat.to_string();
    pipeline.gistmill(&["group", "link", "--tenant", TENANT, "--group", group, "--chat", &chat]).map(drop)
}

fn source(pipeline: &Pipeline, bot: &BotApi) -> anyhow::Result<Process> {
    let url = bot.url();
    let telegram = [("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", url.as_str())];
    pipeline.unit("telegram_bot_source", &[&SLOW[..], &telegram].concat())
}

/// States of messages on the topic: group, id, revision.
pub(crate) fn states(pipeline: &Pipeline) -> anyhow::Result<Vec<(String, i64, i64)>> {
    let seen = read(pipeline, Isolation::Committed)?;
    let records: Vec<GroupMessageIngested> = decode_all(pipeline, &seen, INGESTED)?;
    let of = |record: &GroupMessageIngested| {
        let group = record.group_id.clone();
        record.messages.iter().map(move |it| (group.clone(), it.id, it.revision)).collect::<Vec<_>>()
    };
    Ok(records.iter().flat_map(of).collect())
}

/// Waits until every update was read and confirmed.
pub(crate) fn drained(bot: &BotApi) -> anyhow::Result<()> {
    eventually("updates are confirmed", PATIENCE, || Ok(bot.pending().is_empty().then_some(())))
}

#[test]
fn each_message_comes_once_however_often_the_bot_source_is_killed() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("bot_kills")? else { return Ok(()) };
    let bot = server()?;
    link(&pipeline, GARDEN, "garden")?;
    link(&pipeline, SHED, "shed")?;
    let (ann, bo) = (Person::new(7, "Ann"), Person::new(8, "Bo"));
    let mut expected = BTreeSet::new();
    for round in 0..6_i64 {
        let reading = source(&pipeline, &bot)?;
        let before = states(&pipeline)?.len();
        for number in 0..150 {
            let garden = bot.write(GARDEN, &ann, json!({ "text": format!("garden {round} {number}") }));
            let shed = bot.write(SHED, &bo, json!({ "text": format!("shed {round} {number}") }));
            bot.write(STRANGERS, &bo, json!({ "text": "nobody asked" }));
            expected.extend([("garden".to_owned(), garden, 0), ("shed".to_owned(), shed, 0)]);
            if number % 10 == 0 {
                let edited = 1_800_000_000 + round * 1000 + number;
                bot.rewrite(GARDEN, garden, json!({ "text": "otherwise", "edit_date": edited }));
                expected.insert(("garden".to_owned(), garden, edited * 1000));
                bot.update("kind_of_tomorrow", json!({ "number": number }));
            }
        }
        // In the middle of them, at another place each time.
        eventually("some are read", PATIENCE, || {
            Ok((states(&pipeline)?.len() > before + usize::try_from(round)? * 20).then_some(()))
        })?;
        reading.kill()?;
        if round == 3 {
            // The rest is read, and a week later ids are smaller.
            let rest = source(&pipeline, &bot)?;
            drained(&bot)?;
            rest.kill()?;
            bot.quiet_week(1000);
        }
    }
    let last = source(&pipeline, &bot)?;
    drained(&bot)?;
    let found = states(&pipeline)?;
    assert_eq!(found.iter().cloned().collect::<BTreeSet<_>>(), expected);
    assert_eq!(found.len(), expected.len(), "none of them twice");
    assert!(!last.log()?.contains("loopback-server-of-the-tests-only"), "the token is in the log");
    assert!(!last.log()?.contains("updates were lost"), "{}", last.log()?);
    last.stop(PATIENCE)?;

    let up = pipeline.spawn("up", &["up"], &[])?;
    settle(&pipeline)?;
    let count = i64::try_from(expected.len())?;
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, count);
    up.stop(PATIENCE)?;
    pipeline.finish()
}

/// What people say of the message's number: before it, what stands out, after it.
const PHRASES: [[&str; 3]; 4] = [
    ["We decided: ", "the release", " goes out on Thursday."],
    ["Could somebody look at ", "invoice", "?"],
    ["I will write the notes for ", "chapter", " by Friday."],
    ["Thanks, ", "page", " works again since this morning."],
];
/// Id of a message that is sent days after the others.
const LAST: i64 = 6_000;

/// The same message of an export, and of a bot.
fn message(id: i64) -> (Value, Value) {
    let date = 1_772_452_800 + id * 60;
    let [before, what, after] = PHRASES[usize::try_from(id).unwrap_or_default() % PHRASES.len()];
    let bold = format!("{what} {id}");
    let exported = json!({ "id": id, "type": "message", "date_unixtime": date.to_string(), "from": "Ann Lee",
        "from_id": "user7", "text": [before, { "type": "bold", "text": bold }, after] });
    let received = json!({ "message_id": id, "date": date, "text": format!("{before}{bold}{after}"),
        "from": { "id": 7, "is_bot": false, "first_name": "Ann", "last_name": "Lee" },
        "entities": [{ "type": "bold", "offset": before.len(), "length": bold.len() }] });
    (exported, received)
}

/// The newest digest of each window of a group, by the window's start.
fn digests(pipeline: &Pipeline, group: &str) -> anyhow::Result<BTreeMap<i64, Value>> {
    let export =
        pipeline.gistmill(&["digest", "export", "--tenant", TENANT, "--group", group, "--canonical"])?;
    let digest = |line: &str| -> anyhow::Result<(i64, Value)> {
        let mut exported: Value = serde_json::from_str(line)?;
        // It tells of the digests that were there before, which came in another order.
        exported["digest"]["continuity"] = Value::Null;
        Ok((exported["window_start"].as_i64().unwrap_or_default(), exported["digest"].take()))
    };
    export.lines().map(digest).collect()
}

fn import(pipeline: &Pipeline, group: &str, ids: std::ops::Range<i64>) -> anyhow::Result<()> {
    let messages: Vec<Value> = ids.map(|id| message(id).0).collect();
    let export =
        json!({ "name": group, "type": "private_supergroup", "id": 1_234_567_890, "messages": messages });
    let file = pipeline.directory().join(format!("{group}.json"));
    fs::write(&file, export.to_string())?;
    pipeline.import(&file, group).map(drop)
}

#[test]
fn a_chat_that_is_imported_and_followed_is_one_group_whichever_comes_first() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("bot_overlap")? else { return Ok(()) };
    let bot = server()?;
    link(&pipeline, GARDEN, "garden")?;
    link(&pipeline, SHED, "shed")?;
    // The four phrases of the chat make no good digest; that it is the same one is what is looked at.
    let up = pipeline.spawn("up", &["up"], &[("DIGEST_QUALITY_THRESHOLD", "0")])?;
    let nobody = Person::new(1, "Nobody");
    let follow = |chat, ids: std::ops::Range<i64>| -> anyhow::Result<()> {
        for id in ids {
            bot.write(chat, &nobody, message(id).1);
        }
        let reading = source(&pipeline, &bot)?;
        drained(&bot)?;
        reading.stop(PATIENCE)
    };
    import(&pipeline, "garden", 1..700)?;
    follow(GARDEN, 200..900)?;
    follow(SHED, 200..900)?;
    import(&pipeline, "shed", 1..700)?;
    // The days of the others are over once it comes.
    follow(GARDEN, LAST..LAST + 1)?;
    follow(SHED, LAST..LAST + 1)?;
    settle(&pipeline)?;
    // A row is added where a message's content differs from the one before: here never.
    for (group, sql) in [
        ("garden", "SELECT count(*) FROM messages WHERE group_id = 'garden'"),
        ("shed", "SELECT count(*) FROM messages WHERE group_id = 'shed'"),
    ] {
        assert_eq!(pipeline.rows.number(sql)?, 900, "{group}");
    }
    let expected = digests(&pipeline, "garden")?;
    let counts: Vec<_> = expected.values().map(|digest| digest["message_count"].as_i64()).collect();
    assert_eq!(counts, [Some(719), Some(180)], "the first day and the second");
    assert_eq!(digests(&pipeline, "shed")?, expected);
    up.stop(PATIENCE)?;
    pipeline.finish()
}
