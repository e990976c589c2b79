//! A language model that puts the digests of labelled windows into words, as `writer` lets it.
//!
//! Invariant: the stage's own code asks and judges; an answer that is on file is not asked for again.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use evaluation::gold::Wording;
use jiff::{Timestamp, tz::TimeZone};
use llm::price::Prices;
use llm_client::{Answered, Client, Unwitnessed};
use operate::hex;
use processor::{
    Event, Lookup, ModelAnswer, ModelQuestion, ModelText, Outcome, Request, Response, SourcePosition, Step,
};
use runtime::{Config, chat_request, question_hash};
use schemas::{Digest, DigestStageCompleted, DigestState, outcome};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use writer::Writer;

use crate::assembly;

/// Whose windows they are, for the provider's ledger none of ours.
const TENANT: &str = "eval";
const GROUP: &str = "labelled";
const MILLION: f64 = 1_000_000.0;

/// A provider of the settings, asked by the stage `writer`.
pub(super) struct Model {
    provider: String,
    client: Client,
    writer: Writer,
    prices: Prices,
    within: Duration,
    tasks: Runtime,
    answers: Answers,
    told: Told,
}

/// What it came to.
#[derive(Debug, Default, Serialize)]
pub(super) struct Told {
    /// Windows that were put into words.
    pub(super) worded: usize,
    /// Windows that were not asked about: too few messages, or nothing to show.
    pub(super) not_asked: usize,
    /// Windows that stayed as they were, by why.
    pub(super) fell_back: BTreeMap<String, usize>,
    /// Tokens of questions and answers.
    pub(super) tokens: i64,
    /// By the price table; 0 where the model has no price there.
    pub(super) cost: f64,
    /// Seconds each window took that was asked about.
    pub(super) seconds: Vec<f64>,
}

impl Model {
    /// The provider of this name, and the answers on file, where there is one.
    ///
    /// # Errors
    /// The settings have no such provider, its key is missing, or the file cannot be read.
    pub(super) fn of(config: &Config, provider: &str, answers: Option<&Path>) -> anyhow::Result<Self> {
        let mut config = config.clone();
        let known: Vec<&str> = config.llm.providers.iter().map(|known| known.name.as_str()).collect();
        if !known.contains(&provider) {
            bail!(
                "no provider is called {provider:?}; the settings have [{}]: see docs/MODELS.md",
                known.join(", ")
            );
        }
        config.llm.chains = BTreeMap::from([(writer::NAME.to_owned(), vec![provider.to_owned()])]);
        // What a provider of moderation objects to says nothing of how good the words are.
        config.llm.moderation = None;
        let client = config.models()?.context("the chain is empty")?;
        Ok(Self {
            provider: provider.to_owned(),
            client,
            writer: assembly::writer(&config)?,
            prices: config.llm.prices()?,
            within: config.llm.deadline(),
            tasks: Runtime::new().context("could not start threads")?,
            answers: Answers::open(answers)?,
            told: Told::default(),
        })
    }

    pub(super) fn told(&self) -> &Told {
        &self.told
    }

    fn answer(&mut self, question: &ModelQuestion) -> Result<ModelAnswer, String> {
        let key = key(&self.provider, question);
        if let Some(text) = self.answers.known.get(&key) {
            return Ok(ModelAnswer::Said(text.clone().into()));
        }
        let request = chat_request(question);
        let asked = self.client.complete(question.stage, &request, self.within, &Unwitnessed);
        match self.tasks.block_on(asked) {
            Ok(answered) => {
                let text = self.text(answered);
                self.answers
                    .keep(key, &text)
                    .map_err(|error| format!("could not keep an answer: {error}"))?;
                Ok(ModelAnswer::Said(text.into()))
            }
            Err(exhausted) => Ok(ModelAnswer::Failed(exhausted.reason.to_owned())),
        }
    }

    fn text(&self, answered: Answered) -> Kept {
        let attempt = answered.attempts.last();
        let usage = attempt.and_then(|attempt| attempt.usage).unwrap_or_default();
        let day = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let cost = attempt.and_then(|it| self.prices.cost(&it.vendor, &it.model, day, usage));
        Kept {
            text: answered.completion.text,
            model_id: attempt.map_or(answered.provider, |it| format!("{}/{}", it.provider, it.model)),
            tokens: (usage.input_tokens + usage.output_tokens) as i64,
            cost: cost.map_or(0.0, |cost| cost.micros as f64 / MILLION),
        }
    }
}

impl Wording for Model {
    fn word(&mut self, state: &DigestState) -> Result<Digest, String> {
        let (event, begun) = (event(state), Instant::now());
        let writer = self.writer.clone();
        let mut step = writer.begin(&event);
        let mut is_asked = false;
        let result = loop {
            match step {
                Step::Ask(cursor, requests) => {
                    is_asked = true;
                    let mut responses = Vec::with_capacity(requests.len());
                    for request in &requests {
                        let Request::Model(question) = request else {
                            return Err("the stage asks for something else than a model".to_owned());
                        };
                        responses.push(Response::Model(self.answer(question)?));
                    }
                    step = writer.resume(&event, cursor, responses);
                }
                Step::Done(Ok(Outcome::Emit(emissions))) => {
                    break emissions.iter().find_map(|it| it.downcast::<DigestStageCompleted>()).cloned();
                }
                Step::Done(Ok(Outcome::Drop(drop))) => return Err(format!("dropped: {}", drop.0)),
                Step::Done(Err(reject)) => return Err(format!("{}: {}", reject.reason, reject.detail)),
            }
        };
        let result = result.ok_or("the stage left no result")?;
        if is_asked {
            self.told.seconds.push(begun.elapsed().as_secs_f64());
        }
        self.told.count(&result, is_asked);
        result.state.digest.ok_or_else(|| "the stage left no digest".to_owned())
    }
}

impl Told {
    fn count(&mut self, result: &DigestStageCompleted, is_asked: bool) {
        self.tokens = self.tokens.saturating_add(result.tokens);
        self.cost += result.cost;
        if result.outcome == outcome::FALLBACK {
            let mut measures = result.quality_metrics.keys();
            let why = measures.find_map(|name| name.strip_prefix(outcome::FALLBACK_MEASURE));
            *self.fell_back.entry(why.unwrap_or("unknown").to_owned()).or_default() += 1;
        } else if is_asked {
            self.worded += 1;
        } else {
            self.not_asked += 1;
        }
    }

    /// The second that so many in a hundred windows take at most.
    pub(super) fn percentile(&self, percent: usize) -> f64 {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        let at = (seconds.len() * percent).div_ceil(100).saturating_sub(1);
        seconds.get(at).copied().unwrap_or_default()
    }
}

/// What `synthesis` would have emitted of a state.
fn event(state: &DigestState) -> Event<DigestStageCompleted> {
    let window_id = state.window.id(TENANT, GROUP);
    let value = DigestStageCompleted {
        tenant_id: TENANT.to_owned(),
        group_id: GROUP.to_owned(),
        trace_id: schemas::trace_id(&window_id),
        window_id,
        version: "1.0".to_owned(),
        stage: "synthesis".to_owned(),
        outcome: outcome::OK.to_owned(),
        schema_version: 1,
        quality_metrics: BTreeMap::new(),
        run_id: String::new(),
        model_id: "offline".to_owned(),
        tokens: 0,
        cost: 0.0,
        state: state.clone(),
    };
    let topic = "digest.stage.synthesis.completed.v1".into();
    Event { value, source: SourcePosition { topic, partition: 0, offset: 0, append_time_ms: 0 } }
}

/// An answer as it is on file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    text: String,
    model_id: String,
    tokens: i64,
    cost: f64,
}

impl From<Kept> for ModelText {
    fn from(Kept { text, model_id, tokens, cost }: Kept) -> Self {
        Self { text, model_id, tokens, cost, payer: None }
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    #[serde(flatten)]
    kept: Kept,
}

/// Answers by their question, and where new ones go.
#[derive(Debug, Default)]
struct Answers {
    known: BTreeMap<String, Kept>,
    file: Option<File>,
}

impl Answers {
    fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let what = || format!("could not use {} for answers", path.display());
        let file = OpenOptions::new().create(true).append(true).read(true).open(path).with_context(what)?;
        let mut known = BTreeMap::new();
        for (number, line) in BufReader::new(file.try_clone()?).lines().enumerate() {
            let line = line.with_context(what)?;
            let read: Line = serde_json::from_str(&line)
                .with_context(|| format!("{}: line {} holds no answer", path.display(), number + 1))?;
            known.insert(read.key, read.kept);
        }
        Ok(Self { known, file: Some(file) })
    }

    fn keep(&mut self, key: String, kept: &Kept) -> std::io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let line = Line { key, kept: kept.clone() };
        writeln!(file, "{}", serde_json::to_string(&line)?)?;
        self.known.insert(line.key, line.kept);
        Ok(())
    }
}

/// All that an answer depends on.
fn key(provider: &str, question: &ModelQuestion) -> String {
    format!("{provider}/{}", hex(&question_hash(question)))
}

#[cfg(test)]
mod tests;
