//! Commands in chats: answered once each, whatever is killed, and no message of anybody's digest.

mod linking;
mod missed;
mod muting;
mod subscribing;

use crate::kills::SLOW;
use schemas::GroupCommandAnswered;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::{
    PATIENCE, Pipeline, Process, TALK, TENANT,
    bot_api::{BotApi, Chat, Deed, Kind, Person, TOKEN},
    decode_all, eventually, settle,
};

const GARDEN: i64 = -1_001_234_567_890;
const STRANGERS: i64 = -1_001_234_567_892;
const TOPIC: i64 = 3;

struct Garden<'a> {
    pipeline: &'a Pipeline,
    bot: BotApi,
}

impl<'a> Garden<'a> {
    /// A forum that is a group, and one that is none.
    fn of(pipeline: &'a Pipeline) -> anyhow::Result<Self> {
        let bot = BotApi::start()?;
        bot.add_chat(Chat::new(GARDEN, Kind::Forum, "Garden").topic(TOPIC, "Seeds").after(10));
        bot.add_chat(Chat::new(STRANGERS, Kind::Supergroup, "Strangers"));
        let chat = GARDEN.to_string();
        pipeline.gistmill(&["group", "link", "--tenant", TENANT, "--group", "garden", "--chat", &chat])?;
        Ok(Self { pipeline, bot })
    }

    fn up(&self, variables: &[(&str, &str)]) -> anyhow::Result<Process> {
        let url = self.bot.url();
        let telegram = [("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", url.as_str())];
        self.pipeline.spawn("up", &["up"], &[variables, &telegram].concat())
    }

    fn ask(&self, chat: i64, person: i64, text: &str, fields: &Value) -> i64 {
        let length = text.split(' ').next().unwrap_or_default().len();
        let mut message =
            json!({ "text": text, "entities": [{ "type": "bot_command", "offset": 0, "length": length }] });
        for (name, value) in fields.as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        self.bot.write(chat, &Person::new(person, "Ann"), message)
    }

    /// Waits until all was read and done.
    fn settle(&self) -> anyhow::Result<Vec<GroupCommandAnswered>> {
        eventually("updates are confirmed", PATIENCE, || Ok(self.bot.pending().is_empty().then_some(())))?;
        let seen = settle(self.pipeline)?.into_seen();
        decode_all(self.pipeline, &seen, "group.command.answered.v1")
    }

    /// How often each message was answered, by chat and message.
    fn answered(&self) -> BTreeMap<(i64, i64), usize> {
        let mut answered = BTreeMap::new();
        for call in self.bot.calls() {
            if let (Deed::Sent { chat, .. }, Some(id)) =
                (&call.deed, call.body["reply_parameters"]["message_id"].as_i64())
            {
                *answered.entry((*chat, id)).or_default() += 1;
            }
        }
        answered
    }
}

fn post(posts: &[Value], answers: i64) -> &Value {
    let found = posts.iter().find(|post| post["reply_to_message"]["message_id"] == answers);
    found.unwrap_or_else(|| panic!("{answers} has no answer: {posts:?}"))
}

#[test]
fn a_command_is_answered_in_its_place_and_language_and_is_no_message() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("commands")? else { return Ok(()) };
    let garden = Garden::of(&pipeline)?;
    garden.bot.add_chat(Chat::new(7, Kind::Private, "Ann"));
    let up = garden.up(&[])?;
    garden.bot.write(GARDEN, &Person::new(8, "Bo"), json!({ "text": "Когда выходит релиз приложения?" }));
    let topic = json!({ "message_thread_id": TOPIC, "is_topic_message": true });
    let russian = garden.ask(GARDEN, 7, "/help@gist_loopback_bot", &topic);
    garden.ask(GARDEN, 7, "/help@another_bot", &json!({}));
    garden.ask(GARDEN, 7, "/weather", &json!({}));
    let strangers = garden.ask(STRANGERS, 7, "/start", &json!({}));
    let alone = garden.ask(7, 7, "/start", &json!({}));
    garden.settle()?;

    let posts = garden.bot.posts(GARDEN);
    assert_eq!(posts.len(), 1, "{posts:?}");
    let help = post(&posts, russian);
    assert!(help["text"].as_str().unwrap_or_default().starts_with("Команды:\n/start"), "{help}");
    assert_eq!(help["message_thread_id"], TOPIC);
    let start = garden.bot.posts(STRANGERS);
    let start = post(&start, strangers)["text"].as_str().unwrap_or_default().to_owned();
    assert!(start.contains("linked to no group"), "{start}");
    assert!(
        post(&garden.bot.posts(7), alone)["text"].as_str().unwrap_or_default().contains("Add me to a group")
    );
    let kept = "SELECT count(*) FROM messages WHERE text IN ('Когда выходит релиз приложения?', '/weather')";
    assert_eq!(pipeline.rows.number(kept)?, 2, "what Bo wrote, and a command to a bot of another kind");
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, 2, "and no more");
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM outbox")?, 0, "an answer is no digest");

    for _ in 0..100 {
        garden.ask(GARDEN, 9, "/help", &json!({}));
    }
    let answers = garden.settle()?;
    let many = answers.iter().filter(|answer| answer.text.starts_with("Слишком много команд")).count();
    assert_eq!((answers.len(), many), (3 + 5 + 1, 1));
    let log = up.log()?;
    assert!(!log.contains("loopback-server-of-the-tests-only"), "the token is in the log");
    up.stop(PATIENCE)?;
    pipeline.finish()
}

/// Texts of the bot's messages in a chat.
fn texts(posts: &[Value]) -> Vec<String> {
    posts.iter().map(|post| post["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_digest_is_made_when_asked_where_it_was_asked_or_it_is_said_why_not() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("commands_digest")? else { return Ok(()) };
    let garden = Garden::of(&pipeline)?;
    let up = garden.up(&[])?;
    let topic = json!({ "message_thread_id": TOPIC, "is_topic_message": true });
    garden.ask(GARDEN, 7, "/digest 3h", &topic);
    garden.settle()?;
    let empty = texts(&garden.bot.posts(GARDEN));
    assert_eq!(empty, ["Nobody has written in that time."]);

    let old = json!({ "text": "We decided: the Quebec office closes.", "date": garden.bot.now() - 4 * 3600 });
    garden.bot.write(GARDEN, &Person::new(8, "Bo"), old);
    for (text, person) in TALK.iter().zip([7, 8].into_iter().cycle()) {
        garden.bot.write(
            GARDEN,
            &Person::new(person, if person == 7 { "Ann" } else { "Bo" }),
            json!({ "text": text }),
        );
    }
    garden.ask(GARDEN, 7, "/digest 3h", &topic);
    // In the same answer of Telegram, and after the command: nobody has seen it who asked.
    garden.bot.write(GARDEN, &Person::new(8, "Bo"), json!({ "text": "We decided: the Lima office opens." }));
    garden.settle()?;
    let posts = garden.bot.posts(GARDEN);
    let [_, digest] = &posts[..] else { panic!("{posts:?}") };
    assert_eq!(digest["message_thread_id"], TOPIC);
    let text = digest["text"].as_str().unwrap_or_default();
    assert!(text.contains("the Zanzibar release goes out on Thursday"), "{text}");
    assert!(!text.contains("Quebec") && !text.contains("Lima") && !text.contains("/digest"), "{text}");
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, 8);

    garden.ask(GARDEN, 7, "/digest yesterday", &json!({}));
    let group = ["group", "set", "--tenant", TENANT, "--group", "garden"];
    garden.settle()?;
    pipeline
        .gistmill(&[&group[..], &["--scopes", "NONSENSE", "--block-digests", "--language", "ru"]].concat())?;
    garden.ask(GARDEN, 7, "/digest", &json!({}));
    garden.settle()?;
    let said = texts(&garden.bot.posts(GARDEN));
    assert!(said[2].starts_with("Say how far back"), "{said:?}");
    assert!(said[3].starts_with("Этой группе сводки не разрешены"), "{said:?}");
    assert_eq!(said.len(), 4);
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_command_is_answered_once_whenever_the_processes_are_killed() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("commands_kills")? else { return Ok(()) };
    let garden = Garden::of(&pipeline)?;
    for person in 1..=20 {
        garden.bot.add_chat(Chat::new(person, Kind::Private, "Ann"));
    }
    let mut asked = Vec::new();
    for (round, said) in TALK.iter().enumerate().take(5) {
        let up = garden.up(&SLOW)?;
        let before = garden.answered().len();
        for person in 1..=20 {
            asked.push((person, garden.ask(person, person, "/help", &json!({}))));
        }
        asked.push((GARDEN, garden.ask(GARDEN, 7, "/help", &json!({}))));
        garden.bot.write(GARDEN, &Person::new(8, "Bo"), json!({ "text": said }));
        garden.ask(GARDEN, 8, "/digest 1h", &json!({}));
        // In the middle of them, at another place each time.
        eventually("some are answered", PATIENCE, || {
            Ok((garden.answered().len() > before + round * 4).then_some(()))
        })?;
        up.kill()?;
        garden.bot.pass(std::time::Duration::from_secs(61));
    }
    let up = garden.up(&[])?;
    let answers = garden.settle()?;
    assert_eq!(answers.len(), asked.len(), "one event for each");
    let answered = garden.answered();
    assert!(answered.values().all(|times| *times == 1), "{answered:?}");
    let mut unknown = Vec::new();
    for tenant in [TENANT, "~telegram"] {
        let listed = pipeline.gistmill(&["delivery", "ls", "--tenant", tenant, "--json"])?;
        let listed: Value = serde_json::from_str(&listed)?;
        let rows = listed["unknown"].as_array().into_iter().flatten();
        unknown.extend(rows.filter_map(|row| row["digest_id"].as_str().map(str::to_owned)));
    }
    // The digests, or why there were none, are posted or doubtful too, and none twice.
    let posts = garden.bot.posts(GARDEN).iter().filter(|post| post["reply_to_message"].is_null()).count();
    let of_digests = "SELECT count(*) FROM deliveries WHERE revision > 0 AND status IN ('sent', 'unknown')";
    assert_eq!(pipeline.rows.number(of_digests)?, 5);
    assert!((1..=5).contains(&posts), "{posts}");
    let is_unknown = |answer: &GroupCommandAnswered| unknown.contains(&answer.command_id);
    let is_missing = |answer: &&GroupCommandAnswered| {
        let chat = answer.chat.parse().unwrap_or_default();
        !answered.contains_key(&(chat, answer.reply_to.unwrap_or_default()))
    };
    assert!(answers.iter().filter(is_missing).all(is_unknown), "what has no answer is known to be doubtful");
    eprintln!("{} asked, {} answered, {} unknown", asked.len(), answered.len(), unknown.len());
    up.stop(PATIENCE)?;
    pipeline.finish()
}
