//! Requests and answers in the words of each provider.
//!
//! Invariant: no secret passes through here, only the place where it goes; an answer that does not fit its provider's form in
//! what is read of it is a failure, never half an answer.

mod anthropic;
pub mod gigachat;
pub mod moderation;
mod openai;
mod reply;
mod sse;
mod stream;

pub use reply::Reply;
pub use stream::Stream;

use crate::{ChatRequest, Completion, Failure};
use serde::Deserialize;
use serde_json::Value;

/// Whose words are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// `POST /chat/completions` as `OpenAI` has it, and with it vLLM, Ollama, LM Studio, `OpenRouter` and many more.
    OpenAi,
    /// `POST /messages` as Anthropic has it.
    Anthropic,
    /// `POST /chat/completions` as Sber's `GigaChat` has it, with a token of half an hour.
    GigaChat,
}

/// How the provider is told that the answer is JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonMode {
    /// By the schema itself, in the provider's own field (with Anthropic the input of a tool).
    Schema,
    /// By asking for some JSON object in the provider's own field, and for the schema in words.
    Object,
    /// In words only.
    Words,
}

/// Name of the field that limits the answer's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitField {
    /// What most servers know.
    MaxTokens,
    /// What `OpenAI`'s newer models insist on.
    MaxCompletionTokens,
}

/// A model, and what its provider understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// As the provider names it.
    pub name: String,
    /// How JSON is asked for.
    pub json: JsonMode,
    /// How the answer is limited.
    pub limit: LimitField,
    /// Whether the answer is to come as a stream of events.
    pub stream: bool,
}

/// Where a request's secret goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPlace {
    /// `Authorization: Bearer`.
    Bearer,
    /// A header of this name.
    Header(&'static str),
}

/// A `POST` request without its host and its secret.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpParts {
    /// What is added to the provider's address.
    pub path: &'static str,
    /// Headers besides those of the body.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Where the key goes.
    pub secret: SecretPlace,
    /// Sent as JSON.
    pub body: Value,
}

impl Dialect {
    /// The request in this provider's words.
    pub fn request(self, model: &Model, request: &ChatRequest) -> HttpParts {
        match self {
            Self::OpenAi => openai::request(model, request),
            Self::Anthropic => anthropic::request(model, request),
            Self::GigaChat => gigachat::request(model, request),
        }
    }

    /// The answer, as it came in one piece. Look at [`Completion::failure`] too: an answer that was cut or refused has been
    /// paid for, so that its usage is told here.
    ///
    /// # Errors
    /// There is no answer.
    pub fn answer(self, reply: &Reply<'_>) -> Result<Completion, Failure> {
        let body = reply.json()?;
        match self {
            Self::OpenAi | Self::GigaChat => openai::completion(&body),
            Self::Anthropic => anthropic::completion(&body),
        }
    }

    /// Takes the answer to a request that comes as events.
    pub fn stream(self, request: &ChatRequest) -> Stream {
        Stream::new(self, request)
    }

    /// How JSON is asked for unless the settings say otherwise.
    pub fn json_mode(self) -> JsonMode {
        match self {
            Self::OpenAi | Self::Anthropic => JsonMode::Schema,
            Self::GigaChat => JsonMode::Words,
        }
    }
}

/// The instructions, with the schema in words where the provider has no field for it.
fn instructions(model: &Model, request: &ChatRequest) -> String {
    match &request.schema {
        Some(schema) if model.json != JsonMode::Schema => format!(
            "{}\n\nAnswer with one JSON object that fits this JSON Schema, and with nothing else:\n{schema}",
            request.system
        ),
        _ => request.system.clone(),
    }
}

#[cfg(test)]
mod tests;
