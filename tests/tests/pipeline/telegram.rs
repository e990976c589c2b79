//! Digests in a chat: posted, edited when the chat changes, taken back; and never twice, whenever the sink is killed.

use schemas::{Author, DigestDelivered, GroupMessageIngested, Message};
use std::time::Duration;
use tests::{
    Foreign, MessageKills, Moment, PATIENCE, Pipeline, Process, Stranger, TALK, TENANT,
    bot_api::{BotApi, Chat, Kind, TOKEN},
    day_is_over, decode_all, partition_of, settle,
};

const CHAT: i64 = -1_001_234_567_890;
/// 2026-03-02T12:00:00Z, of the day that [`day_is_over`] closes.
const NOON: i64 = 1_772_452_800_000;

fn message(id: i64, text: &str) -> Message {
    let name = if id % 2 == 0 { "Ann" } else { "Bo" };
    let author = Author { id: format!("u_{name}"), name: name.to_owned(), is_bot: false };
    Message { author: Some(author), ..Message::plain(id, NOON + id * 60_000, text) }
}

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

/// A group whose digests go to the bot's chat, and a feed of it.
struct Team<'a> {
    pipeline: &'a Pipeline,
    bot: BotApi,
    feed: Foreign<GroupMessageIngested>,
    key: String,
    partition: i32,
}

impl<'a> Team<'a> {
    fn of(pipeline: &'a Pipeline) -> anyhow::Result<Self> {
        let bot = BotApi::start()?;
        bot.add_chat(Chat::new(CHAT, Kind::Supergroup, "Team"));
        let chat = CHAT.to_string();
        let group = ["group", "set", "--tenant", TENANT, "--group", "team"];
        pipeline.gistmill(&[&group[..], &["--channels", "file,telegram", "--chat", &chat]].concat())?;
        let key = format!("{TENANT}/team");
        let partitions = pipeline.map.topic("group.message.ingested.v1")?.partitions;
        let partition = partition_of(key.as_bytes(), partitions);
        Ok(Self { pipeline, bot, feed: Foreign::to(pipeline)?, key, partition })
    }

    fn up(&self) -> anyhow::Result<Process> {
        let variables = [("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", &self.bot.url())];
        self.pipeline.spawn("up", &["up"], &variables)
    }

    /// Tells states of messages so many ms after the day's end.
    fn send(&self, messages: Vec<Message>, after: i64) -> anyhow::Result<()> {
        let over = day_is_over("team");
        let now = over.observed_at + after;
        let told = GroupMessageIngested { messages, observed_at: now, complete_until: Some(now), ..over };
        self.feed.send(&told, Some(&self.key), self.partition)
    }

    /// Tells them, and waits until everything was done about it.
    fn tell(&self, messages: Vec<Message>, after: i64) -> anyhow::Result<Stranger> {
        self.send(messages, after)?;
        self.feed.flush()?;
        settle(self.pipeline)
    }

    /// Text of the one message in the chat.
    fn shown(&self) -> String {
        let posts = self.bot.posts(CHAT);
        assert_eq!(posts.len(), 1, "{posts:?}");
        posts[0]["text"].as_str().unwrap().to_owned()
    }

    fn edits(&self) -> usize {
        self.bot.calls_of("editMessageText").len()
    }
}

fn talk() -> Vec<Message> {
    TALK.iter().zip(1..).map(|(text, id)| message(id, text)).collect()
}

fn changed(id: i64, kind: &str, text: &str) -> Message {
    Message { kind: kind.to_owned(), revision: NOON + 7_200_000, ..message(id, text) }
}

#[test]
fn a_digest_is_posted_edited_with_its_chat_and_taken_back() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("telegram")? else { return Ok(()) };
    let team = Team::of(&pipeline)?;
    let up = team.up()?;
    team.tell(talk(), 0)?;
    let first = team.shown();
    assert!(first.contains("the Zanzibar release goes out on Thursday"), "{first}");
    assert!(first.contains("[2]"), "{first}");

    // A line that is cited is edited.
    team.tell(vec![changed(2, "edited", "We decided: the Zanzibar release goes out on Monday.")], 3 * HOUR)?;
    let second = team.shown();
    assert!(second.contains("goes out on Monday") && !second.contains("Thursday"), "{second}");
    assert!(second.contains("Updated: now “out on Monday”"), "{second}");

    // Three are left, where five are wanted.
    let deleted = (1..=3).map(|id| changed(id, "deleted", "")).map(later).collect();
    let seen = team.tell(deleted, 6 * HOUR)?.into_seen();
    let third = team.shown();
    assert!(third.contains("Дайджест отозван") && third.contains("This digest was withdrawn"), "{third}");
    assert!(!third.contains("Zanzibar"), "{third}");
    assert_eq!(team.bot.calls_of("sendMessage").len(), 1);

    let delivered: Vec<DigestDelivered> = decode_all(&pipeline, &seen, "digest.delivered.v1")?;
    let told: Vec<_> = delivered
        .iter()
        .filter(|it| it.channel == "telegram")
        .map(|it| (&*it.version, &*it.status, it.withdrawn_by.as_deref()))
        .collect();
    let expected = [
        ("1.0", "success", None),
        ("2.0", "success", None),
        ("1.0", "withdrawn", Some("3.0")),
        ("2.0", "withdrawn", Some("3.0")),
    ];
    assert_eq!(told, expected);
    let log = up.log()?;
    assert!(!log.contains("loopback-server-of-the-tests-only"), "the token is in the log");
    up.stop(PATIENCE)?;
    pipeline.finish()
}

/// After the edit.
fn later(message: Message) -> Message {
    Message { revision: message.revision + 3_600_000, ..message }
}

#[test]
fn an_edit_a_late_message_a_deletion_and_a_burst_of_edits_edit_the_post_once_each() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("telegram_edits")? else { return Ok(()) };
    let team = Team::of(&pipeline)?;
    let up = team.up()?;
    team.tell(talk(), 0)?;
    assert_eq!(team.edits(), 0);

    team.tell(vec![changed(2, "edited", "We decided: the Zanzibar release goes out on Monday.")], 3 * HOUR)?;
    assert_eq!(team.edits(), 1);
    assert!(team.shown().contains("Updated: now “out on Monday”"), "{}", team.shown());

    team.tell(vec![message(7, "We decided: the invoice export moves to Berlin.")], 6 * HOUR)?;
    assert_eq!(team.edits(), 2);
    assert!(team.shown().contains("Updated: new: “"), "{}", team.shown());
    assert!(team.shown().contains("moves to Berlin"), "{}", team.shown());

    team.tell(vec![changed(7, "deleted", "")], 9 * HOUR)?;
    assert_eq!(team.edits(), 3);
    assert!(team.shown().contains("Updated: a message was withdrawn"), "{}", team.shown());
    assert!(!team.shown().contains("Berlin"), "{}", team.shown());

    // Fifty within a minute of the chat's time, each told by itself; then the chat goes on.
    team.tell(Vec::new(), 12 * HOUR)?;
    for number in 1..=50 {
        let text = format!("We decided: the Zanzibar release goes out in week {number}.");
        let edited = Message { revision: NOON + 3 * HOUR + number, ..changed(2, "edited", &text) };
        team.send(vec![edited], 12 * HOUR + number * SECOND)?;
    }
    team.tell(Vec::new(), 12 * HOUR + 600 * SECOND)?;
    assert_eq!(team.edits(), 4);
    assert!(team.shown().contains("Updated: now “goes out in week 50”"), "{}", team.shown());

    assert_eq!(team.bot.calls_of("sendMessage").len(), 1);
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_sink_killed_at_each_step_posts_nothing_twice_and_owns_up_to_what_it_does_not_know() -> anyhow::Result<()>
{
    let Some(pipeline) = Pipeline::start("message_kills")? else { return Ok(()) };
    let mut kills = MessageKills::of(&pipeline)?;
    let after = |ms| Moment::After(Duration::from_millis(ms));
    let moments = [Moment::Posted, Moment::Writing, Moment::Edited, after(0), Moment::Writing, after(30)];
    for moment in moments {
        kills.feed(6)?;
        assert!(kills.kill(moment)?, "{moment:?} did not come");
    }
    let told = kills.settle()?;
    eprintln!("{told:?}");
    assert_eq!(told.digests, 36);
    assert!(told.unknown_and_posted >= 1, "one was killed between a message and its answer");
    assert_eq!(told.posted + told.unknown, told.digests + told.unknown_and_posted);
    pipeline.finish()
}
