//! Where Telegram brings updates: a listener that answers 200 once an update is committed.
//!
//! Invariant: nothing of a request is read before its secret was compared, in a time that does not tell how much of it was
//! right; and every answer but 200 makes Telegram bring the update again.

mod inbox;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, Method, Request, StatusCode},
};
pub(crate) use inbox::Inbox;
use runtime::{HostError, config::Telegram};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// Largest body that is read: a message with all that it answers.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest wait for a body, and for the commit: Telegram gives up after a minute.
const PATIENCE: Duration = Duration::from_secs(20);
/// Updates that wait; Telegram has no more on their way at once.
pub(crate) const WAITING_MAX: usize = 100;

/// Where updates are brought, and how those who bring them are known.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) secret: SecretString,
    pub(crate) listen: SocketAddr,
}

impl Settings {
    /// The settings of a webhook; none where updates are polled.
    pub(crate) fn of(telegram: &Telegram) -> Result<Option<Self>, HostError> {
        let Some(url) = telegram.webhook_url.clone() else { return Ok(None) };
        let secret = telegram.webhook_secret.clone().filter(|secret| is_secret(secret.expose_secret()));
        let secret = secret.ok_or_else(|| HostError::Start {
            what: "take updates by a webhook",
            why: "telegram.webhook_secret has to be 1 to 256 letters, digits, _ and -: give what nobody can guess in \
                  GISTMILL_TELEGRAM__WEBHOOK_SECRET"
                .to_owned(),
        })?;
        Ok(Some(Self { url, secret, listen: telegram.webhook_listen }))
    }
}

fn is_secret(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=256).contains(&text.len()) && text.bytes().all(is_fit)
}

/// An update that was brought. Dropping the sender lets Telegram bring it again.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) id: i64,
    pub(crate) update: Value,
    pub(crate) committed: oneshot::Sender<()>,
}

/// A listener, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Listener {
    arrivals: mpsc::Receiver<Arrival>,
    server: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Door {
    secret: SecretString,
    arrivals: mpsc::Sender<Arrival>,
}

impl Listener {
    pub(crate) async fn bind(settings: &Settings) -> std::io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let (sender, arrivals) = mpsc::channel(WAITING_MAX);
        let door = Door { secret: settings.secret.clone(), arrivals: sender };
        let router = Router::new().fallback(take).with_state(Arc::new(door));
        let server = tokio::spawn(async move {
            // It ends with the listener that it serves.
            axum::serve(listener, router).await.ok();
        });
        Ok((Self { arrivals, server }, address))
    }
}

async fn take(State(door): State<Arc<Door>>, request: Request<Body>) -> StatusCode {
    if !is_known(&door.secret, request.headers()) {
        return StatusCode::UNAUTHORIZED;
    }
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let body = match timeout(PATIENCE, to_bytes(request.into_body(), BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    let update: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(id) = update["update_id"].as_i64() else { return StatusCode::BAD_REQUEST };
    let (committed, answer) = oneshot::channel();
    if door.arrivals.try_send(Arrival { id, update, committed }).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match timeout(PATIENCE, answer).await {
        Ok(Ok(())) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn is_known(secret: &SecretString, headers: &HeaderMap) -> bool {
    let given = headers.get(SECRET_HEADER).map_or(&b""[..], |value| value.as_bytes());
    verify_slices_are_equal(given, secret.expose_secret().as_bytes()).is_ok()
}

#[cfg(test)]
mod tests;
