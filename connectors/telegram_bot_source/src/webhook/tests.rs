use super::*;
use crate::{position::BotPosition, seen::Seen};
use runtime::Position;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SECRET: &str = "a-secret_of-the-tests";

async fn open() -> (Inbox, SocketAddr) {
    let settings = Settings {
        url: "https://chat.example/updates".to_owned(),
        secret: SecretString::from(SECRET),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
    };
    let mut inbox = Inbox::new(settings);
    let address = inbox.open().await.expect("a free port");
    (inbox, address.expect("opened now"))
}

/// Sends a request; gives the status that is answered.
async fn send(address: SocketAddr, method: &str, secret: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(address).await.expect("listens");
    let length = body.len();
    let head = format!(
        "{method} /updates HTTP/1.1\r\nhost: chat\r\nconnection: close\r\n{SECRET_HEADER}: {secret}\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    // Who is refused before its body was read may find the connection closed.
    stream.write_all(body.as_bytes()).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8_lossy(&answer).get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default()
}

fn brought(address: SocketAddr, id: i64) -> JoinHandle<u16> {
    let body = json!({ "update_id": id, "message": { "message_id": 1, "chat": { "id": -1 } } }).to_string();
    tokio::spawn(async move { send(address, "POST", SECRET, &body).await })
}

/// Receives until `count` updates were read.
async fn receive(inbox: &mut Inbox, seen: &Seen, count: usize) {
    let mut found = 0;
    while found < count {
        found += inbox.receive(seen, 100, Duration::from_secs(20)).await.0.len();
    }
}

fn position(text: &str) -> Position {
    Position(text.to_owned())
}

#[tokio::test]
async fn who_does_not_know_the_secret_is_refused_before_anything_is_read() {
    let (mut inbox, address) = open().await;
    for secret in ["", "a", "a-secret_of-the-testS", "a-secret_of-the-tests-and-more"] {
        assert_eq!(send(address, "POST", secret, "no json").await, 401, "{secret:?}");
    }
    assert_eq!(send(address, "GET", SECRET, "").await, 405);
    assert_eq!(send(address, "POST", SECRET, "no json").await, 400);
    assert_eq!(send(address, "POST", SECRET, "{\"update_id\": \"seven\"}").await, 400);
    let (updates, is_drained) = inbox.receive(&Seen::default(), 100, Duration::ZERO).await;
    assert!(updates.is_empty() && is_drained);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let (_inbox, address) = open().await;
    let body = "x".repeat(BODY_BYTES_MAX + 1);
    assert_eq!(send(address, "POST", SECRET, &body).await, 413);
}

#[tokio::test]
async fn an_update_is_answered_once_its_position_is_committed() {
    let (mut inbox, address) = open().await;
    let waiting = [brought(address, 8), brought(address, 7)];
    receive(&mut inbox, &Seen::default(), 2).await;
    assert!(waiting.iter().all(|one| !one.is_finished()), "answered before the commit");
    inbox.give(&position("after"));
    inbox.settle(Some(&position("after")));
    for one in waiting {
        assert_eq!(one.await.expect("sent"), 200);
    }
}

#[tokio::test]
async fn an_update_that_was_not_committed_is_let_go_and_brought_again() {
    let (mut inbox, address) = open().await;
    for committed in [None, Some(position("before"))] {
        let waiting = brought(address, 7);
        receive(&mut inbox, &Seen::default(), 1).await;
        inbox.give(&position("after"));
        inbox.settle(committed.as_ref());
        assert_eq!(waiting.await.expect("sent"), 503);
    }
    let waiting = brought(address, 7);
    receive(&mut inbox, &Seen::default(), 1).await;
    // The call that read it failed: nothing was given.
    inbox.settle(None);
    assert_eq!(waiting.await.expect("sent"), 503);
}

#[tokio::test]
async fn an_update_that_was_read_before_is_answered_at_once_and_not_read() {
    let (mut inbox, address) = open().await;
    let mut seen = Seen::default();
    seen.add(7);
    let (known, new) = (brought(address, 7), brought(address, 8));
    receive(&mut inbox, &seen, 1).await;
    // Whichever comes first, the known one is never among those that wait for a commit.
    while !known.is_finished() {
        inbox.receive(&seen, 100, Duration::from_millis(10)).await;
    }
    assert_eq!(known.await.expect("sent"), 200);
    assert!(!new.is_finished());
    inbox.give(&position("after"));
    inbox.settle(Some(&position("after")));
    assert_eq!(new.await.expect("sent"), 200);
}

#[tokio::test]
async fn an_update_that_is_brought_twice_at_once_is_read_once() {
    let (mut inbox, address) = open().await;
    let waiting = [brought(address, 7), brought(address, 7), brought(address, 9)];
    receive(&mut inbox, &Seen::default(), 2).await;
    while inbox.awaiting() < 3 {
        assert_eq!(inbox.receive(&Seen::default(), 100, Duration::from_secs(20)).await.0.len(), 0);
    }
    let (before, mut turned) =
        (BotPosition { next: Some(5), ..BotPosition::default() }, crate::turn::Turned::default());
    inbox.position(&before, &mut turned);
    let after = &turned.position;
    assert_eq!(after.next, None, "polls begin anew");
    assert_eq!([4, 5, 7, 8, 9].map(|id| after.seen.contains(id)), [true, false, true, false, true]);
    inbox.give(&position("after"));
    inbox.settle(Some(&position("after")));
    for one in waiting {
        assert_eq!(one.await.expect("sent"), 200);
    }
}

#[test]
fn a_webhook_needs_a_secret_that_telegram_takes() {
    let settings = |url: Option<&str>, secret: Option<&str>| {
        let telegram = Telegram {
            webhook_url: url.map(str::to_owned),
            webhook_secret: secret.map(SecretString::from),
            ..Telegram::default()
        };
        Settings::of(&telegram).map(|found| found.is_some()).map_err(|error| error.to_string())
    };
    let url = Some("https://chat.example/updates");
    assert_eq!(settings(None, None), Ok(false));
    assert_eq!(settings(url, Some(SECRET)), Ok(true));
    for secret in [None, Some(""), Some("with space"), Some("ключ")] {
        let error = settings(url, secret).expect_err("no secret");
        assert!(error.contains("telegram.webhook_secret has to be 1 to 256 letters"), "{error}");
    }
    let long = "x".repeat(257);
    assert!(settings(url, Some(&long)).is_err());
}
