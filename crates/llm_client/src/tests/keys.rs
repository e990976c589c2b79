//! Keys of tenants: used instead of ours, and checked before they are kept.

use super::*;

#[tokio::test]
async fn a_key_of_the_tenants_own_is_used_instead_and_what_it_meets_is_its_own() {
    let own = |key: &str| [("p0".to_owned(), SecretString::from(key))].into();
    let provider = Provider::start([]).await;
    let ours = client(&[("openai", &provider)], "");
    let answered = asked(&ours.with_keys(own("theirs"))).await.unwrap();
    assert!(answered.attempts[0].has_own_key);
    assert_eq!(provider.calls()[0].authorization.as_deref(), Some("Bearer theirs"));
    let provider = Provider::start([status(401)]).await;
    let ours = client(&[("openai", &provider)], "");
    assert_eq!(asked(&ours.with_keys(own("revoked"))).await.unwrap_err().reason, "unauthorized");
    assert!(!asked(&ours).await.unwrap().attempts[0].has_own_key);
    let provider = Provider::start([]).await;
    let ours = client(&[("gigachat", &provider)], "");
    assert!(asked(&ours).await.is_ok() && asked(&ours.with_keys(own("theirs"))).await.is_ok());
    let keys: Vec<_> = provider.calls().into_iter().filter(|call| call.path == "/oauth").collect();
    let keys: Vec<_> = keys.iter().filter_map(|call| call.authorization.as_deref()).collect();
    assert_eq!(keys, ["Basic hunter2-key", "Basic theirs"]);
}

#[tokio::test]
async fn a_key_is_checked_by_asking_for_one_token() {
    let settings = |provider: &Provider| {
        let text = format!(
            "[[providers]]\nname = 'p'\ndialect = 'anthropic'\nurl = '{}'\nmodel = 'm'\n",
            provider.url
        );
        toml::from_str::<Settings>(&text).unwrap()
    };
    let key = SecretString::from(KEY);
    let provider = Provider::start([Act::Answer(""), status(401)]).await;
    assert_eq!(check_key(&settings(&provider), "p", &key).await, Ok(()));
    let call = provider.calls().remove(0);
    assert_eq!((call.key.as_deref(), &call.body["max_tokens"]), (Some(KEY), &serde_json::json!(1)));
    let error = check_key(&settings(&provider), "p", &key).await.unwrap_err().to_string();
    assert_eq!(error, "could not check the key with p: the provider does not take the key");
    let error = check_key(&settings(&provider), "q", &key).await.unwrap_err().to_string();
    assert_eq!(error, "the settings have no provider \"q\" (llm.providers: p)");
}
