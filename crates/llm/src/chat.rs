//! A question to a model and its answer, whatever the provider.
//!
//! Invariant: both are values that can be stored and compared; their `Debug` tells sizes and no words.

use crate::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// What is asked.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatRequest {
    /// Instructions. Nothing that people wrote in a chat belongs here.
    pub system: String,
    /// What is said, oldest first; the last turn is the user's.
    pub user: Vec<Turn>,
    /// JSON Schema that the answer has to fit. Without one the answer is text.
    pub schema: Option<Value>,
    /// Most tokens that the answer may have.
    pub max_output_tokens: u32,
    /// From 0, the likeliest words, to 1. Without one the provider's own: some models refuse to be told.
    pub temperature: Option<f64>,
}

/// One turn of what is said.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Who says it.
    pub role: Role,
    /// What.
    pub text: String,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The one who asks.
    User,
    /// The model: an answer of its own that it is shown again.
    Assistant,
}

/// What is answered, complete or not: see [`Completion::failure`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// The answer's text; JSON where a schema was given, not yet checked.
    pub text: String,
    /// How it ended.
    pub finish: Finish,
    /// What it took. None where the provider does not tell, which is not the same as nothing.
    pub usage: Option<Usage>,
    /// The model, as the provider names the one that answered.
    pub model: String,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    /// The model had said all.
    Stop,
    /// It reached the limit of tokens.
    Length,
    /// The provider or the model will not answer this.
    Refused,
    /// Something else, such as a tool that nobody offered.
    Other,
}

/// Tokens of a request and its answer, as the provider counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// All that was read, what the provider had cached included.
    pub input_tokens: u64,
    /// All that was written, thoughts included.
    pub output_tokens: u64,
    /// Of the input, what the provider had cached.
    pub cached_tokens: u64,
}

impl Turn {
    /// A turn of the user.
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, text: text.into() }
    }

    /// A turn of the model.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, text: text.into() }
    }
}

impl Role {
    /// The word of all dialects.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

impl Completion {
    /// Why this is no answer to work with, although it came: it was cut, refused, or is blank. It was paid for all the same.
    pub fn failure(&self) -> Option<Failure> {
        match self.finish {
            Finish::Stop if self.text.trim().is_empty() => Some(Failure::Malformed),
            Finish::Stop => None,
            Finish::Length => Some(Failure::Truncated),
            Finish::Refused => Some(Failure::Refused),
            Finish::Other => Some(Failure::Unfinished),
        }
    }
}

impl Usage {
    /// Input and output.
    pub fn total(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

impl fmt::Debug for ChatRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatRequest")
            .field("system_bytes", &self.system.len())
            .field("user", &self.user)
            .field("has_schema", &self.schema.is_some())
            .field("max_output_tokens", &self.max_output_tokens)
            .field("temperature", &self.temperature)
            .finish()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("role", &self.role).field("bytes", &self.text.len()).finish()
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("bytes", &self.text.len())
            .field("finish", &self.finish)
            .field("usage", &self.usage)
            .field("model", &self.model)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_only_when_the_model_had_said_all() {
        let answer = |finish, text: &str| {
            Completion { text: text.to_owned(), finish, usage: None, model: "m".to_owned() }.failure()
        };
        assert_eq!(answer(Finish::Stop, "yes"), None);
        assert_eq!(answer(Finish::Stop, " \n"), Some(Failure::Malformed));
        assert_eq!(answer(Finish::Length, "ye"), Some(Failure::Truncated));
        assert_eq!(answer(Finish::Refused, "no"), Some(Failure::Refused));
        assert_eq!(answer(Finish::Other, "yes"), Some(Failure::Unfinished));
    }

    #[test]
    fn debug_output_holds_no_words() {
        let request = ChatRequest {
            system: "sesame".to_owned(),
            user: vec![Turn::user("sesame"), Turn::assistant("sesame")],
            schema: Some(serde_json::json!({"description": "sesame"})),
            max_output_tokens: 5,
            temperature: None,
        };
        let answer = Completion {
            text: "sesame".to_owned(),
            finish: Finish::Stop,
            usage: None,
            model: "m".to_owned(),
        };
        let shown = format!("{request:?} {answer:?}");
        assert!(!shown.contains("sesame") && shown.contains("system_bytes: 6"), "{shown}");
    }
}
