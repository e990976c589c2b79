//! A call has one answer, or says whether it left; and nothing tells the token.

use super::*;
use ::tests::bot_api::{BotApi, Fault, TOKEN};
use serde_json::{Value, json};

const BOUNDS: Bounds = Bounds { timeout: Duration::from_secs(20), bytes_max: 400 };

fn client(token: &str, api: &str) -> Client {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let settings = Telegram { token: Some(token.into()), api: api.to_owned(), ..Telegram::default() };
    Client::new(&settings, Connections::Fresh).expect("a client")
}

/// The server has a runtime of its own, so that it is made and dropped outside this one.
fn run(test: impl AsyncFnOnce(&BotApi)) {
    let server = BotApi::start().expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(test(&server));
}

#[test]
fn a_call_says_what_was_answered_or_whether_it_left() {
    run(async |server| {
        let client = client(TOKEN, &server.url());
        let reply = client.call("getMe", &json!({}), BOUNDS).await.expect("an answer");
        let body = reply.body.expect("whole");
        let envelope: Envelope<Value> = serde_json::from_slice(&body).expect("an envelope");
        assert_eq!((reply.status, envelope.ok), (StatusCode::OK, true));
        assert_eq!(client.id().ok(), envelope.result.and_then(|me| me["id"].as_u64()));

        let small = Bounds { bytes_max: 4, ..BOUNDS };
        let reply = client.call("getMe", &json!({}), small).await.expect("an answer");
        assert_eq!(reply.body, Err("its answer is too long".to_owned()));

        server.fault("getMe", None, Fault::CloseAfter);
        let lost = client.call("getMe", &json!({}), BOUNDS).await;
        assert!(matches!(lost, Err(CallError::Lost(_))), "{lost:?}");
    });
}

#[test]
fn what_has_not_left_says_so_and_nothing_tells_the_token() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Nobody listens at port 1; the other two are no addresses.
    for api in ["http://127.0.0.1:1", "nonsense", "http://"] {
        let client = client("123456:AAsecret", api);
        let failed = runtime.block_on(client.call("getMe", &json!({}), BOUNDS));
        assert!(matches!(failed, Err(CallError::NotSent(_))), "{failed:?}");
        let shown = format!("{failed:?} {client:?}");
        assert!(!shown.contains("secret") && !shown.contains("123456"), "{shown}");
    }
    assert!(client("nonsense", "http://127.0.0.1:1").id().is_err());
}
