//! What settings mean, and how those that cannot work are named.

use super::*;
use llm::dialect::{JsonMode, LimitField};
use secrecy::ExposeSecret;

fn settings(text: &str) -> ProviderSettings {
    toml::from_str(text).unwrap()
}

const PRO: &str = "name = 'pro'\ndialect = 'openai'\nmodel = 'm'\n";

#[test]
fn the_defaults_are_those_of_the_vendor() {
    let pro = settings(PRO);
    assert_eq!(
        (pro.address().unwrap().as_str(), pro.vendor().as_str()),
        ("https://api.openai.com/v1", "openai")
    );
    assert_eq!((pro.model().limit, pro.model().json), (LimitField::MaxCompletionTokens, JsonMode::Schema));
    assert_eq!((pro.timeout_s, pro.max_concurrent, pro.requests_per_minute), (60, 4, None));
    let local = settings(&format!("{PRO}url = 'http://127.0.0.1:8000/v1/'"));
    assert_eq!(
        (local.address().unwrap().as_str(), local.vendor().as_str()),
        ("http://127.0.0.1:8000/v1", "127.0.0.1")
    );
    assert_eq!((local.model().limit, local.key(&|_| None).unwrap().is_none()), (LimitField::MaxTokens, true));
    let giga = settings("name = 'g'\ndialect = 'gigachat'\nmodel = 'GigaChat-2'\n");
    assert_eq!(
        (giga.vendor().as_str(), giga.scope(), giga.model().json),
        ("gigachat", "GIGACHAT_API_PERS", JsonMode::Words)
    );
    assert_eq!(giga.oauth_address().unwrap(), "https://ngw.devices.sberbank.ru:9443/api/v2/oauth");
}

#[test]
fn what_cannot_work_is_named_with_what_to_write_and_without_the_key() {
    let variable = |name: &str| (name == "BAD").then(|| "hunter2\nhunter2".to_owned());
    for (added, named) in [
        ("url = 'localhost:80'", "llm.providers.pro.url: is no address: expected https://HOST/v1"),
        ("url = 'http://ann:hunter2@host/v1'", "url: holds a name or password"),
        ("timeout_s = 0", "timeout_s: expected 1 to 600 seconds"),
        ("silence_s = 5", "silence_s: is of streams only: set stream = true"),
        ("stream = true\nfirst_token_s = 0", "first_token_s: expected 1 to 600 seconds"),
        ("stream = true\nsilence_s = 601", "silence_s: expected 1 to 600 seconds"),
        ("max_concurrent = 0", "max_concurrent: expected at least 1"),
        ("requests_per_minute = 0", "requests_per_minute: expected at least 1"),
        ("tokens_per_minute = 0", "tokens_per_minute: expected at least 1"),
        ("key_env = 'NONE'", "key_env: the environment has no NONE"),
        ("key_env = 'BAD'", "key_env: holds no key"),
        ("key_file = '/nowhere/key'", "key_file: could not read /nowhere/key"),
        ("key_env = 'A'\nkey_file = 'b'", "leave one of them out"),
    ] {
        let provider = settings(&format!("{PRO}{added}"));
        let error =
            provider.check().and_then(|()| provider.key(&variable).map(drop)).unwrap_err().to_string();
        assert!(error.contains(named) && !error.contains("hunter2"), "{error}");
    }
    let blank = settings("name = 'pro'\ndialect = 'openai'\nmodel = ' '\n").check().unwrap_err().to_string();
    assert!(blank.contains("llm.providers.pro.model"), "{blank}");
    let keyless = settings("name = 'a'\ndialect = 'anthropic'\nmodel = 'c'\n").key(&variable).unwrap_err();
    assert!(keyless.to_string().contains("name the variable that holds the key"), "{keyless}");
    for seconds in [0, 601] {
        let error = Settings { deadline_s: seconds, ..Settings::default() }.check().unwrap_err().to_string();
        assert_eq!(error, format!("llm.deadline_s: expected 1 to 600 seconds, not {seconds}"));
    }
    for wait in [0, 600_001] {
        let hedging = Settings { hedge_after_ms: Some(wait), ..Settings::default() };
        let wanted = format!("llm.hedge_after_ms: expected 1 to 600000 milliseconds, not {wait}");
        assert_eq!(hedging.check().unwrap_err().to_string(), wanted);
    }
    assert!(toml::from_str::<Settings>("chain = 1").unwrap_err().to_string().contains("chain"));
}

#[test]
fn who_judges_is_one_of_the_providers() {
    let giga = "[[providers]]\nname = 'giga'\ndialect = 'gigachat'\nmodel = 'm'\n";
    let read = |text: &str| {
        let text = format!("{text}\n[[providers]]\n{PRO}{giga}[chains]\nwriter = ['pro']\n");
        toml::from_str::<Settings>(&text).unwrap()
    };
    let by = read("moderation = { provider = 'pro' }");
    let (moderation, provider) = by.moderator().unwrap().unwrap();
    assert_eq!((moderation.model.as_str(), moderation.timeout_s), ("omni-moderation-latest", 10));
    assert_eq!((provider.name.as_str(), by.moderates("writer"), by.moderates("mood")), ("pro", true, false));
    assert!(!read("").moderates("writer"));
    for (moderation, named) in [
        (
            "provider = 'other'",
            "llm.moderation.provider: names \"other\"; expected one of llm.providers: pro, giga",
        ),
        ("provider = 'giga'", "llm.moderation.provider: \"giga\" is of another dialect"),
        ("provider = 'pro', model = ' '", "llm.moderation.model: expected"),
        ("provider = 'pro', timeout_s = 0", "llm.moderation.timeout_s: expected 1 to 600 seconds"),
    ] {
        let error = read(&format!("moderation = {{ {moderation} }}")).check().unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_key_is_read_from_the_environment_or_a_file() {
    let variable = |name: &str| (name == "KEY").then(|| " hunter2\n".to_owned());
    let key = |text: &str| settings(&format!("{PRO}{text}")).key(&variable).unwrap().unwrap();
    assert_eq!(key("key_env = 'KEY'").expose_secret(), "hunter2");
    let path = std::env::temp_dir().join(format!("llm_client_key_{}", std::process::id()));
    std::fs::write(&path, "hunter3\n").unwrap();
    let read = key(&format!("key_file = '{}'", path.display()));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read.expose_secret(), "hunter3");
}

#[test]
fn prices_of_ones_own_go_before_newer_ones_that_come_with_the_program() {
    let path = std::env::temp_dir().join(format!("llm_client_prices_{}", std::process::id()));
    let own = "[[prices]]\nvendor = 'openai'\nmodel = 'gpt-4o-mini'\ncurrency = 'USD'\ninput = '0'\noutput = '0'\n\
               valid_from = '2020-01-01'\nsource = 'our contract'\n";
    std::fs::write(&path, own).unwrap();
    let prices = Settings { prices_file: Some(path.clone()), ..Settings::default() }.prices();
    std::fs::remove_file(&path).unwrap();
    let prices = prices.unwrap();
    let day = jiff::civil::date(2026, 11, 1);
    let source = |model: &str| prices.find("openai", model, day).map(|price| price.source.clone());
    assert_eq!(source("gpt-4o-mini").as_deref(), Some("our contract"));
    assert_eq!(source("gpt-4o-mini-2024-07-18").as_deref(), Some("our contract"));
    assert!(source("gpt-4o").is_some_and(|source| source != "our contract"), "others stay known");
}
