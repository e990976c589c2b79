//! A group's digests in a private chat: for who is in the group and wants them, until they do not.

use super::{GARDEN, Garden, STRANGERS, texts};
use serde_json::json;
use tests::{
    PATIENCE, Pipeline, TALK, TENANT,
    bot_api::{Chat, Kind, Person},
};

/// 2026-03-02T12:00:00Z.
const NOON: i64 = 1_772_452_800;
const DAY: i64 = 24 * 3_600;
const ANN: i64 = 7;
const BO: i64 = 8;
const CY: i64 = 9;

fn talk(garden: &Garden<'_>, day: i64) {
    for (number, text) in (0..).zip(TALK) {
        let person = if number % 2 == 0 { Person::new(ANN, "Ann") } else { Person::new(BO, "Bo") };
        let date = NOON + day * DAY + number * 60;
        garden.bot.write(GARDEN, &person, json!({ "text": text, "date": date }));
    }
}

fn ask(garden: &Garden<'_>, chat: i64, person: i64, text: &str) {
    garden.ask(chat, person, text, &json!({ "date": NOON }));
}

#[test]
fn who_subscribes_gets_the_digests_alone_until_the_button_is_tapped() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("commands_subscribe")? else { return Ok(()) };
    let garden = Garden::of(&pipeline)?;
    let (chat, group) = (GARDEN.to_string(), ["group", "set", "--tenant", TENANT, "--group", "garden"]);
    pipeline.gistmill(&[&group[..], &["--channels", "telegram", "--chat", &chat]].concat())?;
    garden.bot.add_chat(Chat::new(ANN, Kind::Private, "Ann"));
    let up = garden.up(&[])?;
    talk(&garden, 0);
    ask(&garden, GARDEN, ANN, "/subscribe");
    ask(&garden, GARDEN, BO, "/subscribe");
    garden.settle()?;
    let said = texts(&garden.bot.posts(GARDEN));
    assert!(said[0].starts_with("The digests of this group come to our private chat"), "{said:#?}");
    assert!(said[1].ends_with(" https://t.me/gist_loopback_bot?start=s-1001234567890"), "{said:#?}");

    // Bo follows the link. Cy, who is not in the group, has got it from somebody, and another one of a chat that is no group's.
    for person in [BO, CY] {
        garden.bot.add_chat(Chat::new(person, Kind::Private, "Bo"));
        ask(&garden, person, person, "/start s-1001234567890");
    }
    ask(&garden, CY, CY, &format!("/start s{STRANGERS}"));
    garden.settle()?;
    assert!(texts(&garden.bot.posts(BO))[0].starts_with("The digests of this group come"));
    let refused = texts(&garden.bot.posts(CY));
    assert!(refused[0].starts_with("Digests of a group are for those who are in its chat"), "{refused:?}");
    assert!(refused[1].starts_with("This works in a chat that is linked"), "{refused:?}");

    talk(&garden, 1);
    garden.settle()?;
    let copy = garden.bot.posts(ANN);
    assert_eq!((copy.len(), garden.bot.posts(BO).len(), garden.bot.posts(CY).len()), (1, 2, 2), "{copy:?}");
    let text = copy[0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("the Zanzibar release goes out on Thursday"), "{text}");
    let button = &copy[0]["reply_markup"]["inline_keyboard"][0][0];
    assert_eq!(button["text"], "Unsubscribe");

    // Ann taps, twice; somebody else's tap of the same button ends nothing.
    let message = copy[0]["message_id"].as_i64().unwrap_or_default();
    let data = button["callback_data"].as_str().unwrap_or_default().to_owned();
    garden.bot.tap(ANN, message, &Person::new(BO, "Bo"), &data);
    garden.bot.tap(ANN, message, &Person::new(ANN, "Ann"), &data);
    garden.bot.tap(ANN, message, &Person::new(ANN, "Ann"), &data);
    // Bo has blocked the bot since, without a word.
    garden.bot.add_chat(Chat::new(BO, Kind::Private, "Bo").blocked());
    garden.settle()?;
    assert_eq!(garden.bot.calls_of("answerCallbackQuery").len(), 3, "each tap is answered");
    let kept = &garden.bot.posts(ANN)[0];
    assert!(kept["reply_markup"].is_null() && kept["text"] == copy[0]["text"], "the button is gone: {kept}");
    talk(&garden, 2);
    garden.settle()?;
    assert_eq!(garden.bot.posts(ANN).len(), 1, "Ann gets no more");
    let asked =
        "SELECT count(*) FROM telegram_subscribers WHERE ended_ms > 0 AND ended_why LIKE '%asked for it'";
    assert_eq!(pipeline.rows.number(asked)?, 1);
    let blocked = "SELECT count(*) FROM telegram_subscribers WHERE ended_ms > 0 AND ended_why LIKE '%blocked by the user'";
    assert_eq!(pipeline.rows.number(blocked)?, 1, "Bo, by name");
    let posted = texts(&garden.bot.posts(GARDEN));
    assert_eq!(posted.len(), 2 + 2, "the group's own digests are there: {posted:#?}");
    let delivered = "SELECT count(*) FROM outbox WHERE port = 'delivered'";
    assert_eq!(pipeline.rows.number(delivered)?, 2, "and said of once each");
    up.stop(PATIENCE)?;
    pipeline.finish()
}
