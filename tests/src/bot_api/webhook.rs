//! Calls to a webhook: each update by itself, several at once, the newest first, and again until it is answered 200.

use super::{Answer, Call, Deed, Shared};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How often it is looked whether there is something to bring, where no news comes.
const LOOK: Duration = Duration::from_millis(100);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// Updates on their way at once.
const CONNECTIONS_MAX: usize = 40;
/// The name under which a call to the webhook is kept among the calls.
pub(crate) const WEBHOOK: &str = "(webhook)";

/// Brings updates for as long as the runtime lives that it runs on.
pub(crate) async fn bring(shared: Arc<Shared>) {
    let mut news = shared.news();
    loop {
        let (url, secret, offered) = {
            let mut world = shared.world();
            let now = world.clock.now();
            let limit = if world.webhook.is_empty() { 0 } else { CONNECTIONS_MAX };
            (world.webhook.clone(), world.webhook_secret.clone(), world.updates.offer(limit, now))
        };
        for (id, update) in offered {
            let (shared, url, secret) = (Arc::clone(&shared), url.clone(), secret.clone());
            tokio::spawn(async move {
                let answer = timeout(PATIENCE, post(&url, &secret, &update)).await;
                let status = answer.ok().and_then(Result::ok).flatten();
                shared.world().brought(id, update, status);
                shared.wake();
            });
        }
        // The clock moves, and what was refused is brought again, without news.
        if timeout(LOOK, news.changed()).await.is_err() {
            shared.world().updates.offer_again();
        }
    }
}

/// Posts an update; gives the status that is answered, or nothing where something else is.
async fn post(url: &str, secret: &str, update: &Value) -> std::io::Result<Option<u16>> {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap_or((url, ""));
    let body = update.to_string();
    let mut stream = TcpStream::connect(host).await?;
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         x-telegram-bot-api-secret-token: {secret}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).get(9..12).and_then(|status| status.parse().ok()))
}

impl super::world::World {
    fn brought(&mut self, id: i64, update: Value, status: Option<u16>) {
        let is_taken = status == Some(200);
        self.updates.answered(id, is_taken);
        self.webhook_error = match status {
            Some(200) => String::new(),
            Some(status) => format!("Wrong response from the webhook: {status}"),
            None => "Connection refused".to_owned(),
        };
        let deed = if is_taken { Deed::Gave(vec![id]) } else { Deed::Nothing };
        let answer = is_taken.then(|| Answer::Ok(true.into()));
        self.calls.push(Call { method: WEBHOOK.to_owned(), body: update, chat: None, deed, answer });
    }
}
