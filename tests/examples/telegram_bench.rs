//! Measures the way of a chat: from a message to its row in Postgres, from `/digest` to its post, and what source and sink take
//! while nothing happens.
//!
//! `telegram_bench [MESSAGES [DIGESTS]]`: 200 messages and 10 digests, unless told otherwise, on the stack that the
//! environment names; `tests/telegram_bench` runs it on one of its own. Times include the look for the end, every 2 ms.

use anyhow::{Context, ensure};
use serde_json::json;
use std::{
    fs,
    io::{Write, stdout},
    time::{Duration, Instant},
};
use tests::{
    PATIENCE, Pipeline, Process, TALK, TENANT,
    bot_api::{BotApi, Chat, Kind, Person, TOKEN},
    end_children_on_signals,
};

const CHAT: i64 = -1_001_234_567_890;
/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(2);
/// Ticks of a processor's time in a second, as `/proc` counts it.
const TICKS: f64 = 100.0;

/// How long it takes until `is_done`.
fn timed(mut is_done: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<Duration> {
    let began = Instant::now();
    while !is_done()? {
        ensure!(began.elapsed() < PATIENCE, "not within {} s", PATIENCE.as_secs());
        std::thread::park_timeout(LOOK);
    }
    Ok(began.elapsed())
}

/// The time that a share of them took at most, in ms.
fn percentile(times: &mut [Duration], share: usize) -> f64 {
    times.sort_unstable();
    let index = (times.len() * share).div_ceil(100).saturating_sub(1);
    times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// Processor time in seconds, and resident memory in MiB.
fn taken(process: &Process) -> anyhow::Result<(f64, f64)> {
    let of = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", process.id()));
    let stat = of("stat")?;
    // After the name, which may hold anything: state is the first field, user and system time the 12th and 13th.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
    let seconds = ticks(11).zip(ticks(12)).context("no processor time")?;
    let status = of("status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no memory")?;
    let kib: f64 = resident.trim().trim_end_matches(" kB").parse()?;
    Ok(((seconds.0 + seconds.1) / TICKS, kib / 1024.0))
}

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let mut counts = std::env::args().skip(1).map(|count| count.parse::<usize>());
    let messages = counts.next().transpose()?.unwrap_or(200);
    let digests = counts.next().transpose()?.unwrap_or(10);
    let pipeline = Pipeline::start("telegram_bench")?.context("there is no stack")?;
    let bot = BotApi::start()?;
    bot.add_chat(Chat::new(CHAT, Kind::Supergroup, "Garden"));
    let chat = CHAT.to_string();
    pipeline.gistmill(&["group", "link", "--tenant", TENANT, "--group", "garden", "--chat", &chat])?;
    let url = bot.url();
    let telegram = [("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", url.as_str())];
    let up = pipeline.spawn("up", &["up"], &[])?;
    let source = pipeline.unit("telegram_bot_source", &telegram)?;
    let sink = pipeline.unit("telegram_sink", &telegram)?;
    let rows = || pipeline.rows.number("SELECT count(*) FROM messages");
    let say = |text: &str| bot.write(CHAT, &Person::new(8, "Bo"), json!({ "text": text }));
    say(TALK[0]);
    timed(|| Ok(rows()? == 1))?;
    let mut stored = Vec::new();
    for (count, text) in TALK.iter().cycle().take(messages).enumerate() {
        say(text);
        let expected = i64::try_from(count)? + 2;
        stored.push(timed(|| Ok(rows()? == expected))?);
    }
    let mut posted = Vec::new();
    for asked in 0..digests {
        let person = Person::new(100 + i64::try_from(asked)?, "Ann");
        let entities = json!([{ "type": "bot_command", "offset": 0, "length": 7 }]);
        bot.write(CHAT, &person, json!({ "text": "/digest 3h", "entities": entities }));
        posted.push(timed(|| Ok(bot.posts(CHAT).len() > asked))?);
    }
    let before = [taken(&source)?.0, taken(&sink)?.0];
    std::thread::park_timeout(IDLE);
    let after = [taken(&source)?, taken(&sink)?];
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut out = stdout();
    writeln!(out, "load of the machine at the end: {}", load.trim())?;
    let [p50, p95] = [50, 95].map(|share| percentile(&mut stored, share));
    writeln!(out, "message → row, {messages} messages     p50 {p50:7.1} ms   p95 {p95:7.1} ms")?;
    let [p50, p95] = [50, 95].map(|share| percentile(&mut posted, share));
    writeln!(out, "/digest → post, {digests} digests       p50 {p50:7.1} ms   p95 {p95:7.1} ms")?;
    for (name, before, (seconds, memory)) in
        [("telegram_bot_source", before[0], after[0]), ("telegram_sink", before[1], after[1])]
    {
        let share = (seconds - before) / IDLE.as_secs_f64() * 100.0;
        writeln!(out, "{name}, idle for {} s   {share:5.2} % of a core   {memory:6.1} MiB", IDLE.as_secs())?;
    }
    for process in [source, sink, up] {
        process.stop(PATIENCE)?;
    }
    pipeline.finish()
}
