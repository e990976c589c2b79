//! Anthropic's messages.
//!
//! Invariant: JSON is asked for as the input of a tool that the model has to use; nothing is ever run.

use super::{HttpParts, JsonMode, Model, SecretPlace, instructions};
use crate::{ChatRequest, Completion, Failure, Finish, Usage};
use serde_json::{Map, Value, json};

/// Name of the tool whose input is the answer.
const TOOL_NAME: &str = "answer";
const VERSION: &str = "2023-06-01";

pub(super) fn request(model: &Model, request: &ChatRequest) -> HttpParts {
    let said: Value =
        request.user.iter().map(|turn| json!({"role": turn.role.word(), "content": turn.text})).collect();
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model.name));
    body.insert("system".to_owned(), json!(instructions(model, request)));
    body.insert("messages".to_owned(), said);
    body.insert("max_tokens".to_owned(), json!(request.max_output_tokens));
    body.insert("stream".to_owned(), json!(model.stream));
    if let Some(temperature) = request.temperature {
        body.insert("temperature".to_owned(), json!(temperature));
    }
    if let (Some(schema), JsonMode::Schema) = (&request.schema, model.json) {
        let tool = json!({"name": TOOL_NAME, "description": "Gives the answer.", "input_schema": schema});
        body.insert("tools".to_owned(), json!([tool]));
        body.insert("tool_choice".to_owned(), json!({"type": "tool", "name": TOOL_NAME}));
    }
    HttpParts {
        path: "/messages",
        headers: vec![("accept", "application/json"), ("anthropic-version", VERSION)],
        secret: SecretPlace::Header("x-api-key"),
        body: Value::Object(body),
    }
}

/// The answer in one piece.
pub(super) fn completion(body: &Value) -> Result<Completion, Failure> {
    let blocks = body.get("content").and_then(Value::as_array).ok_or(Failure::Malformed)?;
    let finish = finish(body.get("stop_reason").and_then(Value::as_str)).ok_or(Failure::Unfinished)?;
    let input = blocks.iter().find(|block| is_of(block, "tool_use")).and_then(|block| block.get("input"));
    let text = match input {
        Some(input) => input.to_string(),
        None => blocks.iter().filter(|block| is_of(block, "text")).filter_map(text).collect(),
    };
    let usage = body.get("usage").and_then(|usage| counted(usage).complete());
    Ok(Completion { text, finish, usage, model: super::openai::model(body) })
}

pub(super) fn is_of(block: &Value, kind: &str) -> bool {
    block.get("type").and_then(Value::as_str) == Some(kind)
}

fn text(block: &Value) -> Option<&str> {
    block.get("text").and_then(Value::as_str)
}

/// How it ended; none when it has not.
pub(super) fn finish(reason: Option<&str>) -> Option<Finish> {
    Some(match reason? {
        "end_turn" | "stop_sequence" | "tool_use" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::Refused,
        _ => Finish::Other,
    })
}

/// Usage as it becomes known: a stream tells the input first and the output last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    input: Option<u64>,
    output: Option<u64>,
    cached: u64,
}

/// What this part of an answer says about usage. What was read from or written to the cache is not in `input_tokens`.
pub(super) fn counted(usage: &Value) -> Counted {
    let number = |name: &str| usage.get(name).and_then(Value::as_u64);
    let cached = number("cache_read_input_tokens").unwrap_or(0);
    let written = number("cache_creation_input_tokens").unwrap_or(0);
    let input = number("input_tokens").map(|fresh| fresh.saturating_add(cached).saturating_add(written));
    Counted { input, output: number("output_tokens"), cached }
}

impl Counted {
    /// What is known with what a later part says.
    pub(super) fn and(self, later: Self) -> Self {
        Self {
            input: later.input.or(self.input),
            output: later.output.or(self.output),
            cached: self.cached.max(later.cached),
        }
    }

    pub(super) fn complete(self) -> Option<Usage> {
        Some(Usage { input_tokens: self.input?, output_tokens: self.output?, cached_tokens: self.cached })
    }
}
