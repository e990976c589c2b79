//! A chat whose updates Telegram brings: each message once, whatever is killed between receipt and commit.

use crate::{
    bot_source::{GARDEN, INGESTED, drained, link, server, states},
    kills::SLOW,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};
use tests::{
    OpenTransactions, PATIENCE, Pipeline, Process,
    bot_api::{BotApi, Deed, Person, TOKEN},
    eventually, kill_in_transaction,
};

const SECRET: &str = "what-nobody-can-guess";
const CATCH: Duration = Duration::from_mins(1);
/// Kills that have to fall between receipt and commit, and kills in all.
const HITS: usize = 2;
const KILLS_MAX: usize = 8;
const ROUND: i64 = 60;

/// A port that was free a moment ago.
fn port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn source(pipeline: &Pipeline, bot: &BotApi, port: u16) -> anyhow::Result<Process> {
    let (api, listen) = (bot.url(), format!("127.0.0.1:{port}"));
    let url = format!("http://{listen}/updates");
    let telegram = [
        ("GISTMILL_TELEGRAM__TOKEN", TOKEN),
        ("GISTMILL_TELEGRAM__API", &api),
        ("GISTMILL_TELEGRAM__WEBHOOK_URL", &url),
        ("GISTMILL_TELEGRAM__WEBHOOK_SECRET", SECRET),
        ("GISTMILL_TELEGRAM__WEBHOOK_LISTEN", &listen),
    ];
    pipeline.unit("telegram_bot_source", &[&SLOW[..], &telegram].concat())
}

/// Ids of updates by how often the webhook took them, and how many were not taken at once.
fn taken(bot: &BotApi) -> (BTreeMap<i64, usize>, usize) {
    let (mut taken, mut refused) = (BTreeMap::new(), BTreeSet::new());
    for call in bot.brought() {
        match (call.deed, call.body["update_id"].as_i64()) {
            (Deed::Gave(ids), _) => ids.into_iter().for_each(|id| *taken.entry(id).or_default() += 1),
            (_, id) => refused.extend(id),
        }
    }
    (taken, refused.len())
}

#[test]
fn each_message_that_is_brought_comes_once_however_often_the_source_is_killed() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("bot_webhook")? else { return Ok(()) };
    let bot = server()?;
    link(&pipeline, GARDEN, "garden")?;
    let transactions = OpenTransactions::on(&pipeline, &[INGESTED])?;
    let (ann, port) = (Person::new(7, "Ann"), port()?);
    let mut expected = BTreeSet::new();
    let mut write = |count: i64| {
        for number in 0..count {
            let id = bot.write(GARDEN, &ann, json!({ "text": format!("line {number}") }));
            expected.insert(("garden".to_owned(), id, 0));
        }
        expected.len()
    };
    let mut hits = 0;
    for _ in 0..KILLS_MAX {
        if hits == HITS {
            break;
        }
        write(ROUND);
        let hit = kill_in_transaction(source(&pipeline, &bot, port)?, &transactions, 0, CATCH)?;
        hits += usize::from(hit.is_some());
    }
    assert_eq!(hits, HITS, "kills between receipt and commit");
    let last = source(&pipeline, &bot, port)?;
    drained(&bot)?;
    // One more, alone and without a kill.
    let count = write(1);
    drained(&bot)?;
    let found = states(&pipeline)?;
    assert_eq!(found.len(), count, "none of them twice");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    let (taken, refused) = taken(&bot);
    assert_eq!(taken.len(), count);
    assert!(taken.values().all(|times| *times == 1), "{taken:?}");
    assert!(refused >= hits, "what was read and not committed was brought again");
    let log = last.log()?;
    assert!(!log.contains(SECRET) && !log.contains("loopback-server-of-the-tests-only"), "{log}");
    // Who polls beside it is answered 409, by name; `doctor` tells it too.
    let api = bot.url();
    let polls = [("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", api.as_str())];
    let said = pipeline.output(&["doctor"], &polls)?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let finding = format!("a webhook at http://127.0.0.1:{port} gets them, and each poll is answered 409");
    assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(&finding), "{said}");
    last.stop(PATIENCE)?;
    let polling = pipeline.unit("telegram_bot_source", &polls)?;
    eventually("the 409 is named", PATIENCE, || {
        Ok(polling.log()?.contains("a webhook gets this bot's updates").then_some(()))
    })?;
    polling.stop(PATIENCE)?;
    pipeline.finish()
}
