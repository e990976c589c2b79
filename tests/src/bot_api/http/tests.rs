use super::*;
use crate::{
    bot_api::{BotApi, Chat, Kind, Person},
    patience::{PATIENCE, eventually},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
};

const CHAT: i64 = -1001;

fn server() -> BotApi {
    let server = BotApi::start().expect("a server");
    server.add_chat(Chat::new(CHAT, Kind::Supergroup, "Garden"));
    server
}

/// Status and body of an answer; `None` where the connection was closed without one.
fn post(url: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let address = url.strip_prefix("http://").expect("HTTP");
    let mut stream = TcpStream::connect(address).expect("a connection");
    let length = body.len();
    write!(stream, "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    Some((status, body.to_owned()))
}

fn ask(server: &BotApi, method: &str, body: &Value) -> (u16, Value) {
    let path = format!("/bot{TOKEN}/{method}");
    let (status, body) = post(&server.url(), &path, &body.to_string()).expect("an answer");
    (status, serde_json::from_str(&body).expect("JSON"))
}

#[test]
fn a_token_is_checked_and_a_method_is_found_in_any_case() {
    let server = server();
    let (status, me) = ask(&server, "getme", &json!({}));
    assert_eq!((status, &me["result"]["is_bot"]), (200, &json!(true)));
    assert_eq!(post(&server.url(), "/bot1:other/getMe", "").expect("an answer").0, 401);
    assert_eq!(post(&server.url(), "/botnonsense/getMe", "").expect("an answer").0, 404);
    assert_eq!(ask(&server, "sendRichMessage", &json!({ "chat_id": CHAT })).0, 404);
    server.revoke(true);
    assert_eq!(ask(&server, "getMe", &json!({})).0, 401);
    assert_eq!(server.calls().len(), 5);
    assert!(!format!("{:?}", server.calls()).contains("AAloopback"), "no token is logged");
}

#[test]
fn a_call_is_logged_with_what_it_did_and_what_its_caller_was_told() {
    let server = server();
    let body = json!({ "chat_id": CHAT, "text": "a" });
    assert_eq!(ask(&server, "sendMessage", &body).0, 200);
    server.fault("sendMessage", Some(CHAT), Fault::CloseAfter);
    let path = format!("/bot{TOKEN}/sendMessage");
    assert_eq!(post(&server.url(), &path, &body.to_string()), None);
    server.fault("sendMessage", None, Fault::Close);
    assert_eq!(post(&server.url(), &path, &body.to_string()), None);
    let calls = server.calls_of("sendMessage");
    let told: Vec<bool> = calls.iter().map(|call| call.answer.is_some()).collect();
    assert_eq!(told, [true, false, false]);
    let deeds: Vec<Deed> = calls.into_iter().map(|call| call.deed).collect();
    let sent = |message| Deed::Sent { chat: CHAT, message };
    assert_eq!(deeds, [sent(1), sent(2), Deed::Nothing]);
    assert_eq!(server.posts(CHAT).len(), 2);
}

#[test]
fn every_fault_ends_a_call_as_it_says() {
    let server = server();
    let body = json!({ "chat_id": CHAT, "text": "a" }).to_string();
    let path = format!("/bot{TOKEN}/sendMessage");
    let html = Some(502);
    for (fault, status, stands) in [
        (Fault::Refuse(500, "Internal Server Error".to_owned()), Some(500), 0),
        (Fault::TooMany(35), Some(429), 0),
        (Fault::Html(502), html, 0),
        (Fault::Close, None, 0),
        (Fault::CloseAfter, None, 1),
        (Fault::HtmlAfter(504), Some(504), 1),
        (Fault::GarbageAfter("{".to_owned()), Some(200), 1),
        (Fault::SlowAfter(Duration::from_millis(1)), Some(200), 1),
        (Fault::Slow(Duration::from_millis(1)), Some(200), 1),
    ] {
        let before = server.posts(CHAT).len();
        server.fault("sendMessage", None, fault.clone());
        let answer = post(&server.url(), &path, &body);
        assert_eq!(answer.as_ref().map(|(status, _)| *status), status, "{fault:?}");
        assert_eq!(server.posts(CHAT).len() - before, stands, "{fault:?}");
        if fault == Fault::TooMany(35) {
            let body: Value = serde_json::from_str(&answer.expect("an answer").1).expect("JSON");
            assert_eq!(body["parameters"]["retry_after"], 35);
        }
    }
}

#[test]
fn a_poll_waits_for_an_update_and_ends_with_its_time() {
    let server = server();
    let (url, path) = (server.url(), format!("/bot{TOKEN}/getUpdates"));
    let poll = |body: Value| {
        let (url, path) = (url.clone(), path.clone());
        thread::spawn(move || post(&url, &path, &body.to_string()))
    };
    let waiting = poll(json!({ "timeout": 50 }));
    wait_for_poll(&server, 1);
    server.write(CHAT, &Person::new(7, "Ann"), json!({ "text": "hi" }));
    let (status, body) = waiting.join().expect("a poll").expect("an answer");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &body["result"][0]["message"]["text"]), (200, &json!("hi")));
    let next = body["result"][0]["update_id"].as_i64().expect("an id") + 1;
    let waiting = poll(json!({ "timeout": 50, "offset": next }));
    wait_for_poll(&server, 2);
    server.pass(Duration::from_secs(51));
    let (status, body) = waiting.join().expect("a poll").expect("an answer");
    assert_eq!((status, body.as_str()), (200, r#"{"ok":true,"result":[]}"#));
    assert_eq!(server.pending(), [] as [i64; 0]);
}

#[test]
fn a_second_poll_ends_the_first_and_a_webhook_ends_both() {
    let server = server();
    let (url, path) = (server.url(), format!("/bot{TOKEN}/getUpdates"));
    let poll = || {
        let (url, path) = (url.clone(), path.clone());
        thread::spawn(move || post(&url, &path, r#"{"timeout":50}"#))
    };
    let (first, second) = {
        let first = poll();
        wait_for_poll(&server, 1);
        (first, poll())
    };
    let (status, body) = first.join().expect("a poll").expect("an answer");
    assert_eq!(status, 409);
    assert!(body.contains("Conflict: terminated by other getUpdates request"), "{body}");
    assert_eq!(ask(&server, "setWebhook", &json!({ "url": "https://localhost/hook" })).0, 200);
    assert_eq!(second.join().expect("a poll").expect("an answer").0, 409);
    assert_eq!(ask(&server, "getWebhookInfo", &json!({})).1["result"]["url"], "https://localhost/hook");
    assert_eq!(ask(&server, "deleteWebhook", &json!({})).0, 200);
    assert_eq!(ask(&server, "getUpdates", &json!({})).0, 200);
}

fn wait_for_poll(server: &BotApi, number: u64) {
    let here = || Ok((server.shared.world().poll == number).then_some(()));
    eventually("a poll to wait", PATIENCE, here).expect("a poll");
}
