//! Requests, answers and streams as the providers document them.

use super::*;
use crate::{Finish, Turn, Usage};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;

fn model(name: &str, json: JsonMode) -> Model {
    Model { name: name.to_owned(), json, limit: LimitField::MaxTokens, stream: false }
}

fn question(schema: Option<Value>) -> ChatRequest {
    let user = vec![Turn::user("a"), Turn::assistant("b"), Turn::user("c")];
    ChatRequest { system: "s".to_owned(), user, schema, max_output_tokens: 9, temperature: Some(0.0) }
}

fn reply(body: &str) -> Reply<'_> {
    let now = "2026-11-06T08:49:37Z".parse().unwrap();
    Reply { status: 200, retry_after: None, retry_after_ms: None, date: None, now, body: body.as_bytes() }
}

fn strict() -> Value {
    json!({"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"], "additionalProperties": false})
}

#[test]
fn a_request_in_the_words_of_openai() {
    let parts = Dialect::OpenAi.request(&model("gpt", JsonMode::Schema), &question(Some(strict())));
    assert_eq!((parts.path, parts.secret), ("/chat/completions", SecretPlace::Bearer));
    let messages = json!([
        {"role": "system", "content": "s"}, {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"},
    ]);
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": strict(), "strict": true}});
    let wanted = json!({
        "model": "gpt", "messages": messages, "max_tokens": 9, "temperature": 0.0, "stream": false, "response_format": format,
    });
    assert_eq!(parts.body, wanted);
    // A schema that leaves something open is not claimed to be strict.
    let open = json!({"type": "object", "properties": {"x": strict()}});
    let parts = Dialect::OpenAi.request(&model("gpt", JsonMode::Schema), &question(Some(open)));
    assert_eq!(parts.body["response_format"]["json_schema"]["strict"], json!(false));
}

#[test]
fn what_a_server_does_not_know_is_not_sent() {
    let plain = Dialect::OpenAi.request(&model("m", JsonMode::Object), &question(None)).body;
    assert_eq!(plain.get("response_format"), None);
    let words = Dialect::OpenAi.request(&model("m", JsonMode::Words), &question(Some(strict()))).body;
    assert_eq!(words.get("response_format"), None);
    let told = words["messages"][0]["content"].as_str().unwrap();
    assert!(told.starts_with("s\n") && told.ends_with(&strict().to_string()), "{told}");
    let object = Dialect::OpenAi.request(&model("m", JsonMode::Object), &question(Some(strict()))).body;
    assert_eq!(object["response_format"], json!({"type": "json_object"}));
    let newer = Model { limit: LimitField::MaxCompletionTokens, stream: true, ..model("m", JsonMode::Words) };
    let request = ChatRequest { temperature: None, ..question(None) };
    let newer = Dialect::OpenAi.request(&newer, &request).body;
    assert_eq!((newer.get("max_tokens"), &newer["max_completion_tokens"]), (None, &json!(9)));
    assert_eq!((newer.get("temperature"), &newer["stream_options"]), (None, &json!({"include_usage": true})));
}

#[test]
fn a_request_in_the_words_of_anthropic() {
    let parts = Dialect::Anthropic.request(&model("claude", JsonMode::Schema), &question(Some(strict())));
    assert_eq!((parts.path, parts.secret), ("/messages", SecretPlace::Header("x-api-key")));
    assert!(parts.headers.contains(&("anthropic-version", "2023-06-01")));
    let wanted = json!({
        "model": "claude", "system": "s", "max_tokens": 9, "temperature": 0.0, "stream": false,
        "messages": [
            {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"},
        ],
        "tools": [{"name": "answer", "description": "Gives the answer.", "input_schema": strict()}],
        "tool_choice": {"type": "tool", "name": "answer"},
    });
    assert_eq!(parts.body, wanted);
}

#[test]
fn answers_of_openai_and_those_like_it() {
    let body = r#"{"model":"gpt-x","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}"#;
    let answer = Dialect::OpenAi.answer(&reply(body)).unwrap();
    assert_eq!((answer.text.as_str(), answer.finish, answer.model.as_str()), ("hi", Finish::Stop, "gpt-x"));
    assert_eq!(answer.usage, Some(Usage { input_tokens: 7, output_tokens: 2, cached_tokens: 4 }));
    for (choice, told) in [
        (r#"{"message":{"content":"h"},"finish_reason":"length"}"#, Ok((Finish::Length, "h"))),
        (r#"{"message":{"content":"","refusal":"no"},"finish_reason":"stop"}"#, Ok((Finish::Refused, ""))),
        (
            r#"{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}"#,
            Ok((Finish::Refused, "no")),
        ),
        (r#"{"message":{"content":"x"},"finish_reason":"content_filter"}"#, Ok((Finish::Refused, "x"))),
        (r#"{"message":{"content":"x"},"finish_reason":"blacklist"}"#, Ok((Finish::Refused, "x"))),
        (r#"{"message":{"content":null},"finish_reason":"tool_calls"}"#, Ok((Finish::Other, ""))),
        (
            r#"{"message":{"content":[{"type":"text","text":"x"}]},"finish_reason":"stop"}"#,
            Ok((Finish::Stop, "x")),
        ),
        (r#"{"message":{"content":"x"},"finish_reason":null}"#, Err(Failure::Unfinished)),
        (r#"{"message":{"content":5},"finish_reason":"stop"}"#, Err(Failure::Malformed)),
        (r#"{"finish_reason":"stop"}"#, Err(Failure::Malformed)),
    ] {
        let body = format!(r#"{{"choices":[{choice}]}}"#);
        let answer = Dialect::GigaChat.answer(&reply(&body));
        let told = told.map(|(finish, text)| (finish, text.to_owned(), None));
        assert_eq!(answer.map(|it| (it.finish, it.text, it.usage)), told, "{choice}");
    }
    assert_eq!(Dialect::OpenAi.answer(&reply(r#"{"choices":[]}"#)), Err(Failure::Malformed));
    let giga = r#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":7,"completion_tokens":2,"precached_prompt_tokens":3}}"#;
    let usage = Dialect::GigaChat.answer(&reply(giga)).unwrap().usage;
    assert_eq!(usage, Some(Usage { input_tokens: 7, output_tokens: 2, cached_tokens: 3 }));
}

#[test]
fn answers_of_anthropic() {
    let body = r#"{"model":"claude-x","stop_reason":"tool_use","content":[{"type":"text","text":"Sure."},
        {"type":"tool_use","name":"answer","input":{"x":"y"}}],
        "usage":{"input_tokens":5,"output_tokens":2,"cache_read_input_tokens":10,"cache_creation_input_tokens":1}}"#;
    let answer = Dialect::Anthropic.answer(&reply(body)).unwrap();
    assert_eq!((answer.text.as_str(), answer.finish), (r#"{"x":"y"}"#, Finish::Stop));
    assert_eq!(answer.usage, Some(Usage { input_tokens: 16, output_tokens: 2, cached_tokens: 10 }));
    for (reason, finish) in [
        ("end_turn", Finish::Stop),
        ("max_tokens", Finish::Length),
        ("refusal", Finish::Refused),
        ("pause_turn", Finish::Other),
    ] {
        let body = json!({"stop_reason": reason, "content": [{"type": "text", "text": "x"}]}).to_string();
        assert_eq!(Dialect::Anthropic.answer(&reply(&body)).unwrap().finish, finish);
    }
    let running = r#"{"stop_reason":null,"content":[{"type":"text","text":"x"}]}"#;
    assert_eq!(Dialect::Anthropic.answer(&reply(running)), Err(Failure::Unfinished));
    assert_eq!(Dialect::Anthropic.answer(&reply("{}")), Err(Failure::Malformed));
}

const OPENAI_STREAM: &str = r#"data: {"model":"m","choices":[{"delta":{"role":"assistant","content":""}}]}

data: {"model":"m","choices":[{"delta":{"content":"he"}}]}

data: {"model":"m","choices":[{"delta":{"content":"llo"},"finish_reason":"stop"}]}

data: {"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}

data: [DONE]

"#;

const ANTHROPIC_STREAM: &str = r#"event: message_start
data: {"type":"message_start","message":{"model":"c","usage":{"input_tokens":3,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hel"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"lo"}}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}

event: message_stop
data: {"type":"message_stop"}

"#;

fn streamed(dialect: Dialect, text: &str) -> Result<Completion, Failure> {
    let mut stream = dialect.stream(&question(None));
    stream.push(text.as_bytes())?;
    stream.end()
}

#[test]
fn a_stream_is_an_answer_once_its_terminal_event_has_come_and_not_a_byte_before() {
    let usage = Some(Usage { input_tokens: 3, output_tokens: 2, cached_tokens: 0 });
    for (dialect, text, name) in [
        (Dialect::OpenAi, OPENAI_STREAM, "m"),
        (Dialect::GigaChat, OPENAI_STREAM, "m"),
        (Dialect::Anthropic, ANTHROPIC_STREAM, "c"),
    ] {
        let whole =
            Completion { text: "hello".to_owned(), finish: Finish::Stop, usage, model: name.to_owned() };
        assert_eq!(streamed(dialect, text), Ok(whole));
        for cut in 0..text.len() - 1 {
            assert_eq!(streamed(dialect, &text[..cut]), Err(Failure::Unfinished), "cut at {cut}");
        }
    }
}

#[test]
fn a_stream_that_breaks_off_with_an_error_or_has_no_reason_is_a_failure() {
    let error = "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
    assert_eq!(streamed(Dialect::Anthropic, error), Err(Failure::ErrorInside));
    assert_eq!(streamed(Dialect::OpenAi, error), Err(Failure::ErrorInside));
    assert_eq!(streamed(Dialect::OpenAi, "data: [DONE]\n\n"), Err(Failure::Unfinished));
    assert_eq!(streamed(Dialect::OpenAi, "data: {\"choices\n\n"), Err(Failure::Malformed));
    let refused = "data: {\"choices\":[{\"delta\":{\"refusal\":\"no\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    assert_eq!(streamed(Dialect::OpenAi, refused).unwrap().finish, Finish::Refused);
    let endless =
        format!("data: {}\n\n", json!({"choices": [{"delta": {"content": "x".repeat(900_000)}}]})).repeat(5);
    assert_eq!(streamed(Dialect::OpenAi, &endless), Err(Failure::TooLarge));
}

#[test]
fn what_a_stream_brings_is_a_sign_of_life_unless_it_only_keeps_the_connection() {
    let event = |delta: Value| format!("data: {}\n\n", json!({"choices": [{"delta": delta}]}));
    let anthropic =
        |delta: Value| format!("data: {}\n\n", json!({"type": "content_block_delta", "delta": delta}));
    for (dialect, events, signs) in [
        (Dialect::OpenAi, OPENAI_STREAM.to_owned(), 3),
        (Dialect::Anthropic, ANTHROPIC_STREAM.to_owned(), 3),
        (Dialect::OpenAi, ": PROCESSING\n\n".repeat(5), 0),
        (Dialect::OpenAi, event(json!({"role": "assistant", "content": ""})), 0),
        (Dialect::OpenAi, event(json!({"reasoning_content": "x"})), 1),
        (Dialect::OpenAi, event(json!({"reasoning": "x"})), 1),
        (Dialect::OpenAi, event(json!({"refusal": "x"})), 1),
        (Dialect::Anthropic, "data: {\"type\":\"ping\"}\n\n".repeat(5), 0),
        (Dialect::Anthropic, anthropic(json!({"type": "text_delta", "text": ""})), 0),
        (Dialect::Anthropic, anthropic(json!({"type": "thinking_delta", "thinking": "x"})), 1),
    ] {
        let mut stream = dialect.stream(&question(None));
        stream.push(events.as_bytes()).unwrap();
        assert_eq!(stream.signs(), signs, "{events}");
    }
}

#[test]
fn what_was_used_is_known_of_a_stream_that_fails_after_it_was_told() {
    for (dialect, text, told) in [
        (Dialect::OpenAi, OPENAI_STREAM, "data: [DONE]"),
        (Dialect::Anthropic, ANTHROPIC_STREAM, "event: message_stop"),
    ] {
        let end = text.find(told).unwrap();
        let mut stream = dialect.stream(&question(None));
        assert_eq!(stream.push(&text.as_bytes()[..end]), Ok(false));
        assert_eq!(stream.usage(), Some(Usage { input_tokens: 3, output_tokens: 2, cached_tokens: 0 }));
        assert_eq!(stream.end(), Err(Failure::Unfinished));
    }
    let mut stream = Dialect::Anthropic.stream(&question(None));
    stream.push(&ANTHROPIC_STREAM.as_bytes()[..200]).unwrap();
    assert_eq!(stream.usage(), None, "the beginning tells the question's tokens only");
}

/// A text that is far beyond its limit of tokens is cut, not read to its end: it is brackets, or a model that does not stop.
#[test]
fn a_text_beyond_its_limit_of_tokens_is_cut() {
    let event = format!("data: {}\n\n", json!({"choices": [{"delta": {"content": "[".repeat(1_000)}}]}));
    let mut stream = Dialect::OpenAi.stream(&ChatRequest { max_output_tokens: 2_000, ..question(None) });
    let taken = (0..100).take_while(|_| stream.push(event.as_bytes()) == Ok(false)).count();
    assert_eq!(taken, 64, "of 100 kB of brackets");
}

#[test]
fn a_token_of_gigachat_is_used_as_long_as_its_own_clock_says() {
    let asked = gigachat::token_request(gigachat::SCOPE, "id");
    assert_eq!(asked.body, "scope=GIGACHAT_API_PERS");
    assert!(asked.headers.contains(&("rquid", "id".to_owned())));
    let now = reply("").now.as_millisecond();
    let lifetime = |expires_at: i64, date| {
        let body = json!({"access_token": "hunter2", "expires_at": expires_at}).to_string();
        let token = gigachat::token(&Reply { date, ..reply(&body) }).unwrap();
        assert_eq!(token.secret.expose_secret(), "hunter2");
        assert!(!format!("{token:?}").contains("hunter2"));
        token.lifetime
    };
    assert_eq!(lifetime(now + 30 * 60_000, None), Duration::from_mins(29));
    // Our clock is an hour behind or ahead: the answer's own says how long.
    let theirs = Some("Fri, 06 Nov 2026 09:49:37 GMT");
    assert_eq!(lifetime(now + 90 * 60_000, theirs), Duration::from_mins(29));
    assert_eq!(lifetime(now + 90 * 60_000, None), Duration::from_mins(29));
    assert_eq!(lifetime(now + 70 * 60_000, theirs), Duration::from_mins(9));
    assert_eq!(lifetime(now - 1, None), Duration::ZERO);
    assert_eq!(lifetime(i64::MIN, None), Duration::ZERO);
    assert_eq!(gigachat::token(&reply("{}")).err(), Some(Failure::Malformed));
    assert_eq!(gigachat::token(&Reply { status: 401, ..reply("") }).err(), Some(Failure::Unauthorized));
}
