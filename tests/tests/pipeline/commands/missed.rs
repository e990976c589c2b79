//! `/missed`: what was written since somebody last wrote, for that person and nobody else.

use super::{GARDEN, Garden, TOPIC, post, texts};
use serde_json::{Value, json};
use tests::{
    PATIENCE, Pipeline, TALK,
    bot_api::{Chat, Kind, Person},
};

const ANN: i64 = 7;
const BO: i64 = 8;
const CY: i64 = 9;
const DAN: i64 = 11;

/// Ann and Dan write and go away, Bo and Cy talk.
fn talk_of_others(garden: &Garden<'_>) {
    let now = garden.bot.now();
    let wrote = |person: &Person, text: &str, ago: i64| {
        garden.bot.write(GARDEN, person, json!({ "text": text, "date": now - ago }));
    };
    wrote(&Person::new(ANN, "Ann"), "We decided: the Quebec office closes.", 7_200);
    wrote(&Person::new(DAN, "Dan"), "The Quebec people know it.", 7_100);
    for (said, text) in (0..).zip(TALK) {
        let person = if said % 2 == 0 { Person::new(BO, "Bo") } else { Person::new(CY, "Cy") };
        wrote(&person, text, 3_600 - said);
    }
}

fn told(posts: &[Value]) -> &str {
    posts.first().and_then(|post| post["text"].as_str()).unwrap_or_default()
}

#[test]
fn what_was_missed_is_told_to_who_missed_it_and_to_nobody_else() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("commands_missed")? else { return Ok(()) };
    let garden = Garden::of(&pipeline)?;
    garden.bot.add_chat(Chat::new(ANN, Kind::Private, "Ann"));
    let up = garden.up(&[])?;
    talk_of_others(&garden);
    let topic = json!({ "message_thread_id": TOPIC, "is_topic_message": true });
    garden.ask(GARDEN, ANN, "/missed", &topic);
    let stranger = garden.ask(GARDEN, 10, "/missed", &json!({}));
    garden.settle()?;
    let alone = garden.bot.posts(ANN);
    let text = told(&alone);
    assert_eq!(alone.len(), 1, "a server without messages for one person has the private chat: {alone:?}");
    assert!(text.contains("the Zanzibar release goes out on Thursday"), "{text}");
    assert!(!text.contains("Quebec") && !text.contains("/missed"), "what Ann saw is not told again: {text}");
    let posts = garden.bot.posts(GARDEN);
    let unknown = post(&posts, stranger)["text"].as_str().unwrap_or_default();
    assert!(unknown.starts_with("I know of nothing that you wrote here"), "{unknown}");
    assert_eq!(posts.len(), 1, "nobody else is told: {posts:?}");

    // Dan has never opened a chat with the bot.
    garden.ask(GARDEN, DAN, "/missed", &topic);
    garden.settle()?;
    let said = texts(&garden.bot.posts(GARDEN));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].starts_with("The answer is for you alone"), "{said:?}");
    up.stop(PATIENCE)?;

    garden.bot.take_ephemeral(true);
    let up = garden.up(&[])?;
    garden.ask(GARDEN, ANN, "/missed", &topic);
    garden.settle()?;
    let whispers = garden.bot.whispers(GARDEN, ANN);
    assert_eq!((whispers.len(), garden.bot.posts(ANN).len()), (1, 1), "in the chat, for Ann alone");
    let text = told(&whispers);
    assert!(text.contains("the Zanzibar release goes out on Thursday") && !text.contains("Quebec"), "{text}");
    assert_eq!(garden.bot.posts(GARDEN).len(), 2);
    up.stop(PATIENCE)?;
    pipeline.finish()
}
