//! What people read: a digest, each statement with the ids of the messages that support it.

use serde::{Deserialize, Serialize};

/// What came out of a topic, by name on the wire; the set is open.
pub mod topic_outcome {
    /// Something was decided.
    pub const DECIDED: &str = "decided";
    /// Somebody will do something.
    pub const PLANNED: &str = "planned";
    /// What was asked was answered.
    pub const ANSWERED: &str = "answered";
    /// What was asked stayed open.
    pub const OPEN: &str = "open";
}

/// What people read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// `ru` or `en`.
    pub language: String,
    /// One line.
    pub headline: String,
    /// What happened.
    pub summary: Vec<Claim>,
    /// Subjects, largest first.
    pub topics: Vec<DigestTopic>,
    /// What was decided.
    pub decisions: Vec<Claim>,
    /// What stayed open.
    pub questions: Vec<Claim>,
    /// What is to be done.
    pub actions: Vec<Action>,
    /// Tone.
    pub mood: Mood,
    /// People, most active first.
    pub participants: Vec<Participant>,
    /// Links.
    pub links: Vec<LinkRef>,
    /// Messages of the window.
    pub message_count: i32,
    /// People in the window.
    pub participant_count: i32,
    /// How good this digest is.
    pub quality: Quality,
    /// What was asked and answered. This field and those after it are absent from payloads of the first revision.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// What became of the previous digest; none where none is known.
    #[serde(default)]
    pub continuity: Option<Continuity>,
    /// What the score holds against the digest, by name; the set is open.
    #[serde(default)]
    pub weaknesses: Vec<String>,
    /// Claims that were dropped because their messages did not support them.
    #[serde(default)]
    pub claims_dropped: i32,
    /// Names, numbers, dates and addresses that were struck because the messages did not hold them.
    #[serde(default)]
    pub facts_struck: i32,
    /// What was talked about before; the most alike first.
    #[serde(default)]
    pub recalls: Vec<Recall>,
}

/// A question that was answered in the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was asked.
    pub question: Claim,
    /// What was answered, best first.
    pub answers: Vec<Claim>,
}

/// What became of the previous digest of the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuity {
    /// Titles of topics that go on.
    pub continued: Vec<String>,
    /// Titles of topics that nobody spoke of again; empty in this version, which keeps no words of earlier windows.
    pub gone: Vec<String>,
    /// Questions open then, or some windows before, and answered now; their messages are of those windows.
    pub closed: Vec<Answer>,
}

/// Something that was talked about before. It has no words of earlier messages: they may have been deleted since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// What it is about, in words of this window.
    pub title: String,
    /// Id of the message of this window.
    pub message_id: i64,
    /// When it was talked about, the latest first.
    pub earlier: Vec<EarlierMessage>,
}

/// A message of an earlier window, without its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierMessage {
    /// Message id.
    pub message_id: i64,
    /// Its time in ms.
    pub sent_at: i64,
}

/// Stands between a question and its answer where one claim tells both: `question — Name: answer`.
pub const ANSWER_MARK: &str = " — ";

/// A statement and the messages that support it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The statement.
    pub text: String,
    /// Ids of supporting messages.
    pub message_ids: Vec<i64>,
}

/// A subject of the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestTopic {
    /// Short title.
    pub title: String,
    /// Terms.
    pub keywords: Vec<String>,
    /// Messages.
    pub message_count: i32,
    /// Conversations.
    pub threads: Vec<DigestThread>,
    /// All its messages, by time.
    #[serde(default)]
    pub message_ids: Vec<i64>,
    /// What was asked, what was answered, what came out.
    #[serde(default)]
    pub story: Vec<Claim>,
    /// See [`topic_outcome`].
    #[serde(default)]
    pub outcome: Option<String>,
}

/// A conversation inside a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestThread {
    /// Opening words.
    pub title: String,
    /// Messages.
    pub message_count: i32,
    /// What was said.
    pub claims: Vec<Claim>,
    /// All its messages, by time.
    #[serde(default)]
    pub message_ids: Vec<i64>,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// What.
    pub text: String,
    /// Who.
    pub owner: Option<String>,
    /// When, as said.
    pub due: Option<String>,
    /// Ids of supporting messages.
    pub message_ids: Vec<i64>,
    /// The day it is due: `YYYY-MM-DD` in the time zone of the group.
    #[serde(default)]
    pub due_date: Option<String>,
}

/// Emotional tone as shares that add up to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mood {
    /// `positive`, `negative`, `neutral` or `mixed`.
    pub label: String,
    /// Share of positive messages.
    pub positive: f64,
    /// Share of negative messages.
    pub negative: f64,
    /// Share of neutral messages.
    pub neutral: f64,
    /// The most telling messages.
    pub message_ids: Vec<i64>,
}

/// Who did what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Author id.
    pub author_id: String,
    /// Display name.
    pub name: String,
    /// Role in the window.
    pub role: String,
    /// Messages.
    pub message_count: i32,
    /// What this person said.
    pub did: Vec<Claim>,
}

/// A link that was shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRef {
    /// URL.
    pub url: String,
    /// Ids of the messages that hold it.
    pub message_ids: Vec<i64>,
}

/// The quality score and its parts, each in [0, 1]: `score = guard · (1 + claims) / 2 · (1 + sound) / 2 · told`, where
/// `told = .10 faithfulness + .55 coverage + .10 answers + .05 titles + .05 speakers + .10 repetition + .05 length`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// Overall.
    pub score: f64,
    /// 1, or .4 when a citation or fact is unsupported.
    pub guard: f64,
    /// Share of sentences supported by the messages they cite.
    pub faithfulness: f64,
    /// Share of the source's information that is kept.
    pub coverage: f64,
    /// Share of active participants that are named.
    pub speakers: f64,
    /// 1 − share of repeated bigrams.
    pub repetition: f64,
    /// 1 inside the length band.
    pub length: f64,
    /// Share of decisions, actions and open questions that hold. Not judged by this version: 1.
    #[serde(default = "whole")]
    pub claims: f64,
    /// Share of answered questions that are told with their answers. Not judged by this version: 1.
    #[serde(default = "whole")]
    pub answers: f64,
    /// Share of titles that a reader understands. Not judged by this version: 1.
    #[serde(default = "whole")]
    pub titles: f64,
    /// How likely, on average, a reader finds nothing wrong with a line. Not judged by this version: 1.
    #[serde(default = "whole")]
    pub sound: f64,
}

/// A part of the score that payloads of the first revision do not have.
const fn whole() -> f64 {
    1.0
}

/// Where an artifact came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRun {
    /// Stage name.
    pub stage: String,
    /// `UUIDv5` of stage, code and prompt version, input.
    pub run_id: String,
    /// `ok`, `retry`, `fallback` or `degraded`.
    pub outcome: String,
    /// Model, or `offline`.
    pub model_id: String,
    /// Tokens used.
    pub tokens: i64,
    /// Cost in the provider's currency.
    pub cost: f64,
}

impl Digest {
    /// Every list of cited message ids in the digest.
    pub fn citations(&self) -> impl Iterator<Item = &[i64]> {
        let claims = self.summary.iter().chain(&self.decisions).chain(&self.questions);
        let threads = self.topics.iter().flat_map(|topic| &topic.threads).flat_map(|thread| &thread.claims);
        let stories = self.topics.iter().flat_map(|topic| &topic.story);
        let answers =
            self.answers.iter().flat_map(|answer| std::iter::once(&answer.question).chain(&answer.answers));
        let did = self.participants.iter().flat_map(|participant| &participant.did);
        claims
            .chain(threads)
            .chain(stories)
            .chain(answers)
            .chain(did)
            .map(|claim| claim.message_ids.as_slice())
            .chain(self.actions.iter().map(|action| action.message_ids.as_slice()))
            .chain(self.links.iter().map(|link| link.message_ids.as_slice()))
            .chain(std::iter::once(self.mood.message_ids.as_slice()))
    }
}
