//! What is for one person alone.

use super::{GARDEN, Garden, post, texts};
use serde_json::json;
use tests::{
    PATIENCE, Pipeline, TALK,
    bot_api::{Chat, Kind, Membership, Person},
};

/// Ann wrote four hours ago, then others talked.
fn talk(garden: &Garden<'_>) {
    let old = json!({ "text": "We decided: the Quebec office closes.", "date": garden.bot.now() - 4 * 3600 });
    garden.bot.write(GARDEN, &Person::new(7, "Ann"), old);
    for (text, person) in TALK.iter().zip([8, 9].into_iter().cycle()) {
        let name = if person == 8 { "Bo" } else { "Cy" };
        garden.bot.write(GARDEN, &Person::new(person, name), json!({ "text": text }));
    }
}

#[test]
fn what_somebody_missed_is_told_to_that_person_alone() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("commands_missed")? else { return Ok(()) };
    let garden = Garden::of(&pipeline)?;
    for person in [7, 8] {
        garden.bot.add_chat(Chat::new(person, Kind::Private, "Ann"));
    }
    garden.bot.set_membership(8, Membership::Left);
    let up = garden.up(&[])?;
    talk(&garden);
    garden.ask(GARDEN, 7, "/missed", &json!({}));
    let stranger = garden.ask(GARDEN, 6, "/missed", &json!({}));
    garden.ask(GARDEN, 8, "/missed", &json!({}));
    garden.settle()?;
    let [missed] = &texts(&garden.bot.posts(7))[..] else { panic!("not one: {:?}", garden.bot.posts(7)) };
    assert!(
        missed.contains("the Zanzibar release goes out on Thursday") && !missed.contains("Quebec"),
        "{missed}"
    );
    let posts = garden.bot.posts(GARDEN);
    assert_eq!(posts.len(), 2, "{posts:?}");
    let unknown = post(&posts, stranger)["text"].as_str().unwrap_or_default();
    assert!(unknown.starts_with("I know of nothing that you wrote here"), "{unknown}");
    assert!(texts(&posts).iter().any(|text| text.contains("press Start")), "{posts:?}");

    garden.bot.take_ephemeral(true);
    up.stop(PATIENCE)?;
    let up = garden.up(&[])?;
    garden.bot.write(GARDEN, &Person::new(7, "Ann"), json!({ "text": "Thank you!" }));
    garden.ask(GARDEN, 7, "/missed", &json!({}));
    garden.settle()?;
    assert_eq!(garden.bot.posts(7).len(), 1);
    assert_eq!(texts(&garden.bot.whispers(GARDEN, 7)), ["Nobody has written in that time."]);
    up.stop(PATIENCE)?;
    pipeline.finish()
}
