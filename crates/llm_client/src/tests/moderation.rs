//! The provider of moderation: asked for all texts at once, with the key and authorities of its namesake, and in nobody's way.

use super::*;
use llm::dialect::moderation::judged;

const JUDGED_BY_FIRST: &str = "moderation = { provider = 'p0', model = 'omni', timeout_s = 5 }";

async fn judge(client: &Client, texts: &[&str]) -> Result<Answered, Exhausted> {
    let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
    client.moderate(&texts, Duration::from_secs(5), &Unwitnessed).await
}

#[tokio::test]
async fn texts_are_judged_together_by_the_provider_that_is_named() {
    let (one, two) = (Provider::start([]).await, Provider::start([]).await);
    let client = client_of(&[("openai", &one), ("openai", &two)], "stream = true", JUDGED_BY_FIRST);
    assert_eq!(client.moderator().as_deref(), Some("p0/omni"));
    assert_eq!(client.models("writer"), ["p0/m0", "p1/m1"], "it is in no stage's chain");
    let answered = judge(&client, &["We meet on Friday.", "I kill the process."]).await.unwrap();
    let categories = judged(&answered.completion.text).unwrap();
    assert_eq!(categories, [vec![], vec!["violence".to_owned()]]);
    let [attempt] = &answered.attempts[..] else { panic!("one attempt") };
    let told = (attempt.provider.as_str(), attempt.model.as_str(), attempt.usage, attempt.is_unknown());
    assert_eq!(told, ("p0", "omni", None, false));
    let calls = one.calls();
    assert_eq!((calls[0].path.as_str(), calls.len(), two.calls().len()), ("/moderations", 1, 0));
    assert_eq!(calls[0].body["model"], serde_json::json!("omni"));
    assert_eq!(calls[0].authorization.as_deref(), Some("Bearer hunter2-key"));
    let own = client.with_keys([("p0".to_owned(), "own".into())].into());
    assert!(judge(&own, &["a"]).await.unwrap().attempts[0].has_own_key);
    assert_eq!(one.calls()[1].authorization.as_deref(), Some("Bearer own"));
}

#[tokio::test]
async fn each_fault_of_it_has_its_name() {
    let broken = |body: &str| Act::Status(200, &[], body.to_owned());
    for (act, reason) in [
        (status(500), "server_error"),
        (status(401), "unauthorized"),
        (status(404), "no_such_model"),
        (status(200), "error_inside"),
        (broken("<html>"), "malformed"),
        (broken(r#"{"results":[{"flagged":false},{"flagged":false}]}"#), "malformed"),
        (broken(r#"{"results":[{"categories":{}}]}"#), "malformed"),
        (Act::Cut, "broken"),
        (Act::Status(200, &[], " ".repeat(5 << 20)), "too_large"),
    ] {
        let provider = Provider::start([act.clone()]).await;
        let client = client_of(&[("openai", &provider)], "", JUDGED_BY_FIRST);
        let exhausted = judge(&client, &["a"]).await.unwrap_err();
        assert_eq!((exhausted.reason, provider.calls().len()), (reason, 1), "{act:?}");
    }
}

/// A key that may not moderate, or an address that has no such path, does not keep the provider from answering.
#[tokio::test]
async fn what_it_meets_stands_in_the_way_of_no_answer() {
    let provider = Provider::start([status(404)]).await;
    let client = client_of(&[("openai", &provider)], "", JUDGED_BY_FIRST);
    assert_eq!(judge(&client, &["a"]).await.unwrap_err().reason, "no_such_model");
    assert_eq!(
        judge(&client, &["a"]).await.unwrap_err().reason,
        "breaker_open",
        "it is left alone for a while"
    );
    assert_eq!(asked(&client).await.unwrap().completion.text, "ok");
    assert_eq!(provider.paths(), ["/moderations", "/chat/completions"]);
}

#[tokio::test]
async fn nobody_judges_where_nobody_is_set() {
    let provider = Provider::start([]).await;
    let client = client(&[("openai", &provider)], "");
    assert_eq!(client.moderator(), None);
    assert_eq!(judge(&client, &["a"]).await.unwrap_err().reason, "no_provider");
    assert_eq!(provider.calls().len(), 0);
}
