//! A provider on the loopback address: `OpenAI`'s, Anthropic's and `GigaChat`'s interfaces, by a script, with a log of each call.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What the provider does with a request.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Answers with this text, as a stream where that is asked for.
    Answer(&'static str),
    /// Answers with this text after so many milliseconds.
    Late(u64, &'static str),
    /// A status, a header and a body.
    Status(u16, &'static [(&'static str, &'static str)], String),
    /// Never answers.
    Hang,
    /// Half an answer, then the connection breaks.
    Cut,
    /// Events, and the end of the connection.
    Events(String),
    /// Events without end.
    Endless,
    /// Pieces of a stream, each after so many milliseconds; then this.
    Paced(Vec<(u64, String)>, End),
}

/// How a stream that came in pieces ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As it should.
    Close,
    /// The connection breaks.
    Break,
    /// Not at all: nothing more comes.
    Hang,
}

/// A call as it came.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    pub(super) key: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) body: Value,
}

/// Script and log.
#[derive(Default)]
struct Book {
    script: VecDeque<Act>,
    calls: Vec<Call>,
    /// Tokens that were given out, and whether each is still taken.
    tokens: Vec<(String, bool)>,
    expires_at_ms: i64,
    /// Calls whose asker went away before they were answered.
    left: usize,
}

#[derive(Clone)]
pub(super) struct Provider {
    book: Arc<Mutex<Book>>,
    pub(super) url: String,
}

impl Provider {
    /// Answers by this script, and with `ok` from its end on.
    pub(super) async fn start(script: impl IntoIterator<Item = Act>) -> Self {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let book = Book { script: script.into_iter().collect(), expires_at_ms: i64::MAX, ..Book::default() };
        let book = Arc::new(Mutex::new(book));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&book));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { book, url }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.book.lock().unwrap().calls.clone()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.path).collect()
    }

    /// Calls whose asker went away before they were answered.
    pub(super) fn left(&self) -> usize {
        self.book.lock().unwrap().left
    }

    /// Takes back all tokens that were given out.
    pub(super) fn revoke(&self) {
        self.book.lock().unwrap().tokens.iter_mut().for_each(|token| token.1 = false);
    }

    /// Tokens end at this moment from now on.
    pub(super) fn tokens_end_at(&self, expires_at_ms: i64) {
        self.book.lock().unwrap().expires_at_ms = expires_at_ms;
    }
}

async fn answer(State(book): State<Arc<Mutex<Book>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let call = Call {
        path: uri.path().to_owned(),
        authorization: header("authorization"),
        key: header("x-api-key"),
        request_id: header("rquid"),
        body: serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body))),
    };
    let act = {
        let mut book = book.lock().unwrap();
        book.calls.push(call.clone());
        if call.path == "/oauth" {
            return grant(&mut book);
        }
        let is_token_refused = book
            .tokens
            .iter()
            .any(|(token, is_good)| !is_good && call.authorization == Some(format!("Bearer {token}")));
        if is_token_refused {
            return (StatusCode::UNAUTHORIZED, r#"{"status":401,"message":"Token has expired"}"#)
                .into_response();
        }
        book.script.pop_front().unwrap_or(Act::Answer("ok"))
    };
    perform(act, &call, book).await
}

fn grant(book: &mut Book) -> Response {
    let token = format!("token{}", book.tokens.len() + 1);
    book.tokens.push((token.clone(), true));
    json!({"access_token": token, "expires_at": book.expires_at_ms}).to_string().into_response()
}

/// Notes that whoever asked went away.
struct Left(Arc<Mutex<Book>>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.lock().unwrap().left += 1;
    }
}

async fn perform(act: Act, Call { path, body, .. }: &Call, book: Arc<Mutex<Book>>) -> Response {
    match act {
        Act::Answer(_) if path.ends_with("/moderations") => judgement(body).to_string().into_response(),
        Act::Answer(text) if body["stream"] == json!(true) => {
            events_of(Body::from(events(path, text, &body["stream_options"]["include_usage"])))
        }
        Act::Answer(text) => whole(path, text).to_string().into_response(),
        Act::Late(wait_ms, text) => {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            whole(path, text).to_string().into_response()
        }
        Act::Status(status, headers, body) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(*name, value.parse().unwrap());
            }
            response
        }
        Act::Hang => {
            let _left = Left(book);
            std::future::pending().await
        }
        Act::Cut => {
            let half = whole(path, "half").to_string().into_bytes()[..40].to_vec();
            Body::from_stream(stream::iter([Ok(half), Err(io::Error::other("cut"))])).into_response()
        }
        Act::Events(events) => events_of(Body::from(events)),
        Act::Endless => {
            let event =
                format!("data: {}\n\n", json!({"choices": [{"delta": {"content": "x".repeat(1 << 16)}}]}));
            events_of(Body::from_stream(stream::repeat_with(move || Ok::<_, io::Error>(event.clone()))))
        }
        Act::Paced(pieces, end) => events_of(Body::from_stream(paced(pieces, end))),
    }
}

fn paced(pieces: Vec<(u64, String)>, end: End) -> impl Stream<Item = io::Result<String>> {
    let pieces = stream::iter(pieces).then(async |(wait_ms, piece)| {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        Ok(piece)
    });
    let last = async move {
        match end {
            End::Hang => std::future::pending().await,
            End::Break => Some(Err(io::Error::other("broken"))),
            End::Close => None,
        }
    };
    pieces.chain(stream::once(last).filter_map(std::future::ready))
}

/// An answer as the providers document their streams: usage is told by `OpenAI` where it is asked for, by Anthropic always.
pub(super) fn events(path: &str, text: &str, wants_usage: &Value) -> String {
    let event = |value: Value| format!("data: {value}\n\n");
    if path.ends_with("/messages") {
        let named = |value: Value| {
            format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap_or_default())
        };
        let usage = json!({"input_tokens": 5, "output_tokens": 1});
        return [
            json!({"type": "message_start", "message": {"model": "c", "usage": usage}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "ping"}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
            json!({"type": "message_stop"}),
        ]
        .map(named)
        .concat();
    }
    let choice = |delta: Value, reason: Value| {
        event(json!({"model": "m", "choices": [{"delta": delta, "finish_reason": reason}], "usage": null}))
    };
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 2});
    let told = event(json!({"model": "m", "choices": [], "usage": usage}));
    [
        choice(json!({"role": "assistant", "content": ""}), Value::Null),
        choice(json!({"content": text}), Value::Null),
        choice(json!({}), json!("stop")),
        if *wants_usage == json!(true) { told } else { String::new() },
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat()
}

/// What `OpenAI` documents of moderations: a result for each text of the list; here who says "kill" is violent.
fn judgement(body: &Value) -> Value {
    let result = |text: &Value| {
        let is_violent = text.as_str().is_some_and(|text| text.contains("kill"));
        let score = if is_violent { 0.97 } else { 0.001 };
        json!({"flagged": is_violent, "categories": {"violence": is_violent, "self-harm/intent": false},
            "category_scores": {"violence": score, "self-harm/intent": 0.0001},
            "category_applied_input_types": {"violence": ["text"], "self-harm/intent": ["text"]}})
    };
    let results: Vec<Value> = body["input"].as_array().into_iter().flatten().map(result).collect();
    json!({"id": "modr-1", "model": "omni-moderation-2024-09-26", "results": results})
}

fn events_of(body: Body) -> Response {
    ([("content-type", "text/event-stream; charset=utf-8")], body).into_response()
}

fn whole(path: &str, text: &str) -> Value {
    if path.ends_with("/messages") {
        let usage = json!({"input_tokens": 5, "output_tokens": 2});
        json!({"model": "c", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": usage})
    } else {
        let usage = json!({"prompt_tokens": 5, "completion_tokens": 2});
        json!({"model": "m", "choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": usage})
    }
}
