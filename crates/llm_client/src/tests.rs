//! The client against providers on the loopback address.

mod hedges;
mod keys;
mod moderation;
mod provider;
mod streams;

use super::*;
use llm::Turn;
use provider::{Act, Provider};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::timeout;

const KEY: &str = "hunter2-key";

fn variable(name: &str) -> Option<String> {
    (name == "KEY").then(|| KEY.to_owned())
}

/// A client of providers of these dialects, asked in this order by the stage `writer`; what is added holds for each.
fn client(providers: &[(&str, &Provider)], added: &str) -> Client {
    client_of(providers, added, "")
}

/// The same with settings of the section.
fn client_of(providers: &[(&str, &Provider)], added: &str, section: &str) -> Client {
    let entry = |(at, (dialect, provider)): (usize, &(&str, &Provider))| {
        let url = &provider.url;
        format!(
            "[[providers]]\nname = 'p{at}'\ndialect = '{dialect}'\nurl = '{url}'\nmodel = 'm{at}'\nkey_env = 'KEY'\n\
             oauth_url = '{url}/oauth'\n{added}\n"
        )
    };
    let entries: String = providers.iter().enumerate().map(entry).collect();
    let names: Vec<String> = (0..providers.len()).map(|at| format!("'p{at}'")).collect();
    let text = format!("{section}\n{entries}[chains]\nwriter = [{}]\n", names.join(", "));
    Client::from_settings(&toml::from_str(&text).unwrap(), &variable).unwrap().unwrap()
}

fn question() -> ChatRequest {
    ChatRequest {
        system: "sesame".to_owned(),
        user: vec![Turn::user("sesame")],
        schema: None,
        max_output_tokens: 100,
        temperature: None,
    }
}

async fn asked(client: &Client) -> Result<Answered, Exhausted> {
    client.complete("writer", &question(), Duration::from_secs(30), &Unwitnessed).await
}

fn outcomes(attempts: &[Attempt]) -> Vec<&'static str> {
    attempts.iter().map(Attempt::outcome).collect()
}

fn status(status: u16) -> Act {
    Act::Status(status, &[], r#"{"error":{"message":"sesame hunter2-key"}}"#.to_owned())
}

#[tokio::test]
async fn each_dialect_is_asked_at_its_path_with_its_key() {
    for (dialect, path) in
        [("openai", "/chat/completions"), ("anthropic", "/messages"), ("gigachat", "/chat/completions")]
    {
        let provider = Provider::start([]).await;
        let answered = asked(&client(&[(dialect, &provider)], "")).await.unwrap();
        assert_eq!((answered.completion.text.as_str(), answered.provider.as_str()), ("ok", "p0"));
        let [attempt] = &answered.attempts[..] else { panic!("one attempt") };
        let usage = Some(Usage { input_tokens: 5, output_tokens: 2, cached_tokens: 0 });
        assert_eq!((attempt.outcome(), attempt.usage, attempt.model.as_str()), ("ok", usage, "m0"));
        let calls = provider.calls();
        let call = calls.last().unwrap();
        assert_eq!((call.path.as_str(), call.body["model"].as_str()), (path, Some("m0")));
        let bearer = call.authorization.as_deref();
        match dialect {
            "openai" => assert_eq!(bearer, Some("Bearer hunter2-key")),
            "anthropic" => assert_eq!((bearer, call.key.as_deref()), (None, Some(KEY))),
            _ => {
                assert_eq!(bearer, Some("Bearer token1"));
                assert_eq!(calls[0].authorization.as_deref(), Some("Basic hunter2-key"));
                assert_eq!(calls[0].body, serde_json::json!("scope=GIGACHAT_API_PERS"));
                let id: uuid::Uuid = calls[0].request_id.as_deref().unwrap().parse().unwrap();
                assert_eq!(id.get_version_num(), 4);
            }
        }
    }
}

#[tokio::test]
async fn each_fault_has_its_name_and_the_next_in_the_chain_is_asked() {
    let html = || Act::Status(200, &[("content-type", "text/html")], "<html>busy</html>".to_owned());
    let location = &[("location", "/elsewhere")];
    for (act, outcome) in [
        (status(500), "server_error"),
        (status(401), "unauthorized"),
        (status(404), "no_such_model"),
        (status(400), "bad_request"),
        (status(402), "no_credit"),
        (Act::Status(302, location, String::new()), "wrong_address"),
        (html(), "malformed"),
        (Act::Status(200, &[], "[".repeat(100_000)), "malformed"),
        (Act::Status(200, &[], " ".repeat(5 << 20)), "too_large"),
        (status(200), "error_inside"),
        (Act::Answer(" "), "malformed"),
        (Act::Cut, "broken"),
        (
            Act::Events("data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n".to_owned()),
            "unfinished",
        ),
        (Act::Endless, "too_large"),
        (Act::Status(429, &[("retry-after", "3600")], String::new()), "rate_limited"),
        (Act::Status(503, &[("retry-after", "3600")], String::new()), "overloaded"),
    ] {
        let first = Provider::start([act.clone()]).await;
        let second = Provider::start([]).await;
        let answered = asked(&client(&[("openai", &first), ("anthropic", &second)], "")).await.unwrap();
        assert_eq!(
            (answered.provider.as_str(), outcomes(&answered.attempts)),
            ("p1", vec![outcome, "ok"]),
            "{act:?}"
        );
        assert_eq!(
            (first.paths(), second.paths().len()),
            (vec!["/chat/completions".to_owned()], 1),
            "{act:?}"
        );
        let shown = format!("{answered:?}");
        assert!(
            !shown.contains("sesame") && !shown.contains("hunter2") && !shown.contains("http://"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn nothing_is_sent_twice_where_it_may_have_been_answered() {
    for act in [Act::Cut, status(500), Act::Answer("")] {
        let provider = Provider::start([act]).await;
        let exhausted = asked(&client(&[("openai", &provider)], "")).await.unwrap_err();
        assert_eq!((exhausted.attempts.len(), provider.calls().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_wait_that_is_over_at_once_is_kept_and_the_same_is_asked_again() {
    let past = &[("retry-after", "Fri, 06 Nov 1998 08:49:37 GMT")];
    for headers in [&[("retry-after", "0")], past] {
        let provider = Provider::start([Act::Status(429, headers, String::new())]).await;
        let answered = asked(&client(&[("openai", &provider)], "")).await.unwrap();
        assert_eq!(outcomes(&answered.attempts), ["rate_limited", "ok"]);
    }
    // Twice is enough.
    let limited = || Act::Status(429, &[("retry-after", "0")], String::new());
    let provider = Provider::start([limited(), limited()]).await;
    let exhausted = asked(&client(&[("openai", &provider)], "")).await.unwrap_err();
    assert_eq!((exhausted.reason, provider.calls().len()), ("rate_limited", 2));
}

#[tokio::test]
async fn who_hangs_is_given_up_at_the_deadline_and_who_is_not_there_at_once() {
    let provider = Provider::start([Act::Hang, Act::Hang]).await;
    let hanging = client(&[("openai", &provider), ("openai", &provider)], "");
    let exhausted =
        hanging.complete("writer", &question(), Duration::from_millis(200), &Unwitnessed).await.unwrap_err();
    assert_eq!((exhausted.reason, outcomes(&exhausted.attempts)), ("deadline", vec!["timeout"]));
    let mut gone = provider.clone();
    gone.url = "http://127.0.0.1:9".to_owned();
    let there = Provider::start([]).await;
    let answered = asked(&client(&[("openai", &gone), ("openai", &there)], "")).await.unwrap();
    assert_eq!(outcomes(&answered.attempts), ["unreachable", "unreachable", "ok"]);
    assert!(answered.attempts[0].detail.as_ref().is_some_and(|detail| !detail.contains("127.0.0.1:9/")));
}

#[tokio::test]
async fn a_token_is_fetched_once_for_all_and_once_more_when_it_is_refused() {
    let provider = Provider::start([]).await;
    let client = client(&[("gigachat", &provider)], "max_concurrent = 8");
    let calls = (0..8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { asked(&client).await.map(|answered| answered.attempts.len()) })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), Ok(1));
    }
    let of_tokens = |provider: &Provider| provider.paths().iter().filter(|path| *path == "/oauth").count();
    assert_eq!((of_tokens(&provider), provider.calls().len()), (1, 9));
    // Revoked in the midst: one attempt, two requests, nothing is generated twice.
    provider.revoke();
    assert_eq!(asked(&client).await.unwrap().attempts.len(), 1);
    assert_eq!((of_tokens(&provider), provider.calls().len()), (2, 12));
    // Good for no time by its own word: it serves the call that fetched it, and each fetches its own.
    provider.revoke();
    provider.tokens_end_at(0);
    assert!(asked(&client).await.is_ok() && asked(&client).await.is_ok());
    assert_eq!(of_tokens(&provider), 4);
}

/// Notes what it is told, and refuses after so many.
struct Notes {
    begun: AtomicUsize,
    ended: Mutex<Vec<(&'static str, Option<Usage>)>>,
    allowed: usize,
    provider: Provider,
}

impl Witness for Notes {
    async fn begin(&self, begun: Begun<'_>) -> Result<(), Refusal> {
        let before = self.begun.fetch_add(1, Ordering::SeqCst);
        assert_eq!((begun.attempts, self.provider.calls().len()), (before, before), "told before it is sent");
        assert!(begun.tokens > 100);
        if before < self.allowed { Ok(()) } else { Err(Refusal { reason: "quota", tries_next: false }) }
    }

    async fn end(&self, attempt: &Attempt) {
        self.ended.lock().unwrap().push((attempt.outcome(), attempt.usage));
    }
}

#[tokio::test]
async fn the_witness_is_told_before_and_after_and_may_refuse() {
    let provider = Provider::start([status(500), status(500)]).await;
    let client = client(&[("openai", &provider), ("openai", &provider), ("openai", &provider)], "");
    let notes =
        Notes { begun: AtomicUsize::new(0), ended: Mutex::default(), allowed: 2, provider: provider.clone() };
    let exhausted =
        client.complete("writer", &question(), Duration::from_secs(30), &notes).await.unwrap_err();
    assert_eq!((exhausted.reason, provider.calls().len()), ("quota", 2));
    assert_eq!(*notes.ended.lock().unwrap(), [("server_error", None), ("server_error", None)]);
}

#[tokio::test]
async fn a_call_that_is_dropped_makes_room_for_the_next() {
    let provider = Provider::start([Act::Hang]).await;
    let client = client(&[("openai", &provider)], "max_concurrent = 1");
    let (first, second) = (asked(&client), asked(&client));
    let mut first = Box::pin(first);
    // The first is on its way once the provider has it.
    while provider.calls().is_empty() {
        assert!(timeout(Duration::from_millis(1), &mut first).await.is_err());
    }
    let second = tokio::spawn({
        let client = client.clone();
        drop(second);
        async move { asked(&client).await.map(|answered| answered.completion.text) }
    });
    tokio::task::yield_now().await;
    drop(first);
    assert_eq!(second.await.unwrap(), Ok("ok".to_owned()));
}

#[test]
fn settings_without_a_chain_ask_nobody_and_wrong_ones_are_named() {
    let settings = |text: &str| toml::from_str::<Settings>(text).unwrap();
    assert!(Client::from_settings(&settings(""), &variable).unwrap().is_none());
    let unknown = Client::from_settings(&settings("[chains]\nwriter = ['pro']"), &variable).unwrap_err();
    assert!(unknown.to_string().contains("llm.chains.writer names \"pro\""), "{unknown}");
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let text = "[[providers]]\nname = 'p'\ndialect = 'openai'\nmodel = 'm'\nkey_env = 'KEY'\nca_file = '/nowhere.pem'\n\
        [chains]\nwriter = ['p']\n";
    let error = Client::from_settings(&settings(text), &variable).unwrap_err().to_string();
    assert!(error.contains("llm.providers.p.ca_file: could not use /nowhere.pem"), "{error}");
    let client =
        Client::from_settings(&settings(&text.replace("ca_file", "# ")), &variable).unwrap().unwrap();
    assert_eq!((client.models("writer"), client.asks("mood")), (vec!["p/m".to_owned()], false));
    assert!(!format!("{client:?}").contains("hunter2"));
}
