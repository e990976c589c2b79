//! A receiver of webhooks on the loopback address, which answers as it is told and keeps what was posted. Signatures are checked by
//! the public library of Standard Webhooks.
//!
//! Invariant: a request is kept before it is answered, also where its answer never comes.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, StatusCode, Uri,
        header::{LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde_json::Value;
use standardwebhooks::Webhook;
use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime};

/// What the receiver does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answering {
    /// Answers with a status and these words.
    Status(u16, &'static str),
    /// Answers with a status, and asks to wait for so many seconds.
    Wait(u16, u64),
    /// Leads to another address.
    Redirect(String),
    /// Answers 200 after so long.
    Slow(Duration),
    /// Answers 200 with so many bytes that say nothing.
    Nonsense(usize),
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    /// Path, by which receivers are told apart.
    pub path: String,
    /// Value of `webhook-id`.
    pub id: String,
    /// Values of `webhook-signature`.
    pub signatures: Vec<String>,
    /// Its body as it came.
    pub text: String,
    /// Its body.
    pub body: Value,
    /// What the library says of its signature; none where no secret of its path is known.
    pub verified: Option<Result<(), String>>,
}

#[derive(Debug, Default)]
struct World {
    secrets: BTreeMap<String, String>,
    first: BTreeMap<String, VecDeque<Answering>>,
    always: BTreeMap<String, Answering>,
    /// Before everything else.
    all: Option<Answering>,
    posted: Vec<Posted>,
}

/// The receiver, for as long as this lives.
#[derive(Debug)]
pub struct Receiver {
    address: String,
    world: Arc<Mutex<World>>,
    /// Until the end.
    tasks: Option<Runtime>,
}

impl Receiver {
    /// Starts it.
    ///
    /// # Errors
    /// There is no port.
    pub fn start() -> anyhow::Result<Self> {
        let tasks = Runtime::new()?;
        let listener = tasks.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?.to_string();
        let world = Arc::new(Mutex::new(World::default()));
        let router = Router::new().fallback(take).with_state(Arc::clone(&world));
        tasks.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, world, tasks: Some(tasks) })
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Requests to a path are checked with this secret.
    pub fn know(&self, path: &str, secret: &str) {
        locked(&self.world).secrets.insert(path.to_owned(), secret.to_owned());
    }

    /// Requests to a path are answered so first, and then as they should be.
    pub fn answer_first(&self, path: &str, first: Vec<Answering>) {
        locked(&self.world).first.insert(path.to_owned(), first.into());
    }

    /// Requests to a path are answered so from now on; as they should be, where it is none.
    pub fn answer_always(&self, path: &str, always: Option<Answering>) {
        let mut world = locked(&self.world);
        match always {
            Some(answering) => drop(world.always.insert(path.to_owned(), answering)),
            None => drop(world.always.remove(path)),
        }
    }

    /// Requests to every path are answered so from now on; as they should be, where it is none.
    pub fn answer_all(&self, all: Option<Answering>) {
        locked(&self.world).all = all;
    }

    /// What was posted, in order.
    pub fn posted(&self) -> Vec<Posted> {
        locked(&self.world).posted.clone()
    }

    /// What was posted to a path, in order.
    pub fn posted_to(&self, path: &str) -> Vec<Posted> {
        self.posted().into_iter().filter(|posted| posted.path == path).collect()
    }
}

impl Drop for Receiver {
    /// Also inside of another runtime, where none may be waited for.
    fn drop(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.shutdown_background();
        }
    }
}

fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(world): State<Arc<Mutex<World>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let answering = {
        let mut world = locked(&world);
        let verified = world.secrets.get(&path).map(|secret| verify(secret, &body, &headers));
        world.posted.push(posted(&path, &headers, &body, verified));
        match world.all.clone() {
            None => {
                let first = world.first.get_mut(&path).and_then(VecDeque::pop_front);
                first.or_else(|| world.always.get(&path).cloned())
            }
            all => all,
        }
    };
    match answering {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Answering::Status(code, words)) => (status(code), words).into_response(),
        Some(Answering::Wait(code, seconds)) => {
            (status(code), [(RETRY_AFTER, seconds.to_string())]).into_response()
        }
        Some(Answering::Redirect(to)) => (StatusCode::FOUND, [(LOCATION, to)]).into_response(),
        Some(Answering::Slow(time)) => {
            tokio::time::sleep(time).await;
            StatusCode::OK.into_response()
        }
        Some(Answering::Nonsense(bytes)) => {
            (StatusCode::OK, "\u{0}\u{1b}<".repeat(bytes / 3)).into_response()
        }
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::IM_A_TEAPOT)
}

fn verify(secret: &str, body: &[u8], headers: &HeaderMap) -> Result<(), String> {
    let webhook = Webhook::new(secret).map_err(|error| error.to_string())?;
    webhook.verify(body, headers).map_err(|error| error.to_string())
}

fn posted(path: &str, headers: &HeaderMap, body: &[u8], verified: Option<Result<(), String>>) -> Posted {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Posted {
        path: path.to_owned(),
        id: header("webhook-id").to_owned(),
        signatures: header("webhook-signature").split(' ').map(str::to_owned).collect(),
        text: String::from_utf8_lossy(body).into_owned(),
        body: serde_json::from_slice(body).unwrap_or_default(),
        verified,
    }
}
