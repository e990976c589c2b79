//! An endpoint of embeddings on the loopback address, which answers as it is told first and then with counts of letters.
//!
//! Invariant: a text has one vector; every text that is asked for is kept, so that one asked for twice is seen.

use axum::{
    Router,
    extract::State,
    http::{
        StatusCode,
        header::{LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, runtime::Runtime};

/// Numbers in a vector.
pub const LETTERS: usize = 16;

/// A status and a body. A status of the three hundreds leads to the endpoint itself.
pub type Scripted = (u16, String);

#[derive(Debug, Default)]
struct World {
    always: Option<Scripted>,
    first: VecDeque<Scripted>,
    /// A request that holds this is refused.
    refused: Option<String>,
    asked: Vec<String>,
}

/// The endpoint, for as long as this lives.
#[derive(Debug)]
pub struct Embeddings {
    url: String,
    world: Arc<Mutex<World>>,
    _tasks: Runtime,
}

impl Embeddings {
    /// Starts it.
    ///
    /// # Errors
    /// There is no port.
    pub fn start() -> anyhow::Result<Self> {
        let tasks = Runtime::new()?;
        let listener = tasks.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        let world = Arc::new(Mutex::new(World::default()));
        let router = Router::new().route("/v1/embeddings", post(answer)).with_state(Arc::clone(&world));
        tasks.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, world, _tasks: tasks })
    }

    /// What comes before `/embeddings` in its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers so from now on.
    pub fn answer_always(&self, answer: Scripted) {
        locked(&self.world).always = Some(answer);
    }

    /// Answers so first, and then as it should.
    pub fn answer_first(&self, first: Vec<Scripted>) {
        let mut world = locked(&self.world);
        (world.always, world.first) = (None, first.into());
    }

    /// Refuses each request with a text that holds this from now on, with 400.
    pub fn refuse(&self, words: &str) {
        locked(&self.world).refused = Some(words.to_owned());
    }

    /// The texts that it gave vectors of, in order.
    pub fn asked(&self) -> Vec<String> {
        locked(&self.world).asked.clone()
    }
}

fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(world): State<Arc<Mutex<World>>>, body: String) -> Response {
    let mut world = locked(&world);
    if let Some((status, body)) = world.always.clone().or_else(|| world.first.pop_front()) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, [(LOCATION, "/v1/embeddings"), (RETRY_AFTER, "0")], body).into_response();
    }
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap_or_default();
    if world.refused.as_ref().is_some_and(|words| texts.iter().any(|text| text.contains(words))) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let data: Vec<Value> = texts.iter().map(|text| json!({ "embedding": letters(text) })).collect();
    world.asked.extend(texts);
    json!({ "data": data }).to_string().into_response()
}

/// A vector of a text.
fn letters(text: &str) -> [f32; LETTERS] {
    let mut counts = [0.0; LETTERS];
    for byte in text.bytes() {
        counts[usize::from(byte) % LETTERS] += 1.0;
    }
    counts
}
