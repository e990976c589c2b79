//! `OpenAI`'s chat completions, as most servers speak them.
//!
//! Invariant: one choice is asked for and one is read.

use super::{HttpParts, JsonMode, LimitField, Model, SecretPlace, instructions};
use crate::{ChatRequest, Completion, Failure, Finish, Usage};
use serde_json::{Map, Value, json};

/// Name that the schema goes by.
const SCHEMA_NAME: &str = "answer";

pub(super) fn request(model: &Model, request: &ChatRequest) -> HttpParts {
    let mut body = body(model, request);
    if let Some(schema) = &request.schema {
        let format = match model.json {
            JsonMode::Schema => Some(json!({
                "type": "json_schema",
                "json_schema": {"name": SCHEMA_NAME, "schema": schema, "strict": is_strict(schema)},
            })),
            JsonMode::Object => Some(json!({"type": "json_object"})),
            JsonMode::Words => None,
        };
        if let Some(format) = format {
            body.insert("response_format".to_owned(), format);
        }
    }
    if model.stream {
        body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    }
    parts(body)
}

/// A request with this body.
pub(super) fn parts(body: Map<String, Value>) -> HttpParts {
    HttpParts {
        path: "/chat/completions",
        headers: vec![("accept", "application/json")],
        secret: SecretPlace::Bearer,
        body: Value::Object(body),
    }
}

/// What `GigaChat` has in common with it.
pub(super) fn body(model: &Model, request: &ChatRequest) -> Map<String, Value> {
    let system = json!({"role": "system", "content": instructions(model, request)});
    let said = request.user.iter().map(|turn| json!({"role": turn.role.word(), "content": turn.text}));
    let limit = match model.limit {
        LimitField::MaxTokens => "max_tokens",
        LimitField::MaxCompletionTokens => "max_completion_tokens",
    };
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model.name));
    body.insert("messages".to_owned(), std::iter::once(system).chain(said).collect());
    body.insert(limit.to_owned(), json!(request.max_output_tokens));
    if let Some(temperature) = request.temperature {
        body.insert("temperature".to_owned(), json!(temperature));
    }
    body.insert("stream".to_owned(), json!(model.stream));
    body
}

/// Whether every object of a schema names all its properties and allows no others, which `OpenAI`'s strict mode insists on.
fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            let is_closed = map.get("properties").and_then(Value::as_object).is_none_or(|properties| {
                let required: Vec<&str> = map
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                map.get("additionalProperties") == Some(&Value::Bool(false))
                    && properties.keys().all(|name| required.contains(&name.as_str()))
            });
            is_closed && map.values().all(is_strict)
        }
        Value::Array(values) => values.iter().all(is_strict),
        _ => true,
    }
}

/// The answer in one piece.
pub(super) fn completion(body: &Value) -> Result<Completion, Failure> {
    let choice = body.pointer("/choices/0").ok_or(Failure::Malformed)?;
    let message = choice.get("message").ok_or(Failure::Malformed)?;
    let refusal = message.get("refusal").and_then(Value::as_str);
    let finish = match refusal {
        Some(_) => Finish::Refused,
        None => finish(choice.get("finish_reason").and_then(Value::as_str)).ok_or(Failure::Unfinished)?,
    };
    let text = match message.get("content").filter(|content| !content.is_null()) {
        Some(content) => text(content).ok_or(Failure::Malformed)?,
        None => refusal.unwrap_or_default().to_owned(),
    };
    Ok(Completion { text, finish, usage: usage(body), model: model(body) })
}

/// A text, or a list of parts of which those of text count.
fn text(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            Some(parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect())
        }
        _ => None,
    }
}

/// How it ended; none when it has not.
pub(super) fn finish(reason: Option<&str>) -> Option<Finish> {
    Some(match reason? {
        "stop" | "eos" | "end_turn" => Finish::Stop,
        "length" | "max_tokens" => Finish::Length,
        "content_filter" | "blacklist" | "refusal" => Finish::Refused,
        _ => Finish::Other,
    })
}

/// The model that answered.
pub(super) fn model(body: &Value) -> String {
    body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What it took; `GigaChat` names the cached part otherwise.
pub(super) fn usage(body: &Value) -> Option<Usage> {
    let usage = body.get("usage")?;
    let number = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
    let cached =
        number("/prompt_tokens_details/cached_tokens").or_else(|| number("/precached_prompt_tokens"));
    Some(Usage {
        input_tokens: number("/prompt_tokens")?,
        output_tokens: number("/completion_tokens")?,
        cached_tokens: cached.unwrap_or(0),
    })
}
