//! A Lookup: a pure function that may ask questions; the runtime finds the answers.

use crate::{Event, Outcome, PortSpec, Reject};

/// A processor that needs answers from outside, still pure: it says what it wants and is resumed with it.
pub trait Lookup: Send + Sync + 'static {
    /// Binary, crate, metric label and consumer group.
    const NAME: &'static str;
    /// Most rounds of questions an input may take; more is a defect and rejects the input.
    const ROUNDS_MAX: usize = 4;
    /// What it reads.
    type In: schemas::Record;
    /// What it remembers between asking and being answered.
    type Cursor: Send;

    /// The ports it may emit to.
    fn ports(&self) -> Vec<PortSpec>;

    /// First step on an input.
    fn begin(&self, event: &Event<Self::In>) -> Step<Self::Cursor>;

    /// Next step, with one response per request of the last [`Step::Ask`], in its order.
    fn resume(
        &self,
        event: &Event<Self::In>,
        cursor: Self::Cursor,
        responses: Vec<Response>,
    ) -> Step<Self::Cursor>;
}

/// What a Lookup wants next.
#[derive(Debug)]
pub enum Step<Cursor> {
    /// Answers to these requests.
    Ask(Cursor, Vec<Request>),
    /// Nothing: this is the fate of the input.
    Done(Result<Outcome, Reject>),
}

/// A question to a client that the processor's entry in the map names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// To Postgres: the messages of a window as of a position in the log.
    Messages(MessagesAsOf),
    /// To the index of vectors and to Postgres: earlier messages that are near some texts.
    Earlier(EarlierAsOf),
    /// To Postgres: what a group said last before a message.
    Before(BeforeAsOf),
    /// To a language model, by the chain of models that is set for the stage.
    Model(ModelQuestion),
    /// To whoever judges what goes out, where somebody is set for that.
    Moderation(ModerationQuestion),
}

/// The messages with `start_ms <= sent_at < end_ms`, each in its newest state at `offset`, deleted ones left out,
/// by (`sent_at`, id). Answered only once the store holds everything up to `offset`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagesAsOf {
    /// Tenant.
    pub tenant_id: String,
    /// Group.
    pub group_id: String,
    /// Start in ms, inclusive.
    pub start_ms: i64,
    /// End in ms, exclusive.
    pub end_ms: i64,
    /// Partition of `group.message.ingested` that holds the group.
    pub partition: i32,
    /// Last offset that may be seen.
    pub offset: i64,
    /// True where some of them would not do: once retention took the first, there is no answer.
    pub whole: bool,
}

/// The messages of the group that lie nearest to each text, of those sent before `before_ms`, each in its newest state at `offset`,
/// deleted ones left out. Answered once the index holds everything up to `offset`, or with why it is not searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierAsOf {
    /// Tenant.
    pub tenant_id: String,
    /// Group.
    pub group_id: String,
    /// Time in ms up to which messages were sent, exclusive.
    pub before_ms: i64,
    /// Partition of `group.message.ingested` that holds the group.
    pub partition: i32,
    /// Last offset that may be seen.
    pub offset: i64,
    /// What is looked for.
    pub texts: Vec<String>,
}

/// What is known of earlier messages.
#[derive(Debug, Clone, PartialEq)]
pub enum Earlier {
    /// No index is set.
    Off,
    /// The index was away, or behind for long.
    Unavailable,
    /// It was searched: for each text, the messages near it, nearest first.
    Found(Vec<Vec<schemas::Message>>),
}

/// What the group said last before the message `before_id`, in all states told by `offset`: it is counted, not shown.
/// Answered, the latest first, once the store holds everything up to `offset`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeforeAsOf {
    /// Tenant.
    pub tenant_id: String,
    /// Group.
    pub group_id: String,
    /// Id before which texts are read, exclusive.
    pub before_id: i64,
    /// Partition of `group.message.ingested` that holds the group.
    pub partition: i32,
    /// Last offset that may be seen.
    pub offset: i64,
    /// Most texts.
    pub texts_max: u32,
}

/// What a stage asks a language model. Equal questions have one answer, which is kept: all of it is the key but for who asks and pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelQuestion {
    /// Tenant, who pays.
    pub tenant_id: String,
    /// Group whose messages are told.
    pub group_id: String,
    /// Who asked for the digest, whose quota and own key it is; none for a window of the schedule.
    pub user_id: Option<String>,
    /// Whose key an earlier question about the same window was paid with: no other pays for the rest of it.
    pub paid_before: Option<Payer>,
    /// Stage that asks; names the chain.
    pub stage: &'static str,
    /// Name and version of the prompt, as in `writer/1`.
    pub prompt: &'static str,
    /// What the model is told to do.
    pub system: String,
    /// What it is shown, and what it answered to that: the user's turn first, then by turns.
    pub turns: Vec<String>,
    /// JSON Schema of the answer, as text.
    pub schema: &'static str,
    /// Most tokens of the answer.
    pub output_tokens_max: u32,
}

/// Whose key a provider is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payer {
    /// That of the settings, or none where the provider wants none.
    Operator,
    /// The tenant's own.
    Tenant,
    /// That of the user who asked.
    User,
}

impl Payer {
    /// As the ledger has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Tenant => "tenant",
            Self::User => "user",
        }
    }
}

/// What became of a question to a model; never an error: the stage goes on without.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelAnswer {
    /// No model is set for the stage.
    Off,
    /// One has answered, now or earlier.
    Said(ModelText),
    /// None has: why, as a metric label.
    Failed(String),
}

/// An answer of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelText {
    /// As it came.
    pub text: String,
    /// The model that wrote it.
    pub model_id: String,
    /// Tokens of question and answer.
    pub tokens: i64,
    /// Cost by the price table, in its currency; 0 where the model has no price.
    pub cost: f64,
    /// Whose key was used; none for an answer that was had before.
    pub payer: Option<Payer>,
}

/// What a model wrote, for somebody to judge before it goes out. Equal texts have one judgement, which is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModerationQuestion {
    /// Tenant.
    pub tenant_id: String,
    /// Group whose messages are told.
    pub group_id: String,
    /// Stage that asks.
    pub stage: &'static str,
    /// The texts.
    pub texts: Vec<String>,
}

/// What became of texts that were to be judged; never an error: the stage goes on without.
#[derive(Debug, Clone, PartialEq)]
pub enum Moderated {
    /// Nobody is set to judge.
    Off,
    /// They were judged, now or earlier.
    Judged(Judgement),
    /// They were not: why, as a metric label.
    Failed(String),
}

/// A judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Who judged, as `provider/model`.
    pub model_id: String,
    /// For each text, in the question's order, labels of what it is flagged for; none for one that may go out.
    pub categories: Vec<Vec<String>>,
    /// Tokens, where they are counted.
    pub tokens: i64,
    /// Cost by the price table, in its currency; 0 where the model has no price.
    pub cost: f64,
}

/// An answer; each variant answers the request of its name.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// To [`Request::Messages`].
    Messages(Vec<schemas::Message>),
    /// To [`Request::Messages`] or [`Request::Before`] of a place that its topic does not hold and never can: why.
    NoSuchOffset(String),
    /// To [`Request::Messages`] of which retention took some.
    Taken,
    /// To [`Request::Messages`] of messages that are stored such that nobody can read them: why.
    Unreadable(String),
    /// To [`Request::Earlier`].
    Earlier(Earlier),
    /// To [`Request::Before`].
    Before(Vec<String>),
    /// To [`Request::Model`].
    Model(ModelAnswer),
    /// To [`Request::Moderation`].
    Moderation(Moderated),
}
