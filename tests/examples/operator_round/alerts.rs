//! Alerts provoked, one after the other, at a real Prometheus; each has to fire, and to end once what its runbook says is done.

use crate::round::Round;
use anyhow::Context;
use schemas::{Author, GroupMessageIngested, Message};
use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    thread::park_timeout,
    time::{Duration, Instant},
};
use tests::{
    Foreign, Forgotten, Models, OwnStack, PATIENCE, Pipeline, Prometheus, TALK, TENANT,
    bot_api::{BotApi, Chat, Fault, Kind, Membership, TOKEN},
    day_is_over, eventually, partition_of,
};

/// 2026-03-02T12:00:00Z, of the day that [`day_is_over`] closes.
const NOON: i64 = 1_772_452_800_000;
/// Two looks of the process at transactions, outbox and maintenance lie 15 s apart.
const FIRES_WITHIN: Duration = Duration::from_mins(2);
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Everything that an alert is provoked with.
struct Stage<'a> {
    round: Round<'a>,
    pipeline: &'a Pipeline,
    own: &'a OwnStack,
    prometheus: Prometheus,
    /// None while it is away.
    bot: Option<BotApi>,
    port: u16,
    models: Models,
    config: String,
    feed: Foreign<GroupMessageIngested>,
    groups: u32,
}

/// What was untrue; an empty list, said on standard error, without Prometheus.
pub(crate) fn step(binary: PathBuf) -> anyhow::Result<Vec<String>> {
    let own = OwnStack::start_with(binary)?;
    let pipeline = Pipeline::start_on(own.addresses()?, "alerts")?;
    let (bot, models) = (BotApi::start()?, Models::start()?);
    let config = pipeline.directory().join("models.toml");
    fs::write(&config, format!("{}[llm.chains]\nwriter = [\"pro\"]\n", models.provider("pro")))?;
    let url = bot.url();
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).context("a port")?;
    let variables = [("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", url.as_str())];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let round = Round::start_with(&pipeline, variables)?;
    let Some(prometheus) = Prometheus::start(pipeline.directory(), round.port())? else {
        round.end()?;
        pipeline.leave();
        return Ok(Vec::new());
    };
    let feed = Foreign::to(&pipeline)?;
    let config = config.to_string_lossy().into_owned();
    let mut stage = Stage {
        round,
        pipeline: &pipeline,
        own: &own,
        prometheus,
        bot: Some(bot),
        port,
        models,
        config,
        feed,
        groups: 0,
    };
    stage.deliveries_fail()?;
    stage.breaker_open()?;
    stage.deliveries_late()?;
    stage.fallbacks()?;
    stage.maintenance_overdue()?;
    stage.recovering_often()?;
    stage.transaction_hangs()?;
    let untrue = stage.round.end()?;
    pipeline.leave();
    Ok(untrue)
}

impl Stage<'_> {
    fn bot(&self) -> anyhow::Result<&BotApi> {
        self.bot.as_ref().context("the bot's server is away")
    }

    /// A group whose digests go to files and to a chat; its chat.
    fn group(&mut self) -> anyhow::Result<(String, i64)> {
        self.groups += 1;
        let (group, chat) = (format!("team_{}", self.groups), -1_001_000_000_000 - i64::from(self.groups));
        self.bot()?.add_chat(Chat::new(chat, Kind::Supergroup, &group));
        let set = ["group", "set", "--tenant", TENANT, "--group", &group];
        let channels = ["--channels", "file,telegram", "--chat", &chat.to_string()];
        self.pipeline.gistmill(&[&set[..], &channels].concat())?;
        Ok((group, chat))
    }

    /// A day of talk of a group, which is worth a digest.
    fn talk(&self, group: &str) -> anyhow::Result<()> {
        let message = |(text, id): (&&str, i64)| {
            let name = if id % 2 == 0 { "Ann" } else { "Bo" };
            let author = Author { id: format!("u_{name}"), name: name.to_owned(), is_bot: false };
            Message { author: Some(author), ..Message::plain(id, NOON + id * 60_000, text) }
        };
        let messages = TALK.iter().zip(1..).map(message).collect();
        let key = format!("{TENANT}/{group}");
        let partitions = self.pipeline.map.topic("group.message.ingested.v1")?.partitions;
        let said = GroupMessageIngested { messages, ..day_is_over(group) };
        self.feed.send(&said, Some(&key), partition_of(key.as_bytes(), partitions))?;
        self.feed.flush()
    }

    /// A day of talk of a group of its own; the group's chat.
    fn digest(&mut self) -> anyhow::Result<i64> {
        let (group, chat) = self.group()?;
        self.talk(&group)?;
        Ok(chat)
    }

    fn posted(&self, chat: i64) -> anyhow::Result<()> {
        eventually("the digest is posted", PATIENCE, || {
            Ok((!self.bot()?.posts(chat).is_empty()).then_some(()))
        })
    }

    /// Waits until an alert fires, or does not any more; marks what does not come.
    fn awaits(&mut self, alert: &str, fires: bool) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < FIRES_WITHIN {
            if self.prometheus.firing()?.contains(alert) == fires {
                let what = if fires { "fires" } else { "has ended" };
                return self
                    .round
                    .say(&format!("{alert} {what} after {:.0} s", began.elapsed().as_secs_f64()));
            }
            park_timeout(LOOK_INTERVAL);
        }
        let what = if fires { "does not fire" } else { "does not end" };
        self.round.untrue(&format!("{alert} {what} within {} s", FIRES_WITHIN.as_secs()))
    }

    /// What a command of the runbook shows; marked where it does not say one of these.
    fn shows(&mut self, arguments: &[&str], words: &[&str]) -> anyhow::Result<String> {
        let said = self.round.gistmill(arguments)?;
        self.round.say(&format!("$ gistmill {}\n{}", arguments.join(" "), said.text.trim_end()))?;
        for word in words.iter().filter(|word| !said.text.contains(**word)) {
            self.round.untrue(&format!("gistmill {} does not say {word:?}", arguments.join(" ")))?;
        }
        Ok(said.text)
    }

    fn deliveries_fail(&mut self) -> anyhow::Result<()> {
        self.round.heading("GistmillDeliveriesFail: the bot is thrown out of a chat")?;
        let (group, chat) = self.group()?;
        self.bot()?.set_membership(chat, Membership::Kicked);
        self.talk(&group)?;
        self.awaits("GistmillDeliveriesFail", true)?;
        let (listed, name) = (["delivery", "ls", "--tenant", TENANT], chat.to_string());
        self.shows(&listed, &[&name, "kicked"])?;
        self.bot()?.set_membership(chat, Membership::Member);
        self.shows(&["delivery", "enable", &name, "--tenant", TENANT], &["enabled"])?;
        self.awaits("GistmillDeliveriesFail", false)
    }

    fn breaker_open(&mut self) -> anyhow::Result<()> {
        self.round.heading("GistmillBreakerOpen: Telegram is away")?;
        let (group, chat) = self.group()?;
        self.bot = None;
        self.talk(&group)?;
        self.awaits("GistmillBreakerOpen", true)?;
        self.shows(&["doctor"], &["telegram"])?;
        let bot = BotApi::start_at(self.port)?;
        bot.add_chat(Chat::new(chat, Kind::Supergroup, &group));
        self.bot = Some(bot);
        self.awaits("GistmillBreakerOpen", false)?;
        self.posted(chat)
    }

    fn deliveries_late(&mut self) -> anyhow::Result<()> {
        self.round.heading("GistmillDeliveriesLate: Telegram asks for a pause")?;
        // Longer than what stands for fifteen minutes.
        self.bot()?.fault("sendMessage", None, Fault::TooMany(40));
        let chat = self.digest()?;
        self.awaits("GistmillDeliveriesLate", true)?;
        self.posted(chat)?;
        self.awaits("GistmillDeliveriesLate", false)
    }

    fn fallbacks(&mut self) -> anyhow::Result<()> {
        self.round.heading("GistmillFallbacks: the language model fails")?;
        self.models.answer_always(Some((503, String::new())));
        let config = self.config.clone();
        self.round.restart(&["--config", &config])?;
        let began = Instant::now();
        // The first one makes the series, which cannot be seen to grow then.
        while began.elapsed() < FIRES_WITHIN && !self.prometheus.firing()?.contains("GistmillFallbacks") {
            let chat = self.digest()?;
            self.posted(chat)?;
        }
        self.awaits("GistmillFallbacks", true)?;
        self.models.answer_always(None);
        self.awaits("GistmillFallbacks", false)
    }

    fn maintenance_overdue(&mut self) -> anyhow::Result<()> {
        self.round.heading("GistmillMaintenanceOverdue: maintenance ran the day before yesterday")?;
        self.pipeline.gistmill(&["maintain"])?;
        self.pipeline.rows.query(
            "UPDATE maintenance_status SET began_at = began_at - interval '40 hours', ended_at = ended_at - interval '40 hours'",
            &[],
        )?;
        self.awaits("GistmillMaintenanceOverdue", true)?;
        self.shows(&["doctor"], &["overdue: ended 40 h ago"])?;
        self.pipeline.gistmill(&["maintain"])?;
        self.awaits("GistmillMaintenanceOverdue", false)
    }

    /// Its range is not hurried: what has failed before within ten minutes counts, and it ends ten minutes after the last failure.
    fn recovering_often(&mut self) -> anyhow::Result<()> {
        self.round.heading("GistmillRecoveringOften: Postgres is away, after all that has failed before")?;
        let groups: Vec<String> = (1..=3).map(|number| format!("team_{number}")).collect();
        OwnStack::kill(self.own.pid("postgres")?)?;
        groups.iter().try_for_each(|group| self.talk(group))?;
        self.awaits("GistmillRecoveringOften", true)?;
        self.shows(&["doctor"], &["could not reach postgres"])?;
        self.own.restart()
    }

    fn transaction_hangs(&mut self) -> anyhow::Result<()> {
        self.round.heading("GistmillTransactionHangs: a killed broker has forgotten how one ended")?;
        self.round.restart(&["--without", "roles"])?;
        let forgotten = Forgotten {
            unit: "roles",
            output: "digest.stage.roles.completed.v1",
            has_offset: false,
            decided_after_ms: -60_000,
        };
        let left = forgotten.make(self.pipeline)?;
        OwnStack::kill(self.own.pid("kafka")?)?;
        self.own.restart()?;
        drop(left);
        self.awaits("GistmillTransactionHangs", true)?;
        self.shows(&["txn", "finish"], &["not proven: ", "--as commit --yes"])?;
        let listed: Value =
            serde_json::from_slice(&self.pipeline.output(&["txn", "ls", "--json"], &[])?.stdout)?;
        let id = listed["hanging"][0]["producer_id"].to_string();
        self.shows(&["txn", "finish", "--producer-id", &id, "--as", "commit", "--yes"], &["COMMIT"])?;
        self.awaits("GistmillTransactionHangs", false)
    }
}
