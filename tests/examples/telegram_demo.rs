//! The loop of Telegram as its reader sees it: a chat is written, its digest is posted, and the post is edited with the
//! chat. Telegram is the loopback server of these tests.
//!
//! `telegram_demo CALLS`: every call of the Bot API is written to the file CALLS; on the stack that the environment names,
//! under a prefix of its own. `make demo TELEGRAM=loopback` runs it on a stack of its own.

use anyhow::{Context, ensure};
use serde_json::json;
use std::{
    fs::File,
    io::{Write, stdout},
};
use tests::{
    PATIENCE, Pipeline, TENANT,
    bot_api::{BotApi, Chat, Kind, Person, TOKEN},
    end_children_on_signals, eventually,
};

const CHAT: i64 = -1_001_234_567_890;
const GROUP: &str = "garden";
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const PEOPLE: [&str; 3] = ["Ann", "Bo", "Cem"];
/// Who writes what, one a minute.
const TALK: [(&str, &str); 8] = [
    ("Ann", "Which day do we open the garden this spring?"),
    ("Bo", "We decided: the garden opens on Thursday."),
    ("Cem", "I will bring the keys to the garden by Wednesday."),
    ("Ann", "Could somebody repair the water pump before that?"),
    ("Cem", "The water pump works again since this morning."),
    ("Bo", "Great, then the seedlings get water on the first day."),
    ("Ann", "Does the insurance cover the new tool shed?"),
    ("Bo", "Thanks for the water pump!"),
];
/// Of [`TALK`], the message that is edited.
const EDITED: usize = 1;

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let calls = std::env::args().nth(1).context("telegram_demo CALLS: name the file of the calls")?;
    let pipeline = Pipeline::start("telegram_demo")?.context("there is no stack")?;
    let demo = Demo::start(pipeline)?;
    let told = demo.tell();
    write_calls(&demo.bot, &calls)?;
    told?;
    demo.conclude(&calls)
}

fn person(name: &str) -> Person {
    let id = PEOPLE.iter().zip(7..).find(|(known, _)| **known == name).map_or(1, |(_, id)| id);
    Person::new(id, name)
}

struct Demo {
    pipeline: Pipeline,
    bot: BotApi,
    /// Midnight of the day that is told of, in Unix seconds.
    day: i64,
}

impl Demo {
    fn start(pipeline: Pipeline) -> anyhow::Result<Self> {
        let bot = BotApi::start()?;
        bot.add_chat(Chat::new(CHAT, Kind::Supergroup, "Garden"));
        // Two days back: that day is over, and times after it are not ahead of the clock.
        let day = bot.now() / DAY * DAY - 2 * DAY;
        Ok(Self { pipeline, bot, day })
    }

    fn tell(&self) -> anyhow::Result<()> {
        say(
            "A Bot API server on the loopback address stands in for Telegram; the bot is in the chat Garden.\n",
        )?;
        let chat = CHAT.to_string();
        for arguments in [&["set", "--channels", "file,telegram"][..], &["link"]] {
            let whose = ["--tenant", TENANT, "--group", GROUP, "--chat", &chat];
            let arguments = [&["group"], arguments, &whose].concat();
            say(&format!("$ gistmill {}", arguments.join(" ")))?;
            self.pipeline.gistmill(&arguments)?;
        }
        say("$ gistmill up\n")?;
        let telegram = [("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", &self.bot.url())];
        let up = self.pipeline.spawn("up", &["up"], &telegram)?;
        self.follow_the_chat()?;
        up.stop(PATIENCE)
    }

    fn follow_the_chat(&self) -> anyhow::Result<()> {
        say("Written in the chat:")?;
        let mut ids = Vec::new();
        for (minute, (name, text)) in (0_i64..).zip(TALK) {
            ids.push(self.write(name, self.day + 12 * HOUR + minute * MINUTE, text)?);
        }
        // The day is over once somebody writes after it.
        self.write("Cem", self.day + DAY + HOUR, "Good morning!")?;
        let posted = eventually("the digest is posted", PATIENCE, || Ok(self.post()))?;
        say("\nPosted by the bot:")?;
        posted.lines().try_for_each(|line| say(&format!("  | {line}")))?;

        let edited = "We decided: the garden opens on Friday.";
        say(&format!("\nBo edits message {}:\n  {edited}", ids[EDITED]))?;
        let edit_date = self.day + DAY + HOUR;
        self.bot.rewrite(CHAT, ids[EDITED], json!({ "text": edited, "edit_date": edit_date }));
        let posted = self.until_it_changes(2, &posted)?;

        say("\nA message of that day comes late:")?;
        self.write("Cem", self.day + 13 * HOUR, "We decided: the tool shed gets a second lock.")?;
        self.until_it_changes(3, &posted).map(drop)
    }

    /// The chat goes on for more than five minutes, after which what has changed is told; then the post is another.
    fn until_it_changes(&self, hours: i64, before: &str) -> anyhow::Result<String> {
        let date = self.day + DAY + hours * HOUR;
        self.bot.write(CHAT, &person("Ann"), json!({ "date": date, "text": "On we go." }));
        let after = eventually("the post is edited", PATIENCE, || Ok(self.post().filter(|it| it != before)))?;
        say("The bot edits its post:")?;
        let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        old.iter().filter(|line| !new.contains(line)).try_for_each(|line| say(&format!("  - {line}")))?;
        new.iter().filter(|line| !old.contains(line)).try_for_each(|line| say(&format!("  + {line}")))?;
        Ok(after)
    }

    fn write(&self, name: &str, date: i64, text: &str) -> anyhow::Result<i64> {
        let id = self.bot.write(CHAT, &person(name), json!({ "date": date, "text": text }));
        say(&format!("  [{id}] {name}: {text}"))?;
        Ok(id)
    }

    /// Text of the bot's one message.
    fn post(&self) -> Option<String> {
        self.bot.posts(CHAT).first().and_then(|post| post["text"].as_str().map(str::to_owned))
    }

    fn conclude(self, calls: &str) -> anyhow::Result<()> {
        let count = |method| self.bot.calls_of(method).len();
        let (sent, edited) = (count("sendMessage"), count("editMessageText"));
        ensure!((sent, edited) == (1, 2), "{sent} messages were sent and {edited} edited, see {calls}");
        say(&format!(
            "\nOne message was sent and edited twice. Every call of the Bot API, a line of JSON each: {calls}"
        ))?;
        self.pipeline.finish()
    }
}

/// Writes every call that was made, but for polls that gave nothing.
fn write_calls(bot: &BotApi, path: &str) -> anyhow::Result<()> {
    let mut file = File::create(path).with_context(|| format!("could not write {path}"))?;
    for call in bot.calls().iter().filter(|call| !call.is_idle()) {
        writeln!(file, "{}", call.line())?;
    }
    Ok(())
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(stdout(), "{text}").context("could not write")
}
