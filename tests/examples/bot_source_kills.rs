//! Proves that `telegram_bot_source` tells each message once: it is killed again and again while updates come, at moments
//! that are drawn from a seed, with quiet weeks between, after which ids are smaller; then the topic and the table are
//! compared with what was written in the chats.
//!
//! `bot_source_kills [KILLS [SEED]]`: 100 kills, a hundred updates for each, and seed 1, unless told otherwise, on the stack
//! that the environment names; `tests/bot_source_kills` runs it on one of its own.

use anyhow::{Context, ensure};
use schemas::GroupMessageIngested;
use serde_json::json;
use std::{
    collections::BTreeSet,
    io::{Write, stdout},
    time::{Duration, Instant},
};
use tests::{
    Die, Isolation, PATIENCE, Pipeline, Process, TENANT,
    bot_api::{BotApi, Chat, Deed, Kind, Person, TOKEN},
    decode_all, end_children_on_signals, eventually, kills_and_seed, read, settle,
};

/// Chats that are linked, with their groups, and one that is not.
const LINKED: [(i64, &str); 2] = [(-1_001_234_567_890, "garden"), (-1_001_234_567_891, "shed")];
const STRANGERS: i64 = -1_001_234_567_892;
/// Updates that come before each kill.
const UPDATES: u64 = 100;
/// Longest life of a source after it was given updates; every other one has none.
const LIFE_MS: u64 = 40;
/// A quiet week comes after so many kills.
const WEEK_EVERY: u64 = 20;
/// By so much ids are smaller after each.
const WEEK_STEP: i64 = 10_000_000;
const FIRST_WEEK: i64 = 600_000_000;
/// A producer that holds one record at a time keeps its transactions open for long enough to be killed in.
const SLOW: (&str, &str) =
    ("GISTMILL_KAFKA__PRODUCER_PROPERTIES", "queue.buffering.max.messages=1;linger.ms=0");

/// State of a message: group, id and revision.
type State = (String, i64, i64);

struct Kills {
    pipeline: Pipeline,
    bot: BotApi,
    die: Die,
    expected: BTreeSet<State>,
    updates: u64,
    revision: i64,
    weeks: i64,
}

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let (kills, seed, die) = kills_and_seed(100)?;
    let began = Instant::now();
    let say = |text: &str| writeln!(stdout(), "{:7.1} s  {text}", began.elapsed().as_secs_f64());
    say(&format!("seed {seed}, {kills} kills"))?;
    let mut all = Kills::start(die)?;
    let mut hits = 0;
    for count in 1..=kills {
        all.write();
        hits += u64::from(all.kill()?);
        if count % WEEK_EVERY == 0 {
            all.drain()?;
            all.quiet_week();
            say(&format!("{count} kills, a quiet week"))?;
        }
    }
    all.drain()?;
    let states = all.judge()?;
    let Kills { updates, weeks, pipeline, .. } = all;
    say(&format!(
        "{updates} updates, {weeks} quiet weeks with smaller ids after them, {kills} kills ({hits} with updates read that were \
         not confirmed): {states} states of messages, each once on the topic and once in the table"
    ))?;
    pipeline.finish()
}

impl Kills {
    fn start(die: Die) -> anyhow::Result<Self> {
        let pipeline = Pipeline::start("bot_source_kills")?.context("there is no stack")?;
        let bot = BotApi::start()?;
        bot.add_chat(Chat::new(STRANGERS, Kind::Supergroup, "strangers"));
        for (chat, group) in LINKED {
            bot.add_chat(Chat::new(chat, Kind::Supergroup, group));
            let chat = chat.to_string();
            pipeline.gistmill(&["group", "link", "--tenant", TENANT, "--group", group, "--chat", &chat])?;
        }
        Ok(Self {
            pipeline,
            bot,
            die,
            expected: BTreeSet::new(),
            updates: 0,
            revision: 1_900_000_000,
            weeks: 0,
        })
    }

    /// Messages, edits of them, kinds that nobody knows, and a chat that nobody has linked.
    fn write(&mut self) {
        let ann = Person::new(7, "Ann");
        let mut written = Vec::new();
        for number in 0..UPDATES {
            self.updates += 1;
            match self.die.roll(10) {
                0 => drop(self.bot.update("kind_of_tomorrow", json!({ "number": number }))),
                1 => drop(self.bot.write(STRANGERS, &ann, json!({ "text": "nobody asked" }))),
                2 if !written.is_empty() => self.edit(&written),
                _ => {
                    let (chat, group) = LINKED[usize::from(self.die.roll(2) == 1)];
                    let id = self.bot.write(chat, &ann, json!({ "text": format!("number {number}") }));
                    self.expected.insert((group.to_owned(), id, 0));
                    written.push((chat, group, id));
                }
            }
        }
    }

    fn edit(&mut self, written: &[(i64, &str, i64)]) {
        let index = usize::try_from(self.die.roll(written.len() as u64)).unwrap_or_default();
        let (chat, group, id) = written[index];
        self.revision += 1;
        self.bot.rewrite(chat, id, json!({ "text": "otherwise", "edit_date": self.revision }));
        self.expected.insert((group.to_owned(), id, self.revision * 1000));
    }

    fn source(&self) -> anyhow::Result<Process> {
        let url = self.bot.url();
        let variables = [("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", &url), SLOW];
        self.pipeline.unit("telegram_bot_source", &variables)
    }

    /// Kills the source some time after it was given updates; true where some of them are not confirmed then.
    fn kill(&mut self) -> anyhow::Result<bool> {
        let life = if self.die.roll(2) == 0 { 0 } else { self.die.roll(LIFE_MS) };
        let before = self.bot.calls_of("getUpdates").len();
        let source = self.source()?;
        eventually("the source is given updates", PATIENCE, || {
            let calls = self.bot.calls_of("getUpdates");
            let gave = |call: &tests::bot_api::Call| matches!(&call.deed, Deed::Gave(ids) if !ids.is_empty());
            Ok(calls.iter().skip(before).any(gave).then_some(()))
        })?;
        std::thread::park_timeout(Duration::from_millis(life));
        source.kill()?;
        Ok(!self.bot.pending().is_empty())
    }

    /// Reads the rest.
    fn drain(&self) -> anyhow::Result<()> {
        let source = self.source()?;
        eventually("updates are confirmed", PATIENCE, || Ok(self.bot.pending().is_empty().then_some(())))?;
        source.kill()
    }

    fn quiet_week(&mut self) {
        self.weeks += 1;
        self.bot.quiet_week(FIRST_WEEK - self.weeks * WEEK_STEP);
    }

    /// How many states there are, each once.
    fn judge(&self) -> anyhow::Result<usize> {
        let seen = read(&self.pipeline, Isolation::Committed)?;
        let records: Vec<GroupMessageIngested> =
            decode_all(&self.pipeline, &seen, "group.message.ingested.v1")?;
        let of = |record: &GroupMessageIngested| {
            let group = record.group_id.clone();
            record.messages.iter().map(|it| (group.clone(), it.id, it.revision)).collect::<Vec<_>>()
        };
        let found: Vec<State> = records.iter().flat_map(of).collect();
        let distinct: BTreeSet<State> = found.iter().cloned().collect();
        let (lost, added) =
            (self.expected.difference(&distinct).count(), distinct.difference(&self.expected).count());
        ensure!((lost, added) == (0, 0), "{lost} states are lost and {added} were never written");
        ensure!(found.len() == distinct.len(), "{} states came twice", found.len() - distinct.len());
        let up = self.pipeline.spawn("up", &["up"], &[])?;
        settle(&self.pipeline)?;
        let rows = self.pipeline.rows.number("SELECT count(*) FROM messages")?;
        ensure!(rows == i64::try_from(found.len())?, "{rows} rows for {} states", found.len());
        up.stop(PATIENCE)?;
        Ok(found.len())
    }
}
