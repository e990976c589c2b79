//! A provider of a language model on the loopback address, which speaks `OpenAI`'s interface and answers as it is told first, and
//! then with the first messages that it is shown.
//!
//! Invariant: every call is counted with its tokens when it comes, so that what a ledger lost is seen.

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime};

/// Lines of an answer.
const LINES: usize = 3;
/// Bytes that count as a token.
const TOKEN: usize = 4;
/// Characters of a piece of a stream.
const PIECE: usize = 16;

#[derive(Debug, Default)]
struct World {
    always: Option<(u16, String)>,
    delay: Duration,
    asked: Vec<String>,
    flagged: Option<String>,
    judged: Vec<String>,
    refuses_to_judge: bool,
    keys: BTreeSet<String>,
    tokens: i64,
}

/// The provider, for as long as this lives.
#[derive(Debug)]
pub struct Models {
    url: String,
    world: Arc<Mutex<World>>,
    _tasks: Runtime,
}

impl Models {
    /// Starts it.
    ///
    /// # Errors
    /// There is no port.
    pub fn start() -> anyhow::Result<Self> {
        let tasks = Runtime::new()?;
        let listener = tasks.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        let world = Arc::new(Mutex::new(World::default()));
        let router = Router::new()
            .route("/v1/chat/completions", post(answer))
            .route("/v1/moderations", post(judge))
            .with_state(Arc::clone(&world));
        tasks.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, world, _tasks: tasks })
    }

    /// A provider of this name in a file of settings.
    pub fn provider(&self, name: &str) -> String {
        format!(
            "[[llm.providers]]\nname = \"{name}\"\ndialect = \"openai\"\nurl = \"{}\"\nmodel = \"small\"\ntimeout_s = 20\n",
            self.url
        )
    }

    /// Answers so from now on; none: as it should.
    pub fn answer_always(&self, answer: Option<(u16, String)>) {
        locked(&self.world).always = answer;
    }

    /// Takes so long for an answer from now on.
    pub fn take(&self, delay: Duration) {
        locked(&self.world).delay = delay;
    }

    /// Flags texts with this word for violence from now on.
    pub fn flag(&self, word: &str) {
        locked(&self.world).flagged = Some(word.to_owned());
    }

    /// Whether it answers 500 to what it is to judge from now on.
    pub fn refuse_to_judge(&self, refuses: bool) {
        locked(&self.world).refuses_to_judge = refuses;
    }

    /// The texts that it was to judge, in order.
    pub fn judged(&self) -> Vec<String> {
        locked(&self.world).judged.clone()
    }

    /// What it was asked, in order.
    pub fn asked(&self) -> Vec<String> {
        locked(&self.world).asked.clone()
    }

    /// The keys that it was asked with; one that is blank for a call without.
    pub fn keys(&self) -> BTreeSet<String> {
        locked(&self.world).keys.clone()
    }

    /// Tokens of all calls, as it would put on a bill.
    pub fn tokens(&self) -> i64 {
        locked(&self.world).tokens
    }
}

fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(world): State<Arc<Mutex<World>>>, headers: HeaderMap, body: String) -> Response {
    let (answer, delay) = count(&mut locked(&world), &headers, &body);
    tokio::time::sleep(delay).await;
    answer
}

/// A judgement of texts, as `OpenAI` documents it: nothing is charged for it, and no usage told.
async fn judge(State(world): State<Arc<Mutex<World>>>, body: String) -> Response {
    let mut world = locked(&world);
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let texts: Vec<String> = request["input"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|text| Some(text.as_str()?.to_owned()))
        .collect();
    world.judged.extend(texts.clone());
    if world.refuses_to_judge {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let result = |text: &String| {
        let flagged = world.flagged.as_ref().is_some_and(|word| text.contains(word));
        json!({"flagged": flagged, "categories": {"violence": flagged, "hate": false},
            "category_scores": {"violence": if flagged { 0.9 } else { 0.01 }, "hate": 0.001}})
    };
    let results: Vec<Value> = texts.iter().map(result).collect();
    json!({"id": "modr-1", "model": "omni-moderation-2024-09-26", "results": results})
        .to_string()
        .into_response()
}

/// Counts a call: what it is answered, and after how long.
fn count(world: &mut World, headers: &HeaderMap, body: &str) -> (Response, Duration) {
    let key = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    world.keys.insert(key.trim_start_matches("Bearer ").to_owned());
    let request: Value = serde_json::from_str(body).unwrap_or_default();
    let shown = request["messages"].as_array().and_then(|turns| turns.last());
    let shown = shown.and_then(|turn| turn["content"].as_str()).unwrap_or_default().to_owned();
    if let Some((status, body)) = world.always.clone() {
        world.asked.push(shown);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return ((status, body).into_response(), world.delay);
    }
    let schema = request["response_format"].to_string();
    let is_about_lines = schema.contains("\"summary\"") && !schema.contains("\"topics\"");
    let said = if is_about_lines { beginning(&shown) } else { draft(&shown) };
    let said = said.to_string();
    let (input, output) = (body.len() / TOKEN, said.len() / TOKEN);
    world.asked.push(shown);
    world.tokens += (input + output) as i64;
    let usage = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
    if request["stream"] == json!(true) {
        return (stream(&said, &usage), world.delay);
    }
    let answer = json!({
        "id": "1", "object": "chat.completion", "model": "small", "usage": usage,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}]
    });
    (answer.to_string().into_response(), world.delay)
}

/// An answer in pieces, as one that was asked for its usage streams it.
fn stream(said: &str, usage: &Value) -> Response {
    let event = |choices: Value, usage: &Value| {
        let chunk = json!({"id": "1", "object": "chat.completion.chunk", "model": "small", "choices": choices, "usage": usage});
        format!("data: {chunk}\n\n")
    };
    let choice =
        |delta: Value, reason: &Value| json!([{"index": 0, "delta": delta, "finish_reason": reason}]);
    let letters: Vec<char> = said.chars().collect();
    let mut events = event(choice(json!({"role": "assistant", "content": ""}), &Value::Null), &Value::Null);
    for piece in letters.chunks(PIECE) {
        let piece: String = piece.iter().collect();
        events += &event(choice(json!({"content": piece}), &Value::Null), &Value::Null);
    }
    events += &event(choice(json!({}), &json!("stop")), &Value::Null);
    events += &event(json!([]), usage);
    events += "data: [DONE]\n\n";
    ([(CONTENT_TYPE, "text/event-stream")], events).into_response()
}

/// The first lines of those that parts of a window gave.
fn beginning(shown: &str) -> Value {
    let line = |line: &str| {
        let (number, text) = line.strip_prefix('[')?.split_once("] ")?;
        Some(json!({"text": text, "lines": [number.parse::<i64>().ok()?]}))
    };
    let lines: Vec<Value> = shown.lines().filter_map(line).take(LINES).collect();
    json!({ "summary": lines })
}

/// The first messages, in their own words.
fn draft(shown: &str) -> Value {
    let message = |line: &str| {
        let (number, rest) = line.strip_prefix('[')?.split_once("] ")?;
        let (_, text) = rest.split_once(": ")?;
        Some(json!({"text": text, "messages": [number.parse::<i64>().ok()?]}))
    };
    let lines: Vec<Value> = shown.lines().filter_map(message).take(LINES).collect();
    json!({"topics": [], "summary": lines, "decisions": [], "actions": [], "open": []})
}
