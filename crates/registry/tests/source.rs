//! The schema source against a loopback registry: what is remembered, what is asked again, and from which threads.
#![cfg(test)]

use registry::{Client, Options, RegistrySource};
use schemas::{SchemaSource, SchemaSourceError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    runtime::{Builder, Runtime},
};

const NOT_FOUND: &str = r#"{"error_code":40403,"message":"no schema of that id"}"#;

/// Answers the n-th request with the n-th answer, and every later one with the last.
struct Loopback {
    runtime: Runtime,
    address: String,
    requests: Arc<AtomicUsize>,
}

impl Loopback {
    fn serve(answers: &'static [(u16, &'static str)]) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = format!("http://{}/apis/ccompat/v7", listener.local_addr().expect("bound"));
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        runtime.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0_u8; 4096];
                let read = stream.read(&mut request).await.expect("a request");
                assert!(request[..read].starts_with(b"GET /apis/ccompat/v7/schemas/ids/"));
                let (status, body) = answers[counter.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).await.expect("written");
            }
        });
        Self { runtime, address, requests }
    }

    fn source(&self) -> RegistrySource {
        RegistrySource::new(client(&self.address), self.runtime.handle().clone())
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn client(address: &str) -> Client {
    Client::new(Options { timeout: Duration::from_secs(2), ..Options::new(address) }).expect("an address")
}

fn text(result: Result<Arc<str>, SchemaSourceError>) -> String {
    result.expect("a schema").to_string()
}

#[test]
fn a_schema_is_asked_for_once() {
    let registry = Loopback::serve(&[(200, r#"{"schema":"\"string\""}"#)]);
    let source = registry.source();
    assert_eq!(text(source.schema_by_id(7)), "\"string\"");
    assert_eq!(text(source.schema_by_id(7)), "\"string\"");
    assert_eq!(registry.requests(), 1);
}

#[test]
fn no_such_schema_is_never_remembered() {
    let registry = Loopback::serve(&[(404, NOT_FOUND), (200, r#"{"schema":"\"long\""}"#)]);
    let source = registry.source();
    assert!(matches!(source.schema_by_id(9), Err(SchemaSourceError::NotFound(9))));
    assert_eq!(text(source.schema_by_id(9)), "\"long\"");
    assert_eq!(registry.requests(), 2);
}

#[test]
fn everything_else_is_unavailable_or_denied_and_asked_again() {
    let registry = Loopback::serve(&[
        (404, "<html>no such page</html>"),
        (500, r#"{"error_code":50001,"message":"store is down"}"#),
        (401, ""),
        (200, "not json"),
        (200, r#"{"schema":"\"int\""}"#),
    ]);
    let source = registry.source();
    let mut messages = Vec::new();
    for _ in 0..4 {
        match source.schema_by_id(1) {
            Err(SchemaSourceError::Unavailable(message)) => messages.push(("unavailable", message)),
            Err(SchemaSourceError::Denied(message)) => messages.push(("denied", message)),
            other => panic!("neither unavailable nor denied: {other:?}"),
        }
    }
    let said = [
        ("unavailable", "Not Found"),
        ("unavailable", "500: store is down"),
        ("denied", "refused the log-in of a client without a user: Unauthorized; check registry.username"),
        ("unavailable", "is not a schema registry's"),
    ];
    for ((kind, message), (expected, words)) in messages.iter().zip(said) {
        assert!(*kind == expected && message.contains(words), "{kind}: {message}");
    }
    assert_eq!(text(source.schema_by_id(1)), "\"int\"");
}

#[test]
fn a_registry_that_does_not_answer_is_not_waited_for_and_not_asked_twice() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    // Longer than the test runs: what ends the first question is the source's patience alone.
    let client = Client::new(Options { timeout: Duration::from_hours(1), ..Options::new(&address) });
    let source = RegistrySource::new(client.expect("an address"), runtime.handle().clone());
    let source = source.with_patience(Duration::from_millis(1));
    let Err(SchemaSourceError::Unavailable(why)) = source.schema_by_id(7) else { panic!("answered") };
    assert_eq!(why, format!("no answer from {address}/ within 1ms"));
    runtime.block_on(async {
        let (mut stream, _) = listener.accept().await.expect("asked");
        assert!(stream.read(&mut [0_u8; 4096]).await.expect("a request") > 0);
        let body = r#"{"schema":"\"string\""}"#;
        let head = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.expect("written");
    });
    let schema = loop {
        if let Ok(schema) = source.schema_by_id(7) {
            break schema;
        }
    };
    assert_eq!(&*schema, "\"string\"");
    // The one connection that there was has given the answer: nobody waits to be accepted.
    let second = runtime.block_on(async { tokio::time::timeout(Duration::ZERO, listener.accept()).await });
    assert!(second.is_err(), "asked again");
}

#[test]
fn the_next_registry_is_asked_where_one_is_away() {
    let away = Loopback::serve(&[(503, "")]);
    let serving = Loopback::serve(&[(200, r#"{"schema":"\"long\""}"#)]);
    let addresses = format!("http://127.0.0.1:9,{},{}", away.address, serving.address);
    let source = RegistrySource::new(client(&addresses), serving.runtime.handle().clone());
    assert_eq!(text(source.schema_by_id(7)), "\"long\"");
    assert_eq!((away.requests(), serving.requests()), (1, 1));
}

#[test]
fn an_answer_is_not_asked_for_elsewhere() {
    for (answer, is_denied) in [(&[(404, NOT_FOUND)], false), (&[(401, "")], true)] {
        let (first, second) =
            (Loopback::serve(answer), Loopback::serve(&[(200, r#"{"schema":"\"long\""}"#)]));
        let client = client(&format!("{},{}", first.address, second.address));
        let source = RegistrySource::new(client, first.runtime.handle().clone());
        let answer = source.schema_by_id(7).expect_err("an answer");
        assert_eq!(matches!(answer, SchemaSourceError::Denied(_)), is_denied, "{answer:?}");
        assert_eq!(matches!(answer, SchemaSourceError::NotFound(7)), !is_denied, "{answer:?}");
        assert_eq!((first.requests(), second.requests()), (1, 0));
    }
}

#[test]
fn an_answer_without_a_schema_is_not_a_registrys() {
    let registry = Loopback::serve(&[(200, "{}"), (200, r#"{"schema":"\"int\""}"#)]);
    let source = registry.source();
    let message = source.schema_by_id(1).expect_err("no schema").to_string();
    let words =
        format!("could not read schema 1: the answer of {} is not a schema registry's", registry.address);
    assert!(message.contains(&words), "{message}");
    assert_eq!(text(source.schema_by_id(1)), "\"int\"");
}

#[test]
fn asking_inside_tokio_does_not_panic() {
    let registry = Loopback::serve(&[(200, r#"{"schema":"\"string\""}"#)]);
    let source = registry.source();
    let other = Builder::new_current_thread().enable_all().build().expect("runtime");
    assert_eq!(other.block_on(async { text(source.schema_by_id(3)) }), "\"string\"");
}

#[test]
fn a_registry_that_is_away_is_named() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let source = RegistrySource::new(client("http://ann:secret@127.0.0.1:9"), runtime.handle().clone());
    let message = source.schema_by_id(1).expect_err("nobody listens").to_string();
    assert!(message.contains("could not reach the schema registry at http://127.0.0.1:9/"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn a_runtime_that_is_gone_does_not_panic() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let source = RegistrySource::new(client("http://127.0.0.1:9"), runtime.handle().clone());
    drop(runtime);
    assert!(matches!(source.schema_by_id(1), Err(SchemaSourceError::Unavailable(_))));
}
