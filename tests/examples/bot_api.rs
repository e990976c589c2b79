//! The loopback Bot API server as a program: `bot_api [PORT]`.
//!
//! It says its address and token in its first two lines, then every call as a line of JSON, until it is ended. What happens
//! in the chats it reads from standard input, a line of JSON each:
//! `{"chat":-1001,"kind":"forum","title":"Garden"}`, `{"chat":-1001,"topic":3,"name":"Seeds"}` (before anyone writes there),
//! `{"chat":-1001,"from":7,"name":"Ann","message":{"text":"hi"}}`, `{"chat":-1001,"edit":5,"message":{"text":"hi!"}}`.

use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, Write, stdin, stdout},
    sync::Arc,
    thread,
    time::Duration,
};
use tests::bot_api::{BotApi, Chat, Kind, Person, TOKEN};

const LOOK_INTERVAL: Duration = Duration::from_millis(100);

fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse()).context("PORT is a number")?;
    let server = Arc::new(BotApi::start_at(port).context("could not listen")?);
    writeln!(stdout(), "{}\n{TOKEN}", server.url())?;
    let logged = Arc::clone(&server);
    let log = thread::spawn(move || log(&logged));
    let mut chats = BTreeMap::new();
    for line in stdin().lock().lines() {
        let line = line.context("could not read an order")?;
        if !line.trim().is_empty() {
            let order: Value = serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
            carry_out(&server, &mut chats, &order).with_context(|| format!("could not carry out {line}"))?;
        }
    }
    log.join().map_err(|_| anyhow!("the log of calls has ended"))
}

fn carry_out(server: &BotApi, chats: &mut BTreeMap<i64, Chat>, order: &Value) -> anyhow::Result<()> {
    let id = order["chat"].as_i64().context("an order names its chat")?;
    let text = |name: &str| order[name].as_str().unwrap_or_default();
    if order["kind"].is_string() {
        let kind = match text("kind") {
            "private" => Kind::Private,
            "group" => Kind::Group,
            "supergroup" => Kind::Supergroup,
            "forum" => Kind::Forum,
            other => bail!("a chat is private, group, supergroup or forum, not {other}"),
        };
        put(server, chats, Chat::new(id, kind, text("title")), id);
    } else if let Some(thread) = order["topic"].as_i64() {
        let chat = chats.remove(&id).context("the chat is not there")?;
        put(server, chats, chat.topic(thread, text("name")), id);
    } else if let Some(message) = order["edit"].as_i64() {
        server.rewrite(id, message, order["message"].clone());
    } else if let Some(person) = order["from"].as_i64() {
        server.write(id, &Person::new(person, text("name")), order["message"].clone());
    } else {
        bail!("an order has kind, topic, edit or from");
    }
    Ok(())
}

fn put(server: &BotApi, chats: &mut BTreeMap<i64, Chat>, chat: Chat, id: i64) {
    server.add_chat(chat.clone());
    chats.insert(id, chat);
}

fn log(server: &BotApi) {
    let mut told = 0;
    // Nobody reads any more: there is nobody to tell.
    while let Ok(count) = say(server, told) {
        told = count;
        thread::park_timeout(LOOK_INTERVAL);
    }
}

/// Says the calls after the first `told`, without polls that gave nothing; gives how many there are now.
fn say(server: &BotApi, told: usize) -> anyhow::Result<usize> {
    let calls = server.calls();
    for call in calls.iter().skip(told).filter(|call| !call.is_idle()) {
        writeln!(stdout(), "{}", call.line())?;
    }
    Ok(calls.len())
}
