//! `/mute` and `/unmute`: what administrators of a chat keep from it, and what stays.

use super::{GARDEN, Garden, texts};
use serde_json::{Value, json};
use tests::{
    PATIENCE, Pipeline, TALK, TENANT,
    bot_api::{Chat, Kind, Person},
};

/// 2026-03-02T12:00:00Z.
const NOON: i64 = 1_772_452_800;
const HOUR: i64 = 3_600;
const OWNER: i64 = 5;
const ANN: i64 = 7;

/// Somebody talks of it for an hour, from so many hours after noon on.
fn talk(garden: &Garden<'_>, hours: i64) {
    for (number, text) in (0..).zip(TALK) {
        let person = if number % 2 == 0 { Person::new(ANN, "Ann") } else { Person::new(8, "Bo") };
        let date = NOON + hours * HOUR + number * 60;
        garden.bot.write(GARDEN, &person, json!({ "text": text, "date": date }));
    }
}

fn command(garden: &Garden<'_>, person: i64, text: &str, hours: i64) {
    garden.ask(GARDEN, person, text, &json!({ "date": NOON + hours * HOUR }));
}

fn listed(pipeline: &Pipeline) -> anyhow::Result<Vec<Value>> {
    let listed = pipeline.gistmill(&["delivery", "ls", "--tenant", TENANT, "--muted", "--json"])?;
    let listed: Value = serde_json::from_str(&listed)?;
    Ok(listed["muted"].as_array().cloned().unwrap_or_default())
}

#[test]
fn a_muted_chat_gets_no_digest_of_that_time_and_answers_all_the_same() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("commands_mute")? else { return Ok(()) };
    let garden = Garden::of(&pipeline)?;
    let chat = Chat::new(GARDEN, Kind::Supergroup, "Garden").administrator(OWNER);
    garden.bot.add_chat(chat);
    let (chat, group) = (GARDEN.to_string(), ["group", "set", "--tenant", TENANT, "--group", "garden"]);
    pipeline.gistmill(&[&group[..], &["--channels", "file,telegram", "--chat", &chat]].concat())?;
    let up = garden.up(&[])?;
    talk(&garden, 0);
    command(&garden, ANN, "/mute", 1);
    command(&garden, OWNER, "/mute 8h", 1);
    command(&garden, OWNER, "/mute", 2);
    command(&garden, ANN, "/settings", 3);
    // The day after: the window of the first day closes.
    talk(&garden, 24);
    garden.settle()?;
    let mut said = texts(&garden.bot.posts(GARDEN));
    assert_eq!(said.len(), 4, "four answers and no digest: {said:#?}");
    // The source refuses by itself; its answers come in no order with those of `command_router`.
    said.retain(|text| text != "Administrators of this chat alone can do that.");
    assert_eq!(said.len(), 3, "one was refused: {said:#?}");
    assert!(said[0].contains("until 2026-03-02 21:00 (UTC)"), "{said:#?}");
    assert!(said[1].starts_with("No digests are posted here any more"), "{said:#?}");
    assert!(said[2].ends_with("No digests are posted here until: /unmute"), "{said:#?}");
    let muted = listed(&pipeline)?;
    assert_eq!((muted.len(), &muted[0]["chat"]), (1, &json!(chat)), "{muted:?}");
    let kept = "SELECT count(*) FROM deliveries WHERE channel = 'file' AND status = 'sent'";
    assert_eq!(pipeline.rows.number(kept)?, 1, "the file is there");
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM digests")?, 1, "and so is the row");

    command(&garden, OWNER, "/unmute", 25);
    talk(&garden, 48);
    garden.settle()?;
    let said = texts(&garden.bot.posts(GARDEN));
    assert_eq!(said.len(), 6, "the second day's digest is posted: {said:#?}");
    let is_said = |what: &str| said[4..].iter().any(|text| text.contains(what));
    assert!(is_said("Digests are posted here again"), "{said:#?}");
    assert!(is_said("the Zanzibar release goes out on Thursday"), "{said:#?}");
    assert_eq!(listed(&pipeline)?, muted, "and the first day's is not, however often one looks");
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM chat_mutes")?, 3);
    up.stop(PATIENCE)?;
    pipeline.finish()
}
