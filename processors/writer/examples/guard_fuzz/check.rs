//! One case: a window, its questions, a mutated answer to each, and what has to hold of the outcome.
//!
//! Invariant: a case is a function of its number.

use crate::{chance::Die, draft, mutation};
use anyhow::{Context, bail, ensure};
use llm::guard::{Limits, Schema, read};
use processor::{Event, Lookup, ModelAnswer, ModelText, Outcome, Request, Response, Step};
use schemas::{DigestStageCompleted, Encoder};
use std::collections::{BTreeMap, BTreeSet};
use writer::Writer;

/// No line of a digest is longer, in bytes: four for each character that may be.
const LINE_BYTES_MAX: usize = 2_400;
/// Nor is a digest as JSON larger.
const DIGEST_BYTES_MAX: usize = 256 << 10;

/// What cases are made of.
pub(crate) struct Bench {
    windows: Vec<Event<DigestStageCompleted>>,
    writers: [Writer; 2],
    schemas: BTreeMap<&'static str, Schema>,
    encoder: Encoder<DigestStageCompleted>,
}

/// How often cases ended how: `ok`, `degraded`, `fallback_guard` and so on, and what the guard said of single answers.
pub(crate) type Tally = BTreeMap<String, u64>;

impl Bench {
    /// All windows, with long and with short parts.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let whole = Writer { asks: true, messages_min: 1, ..Writer::default() };
        let parts = Writer { part_tokens: 120, parts_max: 5, worse_by: 1.0, ..whole.clone() };
        let mut schemas = BTreeMap::new();
        for prompt in writer::prompts() {
            let schema = serde_json::from_str(prompt.schema).context("a prompt's schema")?;
            schemas.insert(prompt.schema, Schema::new(&schema)?);
        }
        Ok(Self {
            windows: crate::chats::windows(),
            writers: [whole, parts],
            schemas,
            encoder: Encoder::new(1)?,
        })
    }

    /// Runs a case and counts how it ended.
    ///
    /// # Errors
    /// Something does not hold that has to: what.
    pub(crate) fn case(&self, number: u64, tally: &mut Tally) -> anyhow::Result<()> {
        let mut die = Die::of(number);
        let window = &self.windows[die.roll(self.windows.len())];
        let writer = &self.writers[die.roll(self.writers.len())];
        let mut step = writer.begin(window);
        let mut rounds = 0;
        let emissions = loop {
            match step {
                Step::Ask(cursor, requests) => {
                    rounds += 1;
                    ensure!(rounds <= Writer::ROUNDS_MAX, "asks for round {rounds}");
                    let answers = requests.iter().map(|request| self.answer(request, &mut die, tally));
                    let answers = answers.collect::<anyhow::Result<Vec<_>>>()?;
                    if die.once_in(8) {
                        let again = writer.resume(window, cursor.clone(), answers.clone());
                        step = writer.resume(window, cursor, answers);
                        ensure!(
                            format!("{again:?}") == format!("{step:?}"),
                            "the same answers come out differently"
                        );
                    } else {
                        step = writer.resume(window, cursor, answers);
                    }
                }
                Step::Done(Ok(Outcome::Emit(emissions))) => break emissions,
                Step::Done(other) => bail!("ends as {other:?}"),
            }
        };
        let run = emissions.get(1).and_then(|emission| emission.downcast::<DigestStageCompleted>());
        let run = run.context("the second emission is no completed stage")?;
        let why = run.quality_metrics.keys().find(|name| name.starts_with("fallback_"));
        *tally.entry(why.unwrap_or(&run.outcome).clone()).or_default() += 1;
        self.holds(run, window)
    }

    /// A mutated answer to a question. What the guard makes of it is read again, and has to be itself.
    fn answer(&self, request: &Request, die: &mut Die, tally: &mut Tally) -> anyhow::Result<Response> {
        let Request::Model(question) = request else { bail!("asks for {request:?}") };
        let shown = question.turns.first().map_or("", String::as_str);
        let mut value = draft::good(shown, question.schema, die);
        mutation::value(&mut value, die);
        let text = mutation::text(&value, die);
        let schema = self.schemas.get(question.schema).context("a schema that no prompt has")?;
        let told = match read(&text, schema, Limits::default()) {
            Ok(value) => {
                // Escapes are longer than what they stand for.
                let limits = Limits { bytes_max: 4 << 20, ..Limits::default() };
                let again = read(&value.to_string(), schema, limits);
                ensure!(again == Ok(value), "what was read is not read again as itself: {again:?}");
                "answer_read"
            }
            Err(why) => {
                ensure!(
                    !why.to_string().contains(mutation::PLANTED[0]),
                    "an error tells of the answer: {why}"
                );
                "answer_refused"
            }
        };
        *tally.entry(told.to_owned()).or_default() += 1;
        let model_id = "m".to_owned();
        Ok(Response::Model(ModelAnswer::Said(ModelText {
            text,
            model_id,
            tokens: 10,
            cost: 0.5,
            payer: None,
        })))
    }

    /// What has to hold of a run, however its model answered.
    fn holds(&self, run: &DigestStageCompleted, window: &Event<DigestStageCompleted>) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        self.encoder.encode(run, &mut bytes).context("cannot be encoded")?;
        let digest = run.state.digest.as_ref().context("no digest is left")?;
        let known: BTreeSet<i64> = window.value.state.messages.iter().map(|message| message.id).collect();
        let unknown = digest.citations().flatten().find(|id| !known.contains(id));
        ensure!(unknown.is_none(), "cites message {unknown:?}, which is none of the window");
        let told = serde_json::to_string(digest)?;
        for planted in mutation::PLANTED {
            ensure!(!told.contains(planted), "{planted} reached the digest: {told}");
        }
        ensure!(told.len() <= DIGEST_BYTES_MAX, "the digest has {} bytes", told.len());
        let claims = digest.summary.iter().chain(&digest.decisions).chain(&digest.questions);
        let stories = digest.topics.iter().flat_map(|topic| &topic.story);
        let longest = claims.chain(stories).map(|claim| claim.text.len()).max().unwrap_or_default();
        ensure!(longest <= LINE_BYTES_MAX, "a line has {longest} bytes");
        let score = digest.quality.score;
        ensure!((0.0..=1.0).contains(&score), "a score of {score}");
        Ok(())
    }
}
