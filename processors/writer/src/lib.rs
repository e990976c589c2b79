//! `writer`: puts a digest into the words of a language model, where one is set, and holds them to the same facts.
//!
//! Invariant: without a model, and whenever a model fails or says what the messages do not hold, the digest of `synthesis`
//! goes on as it came. What a model answered is in the event, so that a replay of later stages asks nobody.

mod cursor;
mod draft;
mod finish;
mod hostile;
mod moderation;
mod part;
mod prompt;
mod prompts;
mod reading;
#[cfg(test)]
mod tests;

pub use hostile::is_hostile;
pub use prompts::{Choice, PromptText, UnknownPrompt, prompts};

pub use cursor::Cursor;
use draft::{Draft, Summary};
use finish::{fallback, unchanged};
use part::Parts;
use processor::{
    COMPLETED, Event, Lookup, ModelAnswer, ModelQuestion, PortSpec, Reject, Request, Response, STARTED,
    StageIdentity, StageReport, Step, check_boundary_integrity,
};
use prompt::SUMMARY;
use reading::{again, read};
use schemas::{Digest, DigestStageCompleted};
use serde::Deserialize;

/// Name of the stage, of its chain of models, and of its metric label.
pub const NAME: &str = "writer";
const IDENTITY: StageIdentity = StageIdentity { name: NAME, code_version: "1", schema_version: 1 };
/// Share of a draft's claims that may be dropped before the draft is.
const DROPPED_MAX: f64 = 0.5;

/// The stage.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Writer {
    /// Whether there is a model to ask. Default: no.
    pub asks: bool,
    /// Whether a provider judges what the model wrote. Default: no, the built-in lists alone.
    pub moderates: bool,
    /// A window of fewer messages needs no model. Default 6.
    pub messages_min: usize,
    /// Tokens of messages that one question holds, by estimate. Default 6,000.
    pub part_tokens: usize,
    /// Most questions about one window, all asked at once; its least important messages are left out beyond that, and
    /// counted. Default 24.
    pub parts_max: usize,
    /// Most tokens of an answer. Default 2,000.
    pub output_tokens_max: u32,
    /// A draft that scores less than the offline digest by more than this is not taken. Default 0.2: the score favours
    /// quotations.
    pub worse_by: f64,
    /// Which version of the prompt about a part is used for whom. Default: the first, for everybody.
    #[serde(skip)]
    pub choice: Choice,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            asks: false,
            moderates: false,
            messages_min: 6,
            part_tokens: 6_000,
            parts_max: 24,
            output_tokens_max: 2_000,
            worse_by: 0.2,
            choice: Choice::FIRST,
        }
    }
}

impl Lookup for Writer {
    const NAME: &'static str = NAME;
    /// Parts, what of them did not read, the beginning, that again, and the judgement of what goes out.
    const ROUNDS_MAX: usize = 5;
    type In = DigestStageCompleted;
    type Cursor = Box<Cursor>;

    fn ports(&self) -> Vec<PortSpec> {
        vec![STARTED.spec(), COMPLETED.spec()]
    }

    fn begin(&self, event: &Event<DigestStageCompleted>) -> Step<Self::Cursor> {
        let input = &event.value;
        if let Err(reject) = check_boundary_integrity(input, &input.state) {
            return Step::Done(Err(reject));
        }
        let Some(digest) = &input.state.digest else {
            let detail = format!("stage {} left no digest", input.stage);
            return Step::Done(Err(Reject::new("digest_missing", detail)));
        };
        if !self.asks || input.state.messages.len() < self.messages_min {
            return unchanged(input, StageReport::ok());
        }
        let questions = self.questions(input, digest);
        if questions.is_empty() {
            return unchanged(input, StageReport::ok());
        }
        let requests = questions.iter().cloned().map(Request::Model).collect();
        Step::Ask(Box::new(Cursor::of(questions)), requests)
    }

    fn resume(
        &self,
        event: &Event<DigestStageCompleted>,
        mut cursor: Self::Cursor,
        responses: Vec<Response>,
    ) -> Step<Self::Cursor> {
        let input = &event.value;
        let mut said = Vec::with_capacity(responses.len());
        for response in responses {
            match response {
                Response::Model(ModelAnswer::Said(text)) => said.push(text),
                Response::Model(ModelAnswer::Off) => return unchanged(input, StageReport::ok()),
                Response::Model(ModelAnswer::Failed(why)) if cursor.summary.is_none() => {
                    return fallback(input, &why, cursor.used);
                }
                // The lines of the parts are there.
                Response::Model(ModelAnswer::Failed(why)) => {
                    cursor.unbegun = Some(why);
                    return self.finish(input, *cursor);
                }
                Response::Moderation(answer) if cursor.judging.is_some() => {
                    return self.end(input, *cursor, Some(&answer));
                }
                _ => {
                    let detail = "an answer of another kind than the question";
                    return Step::Done(Err(Reject::new("unexpected_answer", detail)));
                }
            }
        }
        let prompt = self.choice.of(&input.tenant_id).name;
        for text in &said {
            cursor.uses(prompt, text);
        }
        let texts: Vec<String> = said.into_iter().map(|said| said.text).collect();
        if cursor.summary.is_some() {
            self.begun(input, *cursor, &texts)
        } else {
            self.drafted(input, *cursor, &texts)
        }
    }
}

impl Writer {
    /// What a model is asked first about a window, whether one is set or not: nothing where there is nothing to show.
    pub fn questions(&self, input: &DigestStageCompleted, digest: &Digest) -> Vec<ModelQuestion> {
        let prompt = self.choice.of(&input.tenant_id);
        let told = prompt::parts(&self.parts(input, digest));
        told.iter().map(|data| prompt.question(input, data, self.output_tokens_max)).collect()
    }

    pub(crate) fn parts<'a>(&self, input: &'a DigestStageCompleted, digest: &Digest) -> Parts<'a> {
        Parts::of(&input.state.messages, digest, (self.part_tokens, self.parts_max))
    }

    /// Reads what was answered about parts; asks again for what does not read, then for the beginning.
    fn drafted(
        &self,
        input: &DigestStageCompleted,
        mut cursor: Cursor,
        texts: &[String],
    ) -> Step<Box<Cursor>> {
        let asked: Vec<usize> = (0..cursor.drafts.len()).filter(|at| cursor.drafts[*at].is_none()).collect();
        let mut requests = Vec::new();
        for (at, text) in asked.into_iter().zip(texts) {
            match read::<Draft>(text, self.choice.of(&input.tenant_id)) {
                Ok(draft) => cursor.drafts[at] = Some(draft),
                Err(why) => {
                    again(&mut cursor.questions[at], text, &why);
                    requests.push(cursor.asks(&cursor.questions[at]));
                }
            }
        }
        if !requests.is_empty() {
            if std::mem::replace(&mut cursor.again, true) {
                return fallback(input, "unreadable", cursor.used);
            }
            return Step::Ask(Box::new(cursor), requests);
        }
        if cursor.drafts.len() == 1 {
            return self.finish(input, cursor);
        }
        let lines = cursor.drafts.iter().flatten().flat_map(|draft| &draft.summary);
        let data = prompt::lines(lines.map(|line| line.text.as_str()));
        if data.is_empty() {
            return self.finish(input, cursor);
        }
        let question = SUMMARY.question(input, &data, self.output_tokens_max);
        let request = cursor.asks(&question);
        cursor.summary = Some(question);
        cursor.again = false;
        Step::Ask(Box::new(cursor), vec![request])
    }

    /// Reads what was chosen for the beginning; asks once again where that does not read, then does without.
    fn begun(&self, input: &DigestStageCompleted, mut cursor: Cursor, texts: &[String]) -> Step<Box<Cursor>> {
        let text = texts.first().map_or("", String::as_str);
        match read::<Summary>(text, &SUMMARY) {
            Ok(summary) => {
                cursor.chosen = Some(summary);
                self.finish(input, cursor)
            }
            Err(why) if !cursor.again => {
                cursor.again = true;
                let Some(question) = &mut cursor.summary else { return self.finish(input, cursor) };
                again(question, text, &why);
                let request = question.clone();
                let request = cursor.asks(&request);
                Step::Ask(Box::new(cursor), vec![request])
            }
            Err(_) => self.finish(input, cursor),
        }
    }
}
