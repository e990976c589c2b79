//! The client against a server on the loopback address.

use super::*;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// What the server is asked, and what it answers first.
#[derive(Default)]
struct Peer {
    asked: Vec<(Value, Option<String>)>,
    first: Vec<Response>,
}

type Shared = Arc<Mutex<Peer>>;

async fn answer(State(peer): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    let mut peer = peer.lock().unwrap();
    let key = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    peer.asked.push((body.clone(), key));
    if !peer.first.is_empty() {
        return peer.first.remove(0);
    }
    let length = |text: &Value| text.as_str().unwrap().len() as f64;
    let texts = body["input"].as_array().unwrap().iter().enumerate();
    let data: Vec<Value> =
        texts.map(|(index, text)| json!({"index": index, "embedding": [length(text), 1.0]})).collect();
    json!({ "data": data }).to_string().into_response()
}

/// A client and its server, which gives these answers first and then a text's length.
async fn client(first: Vec<Response>) -> (EmbeddingsClient, Shared) {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let peer = Arc::new(Mutex::new(Peer { first, ..Peer::default() }));
    let router = Router::new().route("/v1/embeddings", post(answer)).with_state(Arc::clone(&peer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let options = Options {
        url,
        api_key: Some("hunter2".into()),
        model: "small".to_owned(),
        dimension: 2,
        batch_max: 2,
        timeout: Duration::from_secs(5),
    };
    (EmbeddingsClient::new(options).unwrap(), peer)
}

fn busy(status: StatusCode) -> Response {
    (status, [("retry-after", "0")]).into_response()
}

#[tokio::test]
async fn texts_go_in_one_request_with_model_and_key() {
    let (client, peer) = client(Vec::new()).await;
    let vectors = client.embed(&["a", "bcd"]).await.unwrap();
    assert_eq!(vectors, [[1.0, 1.0], [3.0, 1.0]]);
    let (body, key) = peer.lock().unwrap().asked[0].clone();
    assert_eq!((body["model"].as_str(), key.as_deref()), (Some("small"), Some("Bearer hunter2")));
}

#[tokio::test]
async fn a_busy_endpoint_is_asked_again_and_one_that_stays_busy_is_away() {
    let (few, peer) = client(vec![busy(StatusCode::TOO_MANY_REQUESTS), busy(StatusCode::BAD_GATEWAY)]).await;
    assert_eq!(few.embed(&["abc"]).await, Ok(vec![vec![3.0, 1.0]]));
    assert_eq!(peer.lock().unwrap().asked.len(), 3);
    let (many, peer) = client((0..9).map(|_| busy(StatusCode::TOO_MANY_REQUESTS)).collect()).await;
    let error = many.embed(&["abc"]).await.unwrap_err();
    assert!(error.is_passing() && error.to_string().contains("429"), "{error}");
    assert_eq!(peer.lock().unwrap().asked.len(), 4);
    // It does not wait for an hour.
    let later = (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "3600")]).into_response();
    let (patient, peer) = client(vec![later]).await;
    assert!(patient.embed(&["abc"]).await.unwrap_err().is_passing());
    assert_eq!(peer.lock().unwrap().asked.len(), 1);
}

#[tokio::test]
async fn what_will_not_get_better_is_said_at_once_without_the_key() {
    for (status, named) in [
        (StatusCode::UNAUTHORIZED, "embedding.api_key"),
        (StatusCode::NOT_FOUND, "embedding.url"),
        (StatusCode::FOUND, "302"),
        (StatusCode::BAD_REQUEST, "refuses the texts"),
    ] {
        let (client, peer) = client(vec![status.into_response()]).await;
        let error = client.embed(&["abc"]).await.unwrap_err();
        assert!(!error.is_passing() && error.to_string().contains(named), "{error}");
        assert!(!format!("{error:?} {client:?}").contains("hunter2"));
        assert_eq!(peer.lock().unwrap().asked.len(), 1);
    }
}

#[tokio::test]
async fn an_answer_of_nothing_but_brackets_or_of_html_is_named() {
    for text in
        ["[".repeat(100_000), format!("{{\"data\": {}", "[".repeat(100_000)), "<html>busy</html>".to_owned()]
    {
        let (client, peer) = client(vec![text.into_response()]).await;
        let error = client.embed(&["abc"]).await.unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
        assert_eq!(peer.lock().unwrap().asked.len(), 1);
    }
}

#[tokio::test]
async fn an_endpoint_that_changes_its_dimension_is_named_and_nothing_is_taken() {
    let other = json!({"data": [{"embedding": [1.0, 2.0, 3.0]}]}).to_string().into_response();
    let (client, _) = client(vec![other]).await;
    let error = client.embed(&["abc"]).await.unwrap_err();
    assert_eq!(error, Error::Dimension { wanted: 2, given: 3 });
}
