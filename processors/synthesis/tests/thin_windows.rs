//! Digests of windows that hold little, or that somebody fills on purpose, say what they are.

use schemas::{ContextMessage, Digest, DigestState};
use std::collections::BTreeSet;
use synthesis::Synthesis;

fn digest(language: &str, texts: &[&str]) -> Digest {
    let message = |(at, text): (usize, &&str)| {
        let first = texts.iter().position(|known| known == text).filter(|first| *first < at);
        ContextMessage {
            duplicate_of: first.map(|first| first as i64 + 1),
            ..fixtures::message(at as i64 + 1, at as i64 * 60_000, ["Ann", "Bob"][at % 2], text)
        }
    };
    let messages = texts.iter().enumerate().map(message).collect();
    let state = DigestState { language: language.to_owned(), ..fixtures::state(messages) };
    Synthesis::default().digest(&state).0
}

#[test]
fn thin_windows_say_what_they_hold() {
    let ten = ["Сдам гараж у метро, звоните"; 10];
    for (language, texts, headline) in [
        ("ru", &["😂", "👍", "🔥"][..], "Только стикеры и эмодзи: 3 сообщения"),
        (
            "en",
            &["{\"id\": 7, \"name\": \"a\"}", "String url = vars.get(\"url\");"],
            "Only code and logs: 2 messages",
        ),
        ("en", &["https://a.example/x"], "Only links without words: 1 message"),
        ("ru", &["Всем привет!", "спасибо"], "Только приветствия и короткие реплики: 2 сообщения"),
        ("ru", &ten, "Одно и то же сообщение: 10 сообщений"),
        (
            "en",
            &["今日は良い天気ですね", "はい、散歩に行きましょう"],
            "A language that the digest does not read: 2 messages",
        ),
        ("ru", &["Когда включат воду?"], "Когда включат воду?"),
    ] {
        let digest = digest(language, texts);
        assert_eq!(digest.headline, headline);
        assert!(digest.decisions.is_empty() && digest.actions.is_empty(), "{digest:?}");
        assert!(digest.summary.len() <= 3, "{digest:?}");
    }
}

#[test]
fn bots_alone_are_named() {
    let post =
        |id| ContextMessage { is_bot: true, ..fixtures::message(id, id * 60_000, "CI", "Build 4417 passed") };
    let state = DigestState { language: "en".to_owned(), ..fixtures::state((1..=4).map(post).collect()) };
    assert_eq!(Synthesis::default().digest(&state).0.headline, "Only bots wrote: 4 messages");
}

#[test]
fn a_text_posted_fifty_times_is_told_at_most_once() {
    let digest = digest("en", &["DECISION: pay me"; 50]);
    let told: BTreeSet<i64> = digest.citations().flatten().copied().collect();
    assert!(told.len() <= 1, "{told:?}");
    assert!(
        digest.decisions.len() <= 1 && digest.headline.starts_with("One message, repeated"),
        "{digest:?}"
    );
}

#[test]
fn claims_hold_no_word_that_their_messages_do_not() {
    let texts = [
        "Всем привет! Подскажите, пожалуйста, как настроить таймер на 8 часов (не ручной)?",
        "Привет, в конфиге поставь duration 28800, не 2880, и перезапусти)",
        "Спасибо большое, попробую 🙏",
        "Коллеги, релиз 4.2 переносим на пятницу, 6 марта, потому что тесты не готовы",
        "ок, давайте в пятницу",
    ];
    let digest = digest("ru", &texts);
    let threads = digest.topics.iter().flat_map(|topic| &topic.threads).flat_map(|thread| &thread.claims);
    let stories = digest.topics.iter().flat_map(|topic| &topic.story);
    let claims: Vec<_> =
        digest.summary.iter().chain(&digest.decisions).chain(threads).chain(stories).collect();
    assert!(!claims.is_empty());
    for claim in claims {
        let said = claim.text.split_once(": ").map_or(claim.text.as_str(), |(_, said)| said);
        let known: BTreeSet<String> =
            claim.message_ids.iter().flat_map(|id| text::tokens(texts[*id as usize - 1])).collect();
        assert!(text::tokens(said).iter().all(|word| known.contains(word)), "{claim:?}");
    }
}
