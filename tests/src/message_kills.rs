//! Kills `telegram_sink` with SIGKILL while it delivers, and holds what is there in the end against what the peer did.
//!
//! Invariant: whether a message may be there without the ledger knowing is decided from the ledger alone, after the kill and
//! before the next start: those, and no others, have to be `unknown` in the end.

use crate::{
    bot_api::{BotApi, Call, Chat, Deed, Fault, Kind, TOKEN},
    foreign::Foreign,
    kill::catch,
    murmur2::partition_of,
    patience::{PATIENCE, eventually},
    pipeline::{Pipeline, TENANT},
    process::Process,
    seen::decode_all,
    stranger::{Isolation, read},
};
use anyhow::{Context, ensure};
use schemas::{DigestDelivered, DigestReadyForDelivery, digest_id, window_id};
use sqlx::Row;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A digest to make others of.
const SAMPLE: &str =
    include_str!("../../schemas/examples/digest.ready_for_delivery.v1/day_of_an_import.json");
const GROUP: &str = "told";
const READY: &str = "digest.ready_for_delivery.v1";
const DELIVERED: &str = "digest.delivered.v1";
const SINK: &str = "telegram_sink";
const DAY_MS: i64 = 86_400_000;
/// Telegram takes a message a second from a bot to one chat.
const CHATS: i64 = 40;
/// Longer than a killed process is looked for.
const NEVER: Duration = Duration::from_secs(15);
const CATCH: Duration = Duration::from_secs(20);
/// Keeps each write to the ledger open for long enough to be killed in.
const SLOW_WRITES: [&str; 2] = [
    "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END'",
    "CREATE TRIGGER slowly AFTER INSERT ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
];

/// When the sink is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// While it writes that it is about to post, or how that ended.
    Writing,
    /// After a message was posted, before its answer has come.
    Posted,
    /// After a message was edited, before its answer has come.
    Edited,
    /// So long after the first call.
    After(Duration),
}

/// What there was in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Digests that were to be posted, and then edited.
    pub digests: usize,
    /// Messages that the peer posted.
    pub posted: usize,
    /// Deliveries that are `unknown`.
    pub unknown: usize,
    /// Of those, messages that the peer has posted.
    pub unknown_and_posted: usize,
}

/// A pipeline whose sink is killed.
#[derive(Debug)]
pub struct MessageKills<'a> {
    pipeline: &'a Pipeline,
    bot: BotApi,
    feed: Foreign<DigestReadyForDelivery>,
    digests: i64,
    fed: i64,
    /// Windows of which a message was begun when the sink was killed.
    doubtful: BTreeSet<String>,
}

impl<'a> MessageKills<'a> {
    /// Chats to post to, and a sink that writes slowly.
    ///
    /// # Errors
    /// The stack refuses.
    pub fn of(pipeline: &'a Pipeline) -> anyhow::Result<Self> {
        let bot = BotApi::start()?;
        (0..CHATS).for_each(|number| bot.add_chat(Chat::new(chat(number), Kind::Supergroup, "Team")));
        for statement in SLOW_WRITES {
            pipeline.rows.query(statement, &[])?;
        }
        let feed = Foreign::to(pipeline)?;
        Ok(Self { pipeline, bot, feed, digests: 0, fed: 0, doubtful: BTreeSet::new() })
    }

    /// Adds digests, and then a newer version of each.
    ///
    /// # Errors
    /// The broker refuses.
    pub fn feed(&mut self, count: i64) -> anyhow::Result<()> {
        let key = format!("{TENANT}/{GROUP}");
        let partition = partition_of(key.as_bytes(), self.pipeline.map.topic(READY)?.partitions);
        for version in ["1.0", "2.0"] {
            for number in self.digests..self.digests + count {
                self.feed.send(&digest(number, version)?, Some(&key), partition)?;
                self.fed += 1;
            }
        }
        self.digests += count;
        self.feed.flush()
    }

    /// Starts the sink and kills it; false where the moment did not come.
    ///
    /// # Errors
    /// The stack refuses.
    pub fn kill(&mut self, moment: Moment) -> anyhow::Result<bool> {
        let before = self.bot.calls().len();
        match moment {
            Moment::Posted => self.bot.fault("sendMessage", None, Fault::SlowAfter(NEVER)),
            Moment::Edited => self.bot.fault("editMessageText", None, Fault::SlowAfter(NEVER)),
            Moment::Writing | Moment::After(_) => {}
        }
        let sink = self.sink()?;
        let wanted = if moment == Moment::Edited { "editMessageText" } else { "sendMessage" };
        let has_called = |method: Option<&str>| {
            let calls = self.bot.calls();
            // One that names no chat only asks what the server takes.
            let to_chats = calls.iter().skip(before).filter(|call| call.chat.is_some());
            to_chats.into_iter().any(|call| method.is_none_or(|method| call.method == method))
        };
        let has_come = match moment {
            Moment::Writing => {
                catch(&sink, CATCH, || Ok(!self.pipeline.rows.open_writes("deliveries")?.is_empty()))?
            }
            Moment::Posted | Moment::Edited => {
                eventually("a call", CATCH, || Ok(has_called(Some(wanted)).then_some(()))).is_ok()
            }
            Moment::After(time) => {
                let has_begun = eventually("a call", CATCH, || Ok(has_called(None).then_some(()))).is_ok();
                std::thread::park_timeout(time);
                has_begun
            }
        };
        sink.kill()?;
        self.look()?;
        Ok(has_come)
    }

    fn sink(&self) -> anyhow::Result<Process> {
        let variables = [("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", &self.bot.url())];
        self.pipeline.unit(SINK, &variables)
    }

    /// Remembers what was begun and is not over, once the killed process's own last write is.
    fn look(&mut self) -> anyhow::Result<()> {
        eventually("the writes of a killed sink end", PATIENCE, || {
            Ok(self.pipeline.rows.open_writes("deliveries")?.is_empty().then_some(()))
        })?;
        let begun = "SELECT window_id FROM deliveries WHERE status = 'sending' AND reference IS NULL";
        for row in self.pipeline.rows.query(begun, &[])? {
            self.doubtful.insert(row.try_get(0)?);
        }
        Ok(())
    }

    /// Lets a sink go on until everything is delivered, publishes what it said, and holds that against the peer's log.
    ///
    /// # Errors
    /// A message was posted twice, the ledger does not say `unknown` exactly where nobody can know, or something was not
    /// said once.
    pub fn settle(&self) -> anyhow::Result<Told> {
        let sink = self.sink()?;
        let deadline = PATIENCE + Duration::from_secs(self.digests.unsigned_abs());
        let all_is_passed = || -> anyhow::Result<Option<()>> {
            let passed = self.pipeline.rows.sink_offsets()?;
            let of_ready = passed.iter().filter(|((sink, topic, _), _)| sink == SINK && topic == READY);
            Ok((of_ready.map(|(_, offset)| offset).sum::<i64>() == self.fed).then_some(()))
        };
        eventually("everything is delivered", deadline, all_is_passed)?;
        sink.stop(PATIENCE)?;
        let source = self.pipeline.unit("postgres_outbox_source", &[])?;
        let wanted = self.pipeline.rows.outbox()?.get("delivered").copied().unwrap_or_default();
        let delivered = eventually("the outbox is published", PATIENCE, || {
            let seen = read(self.pipeline, Isolation::Committed)?;
            let delivered: Vec<DigestDelivered> = decode_all(self.pipeline, &seen, DELIVERED)?;
            Ok((delivered.len() as i64 >= wanted).then_some(delivered))
        })?;
        source.stop(PATIENCE)?;
        self.judge(&delivered)
    }

    fn judge(&self, delivered: &[DigestDelivered]) -> anyhow::Result<Told> {
        let mut posts: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for call in self.bot.calls() {
            if let Deed::Sent { message, .. } = call.deed {
                posts.entry(window_of(&call)?).or_default().push(message);
            }
        }
        let twice: Vec<_> = posts.iter().filter(|(_, messages)| messages.len() > 1).collect();
        ensure!(twice.is_empty(), "posted twice: {twice:?}");
        let unknown = self.windows("SELECT window_id FROM deliveries WHERE status = 'unknown'")?;
        ensure!(unknown == self.doubtful, "unknown {unknown:?}, and begun when killed {:?}", self.doubtful);
        let mut said = BTreeMap::new();
        for event in delivered {
            *said.entry((event.digest_id.as_str(), event.status.as_str())).or_insert(0) += 1;
        }
        let mut expected = BTreeMap::new();
        let ids: Vec<(String, [String; 2])> = (0..self.digests).map(ids).collect();
        for (window, [first, second]) in &ids {
            if unknown.contains(window) {
                expected.insert((second.as_str(), "failed"), 1);
            } else {
                ensure!(posts.contains_key(window), "{window} was not posted");
                expected.extend([((first.as_str(), "success"), 1), ((second.as_str(), "success"), 1)]);
            }
        }
        ensure!(said == expected, "said {said:?}, expected {expected:?}");
        self.newest_are_shown(&unknown)?;
        let unknown_and_posted = unknown.iter().filter(|window| posts.contains_key(*window)).count();
        Ok(Told { digests: ids.len(), posted: posts.len(), unknown: unknown.len(), unknown_and_posted })
    }

    /// Every message that the ledger knows shows the newest version.
    fn newest_are_shown(&self, unknown: &BTreeSet<String>) -> anyhow::Result<()> {
        let shown: BTreeSet<String> = (0..CHATS)
            .flat_map(|number| self.bot.posts(chat(number)))
            .filter_map(|post| Some(post["text"].as_str()?.lines().next()?.to_owned()))
            .collect();
        for number in 0..self.digests {
            let headline = headline(number, "2.0");
            ensure!(unknown.contains(&ids(number).0) || shown.contains(&headline), "nobody sees {headline}");
        }
        Ok(())
    }

    fn windows(&self, sql: &'static str) -> anyhow::Result<BTreeSet<String>> {
        let rows = self.pipeline.rows.query(sql, &[])?;
        rows.iter().map(|row| row.try_get(0).context("no window")).collect()
    }
}

fn chat(number: i64) -> i64 {
    -1_000_000_000_001 - number.rem_euclid(CHATS)
}

fn headline(number: i64, version: &str) -> String {
    format!("window {number} version {version}")
}

/// Ids of a window and of its two digests.
fn ids(number: i64) -> (String, [String; 2]) {
    let window = window_id(TENANT, GROUP, 24, number * DAY_MS);
    let digests = ["1.0", "2.0"].map(|version| digest_id(&window, version));
    (window, digests)
}

/// The window of a message, by its headline.
fn window_of(call: &Call) -> anyhow::Result<String> {
    let text = call.body["text"].as_str().unwrap_or_default();
    let number = text.split_whitespace().nth(1).and_then(|number| number.parse().ok());
    Ok(ids(number.with_context(|| format!("a message of no window: {text}"))?).0)
}

fn digest(number: i64, version: &str) -> anyhow::Result<DigestReadyForDelivery> {
    let mut ready: DigestReadyForDelivery = serde_json::from_str(SAMPLE)?;
    TENANT.clone_into(&mut ready.tenant_id);
    GROUP.clone_into(&mut ready.group_id);
    version.clone_into(&mut ready.version);
    ready.window_id = ids(number).0;
    ready.digest_id = digest_id(&ready.window_id, version);
    ready.channels = vec!["telegram".to_owned()];
    ready.window.window_start = number * DAY_MS;
    ready.window.window_end = (number + 1) * DAY_MS;
    ready.window.settings.channels.clone_from(&ready.channels);
    ready.window.settings.chat = Some(chat(number).to_string());
    ready.delivery_payload.headline = headline(number, version);
    Ok(ready)
}
