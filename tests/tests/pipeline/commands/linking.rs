//! A chat is linked by a code that is written in it, once, whatever is killed.

use super::{Garden, STRANGERS, texts};
use crate::kills::SLOW;
use serde_json::json;
use tests::{
    PATIENCE, Pipeline, TENANT,
    bot_api::{Chat, Kind, Person},
    eventually,
};

fn make_code(pipeline: &Pipeline, group: &str) -> anyhow::Result<String> {
    let said = pipeline.gistmill(&["group", "link", "--tenant", TENANT, "--group", group, "--code"])?;
    let command = said.lines().next().unwrap_or_default().to_owned();
    assert!(said.contains(&format!("it is read into {TENANT}/{group} from then on")), "{said}");
    Ok(command)
}

#[test]
fn a_code_links_the_chat_that_it_is_written_in_and_no_other() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("link_code")? else { return Ok(()) };
    let garden = Garden::of(&pipeline)?;
    garden.bot.add_chat(Chat::new(7, Kind::Private, "Ann"));
    let up = garden.up(&[])?;
    let code = make_code(&pipeline, "strangers")?;
    let write = |text: &str| garden.bot.write(STRANGERS, &Person::new(8, "Bo"), json!({ "text": text }));
    write("before");
    garden.ask(STRANGERS, 7, "/link 0000-0000-0000", &json!({}));
    garden.ask(7, 7, &code, &json!({}));
    garden.ask(STRANGERS, 7, &code, &json!({}));
    // In the same answer of Telegram.
    write("after");
    garden.ask(STRANGERS, 8, &code, &json!({}));
    garden.settle()?;
    let said = texts(&garden.bot.posts(STRANGERS));
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with("No chat is linked by this code"), "{said:?}");
    assert!(said[1].starts_with("This chat is linked: what is written from now on is read"), "{said:?}");
    assert_eq!(said[2], said[0], "a used code is answered as a wrong one");
    assert_eq!(texts(&garden.bot.posts(7)), ["A group's chat is linked there: write /link CODE in it."]);
    let links = pipeline.gistmill(&["group", "links"])?;
    assert!(links.contains(&STRANGERS.to_string()) && links.contains("strangers"), "{links}");
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages WHERE text = 'after'")?, 1);
    assert_eq!(
        pipeline.rows.number("SELECT count(*) FROM messages")?,
        1,
        "nothing from before, and no command"
    );
    let word = code.rsplit(' ').next().unwrap_or_default();
    assert!(!up.log()?.contains(word), "the code is in the log");
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_code_is_not_burnt_by_a_source_that_is_killed_over_it() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("link_code_kills")? else { return Ok(()) };
    let garden = Garden::of(&pipeline)?;
    let mut chats = Vec::new();
    for round in 0..5 {
        let chat = STRANGERS - 1 - round;
        garden.bot.add_chat(Chat::new(chat, Kind::Supergroup, "Strangers"));
        let code = make_code(&pipeline, &format!("strangers{round}"))?;
        let up = garden.up(&SLOW)?;
        garden.ask(chat, 7 + round, &code, &json!({}));
        chats.push(chat);
        // The code is used; its answer may be on its way or not.
        let used = "SELECT count(*) FROM link_codes WHERE used_by IS NOT NULL";
        eventually("the code is used", PATIENCE, || Ok((pipeline.rows.number(used)? > round).then_some(())))?;
        up.kill()?;
    }
    let up = garden.up(&[])?;
    let answers = garden.settle()?;
    assert_eq!(answers.len(), 5, "one event for each");
    assert!(answers.iter().all(|answer| answer.text.starts_with("This chat is linked:")), "{answers:?}");
    assert!(garden.answered().values().all(|times| *times == 1), "{:?}", garden.answered());
    let links = pipeline.gistmill(&["group", "links"])?;
    assert!(chats.iter().all(|chat| links.contains(&chat.to_string())), "{links}");
    up.stop(PATIENCE)?;
    pipeline.finish()
}
