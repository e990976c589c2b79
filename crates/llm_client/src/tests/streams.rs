//! Answers that come as streams: how they are cut on the way changes nothing, and what each lacks has a name.

use super::*;
use provider::{End, events};
use serde_json::json;

/// A first token and a silence of a second at most, an answer of three.
const HASTY: &str = "stream = true\nfirst_token_s = 1\nsilence_s = 1\ntimeout_s = 3";
const USAGE: Option<Usage> = Some(Usage { input_tokens: 5, output_tokens: 2, cached_tokens: 0 });

fn token() -> String {
    token_of("x")
}

fn token_of(text: &str) -> String {
    format!("data: {}\n\n", json!({"choices": [{"delta": {"content": text}}]}))
}

/// Pieces of a stream, so many milliseconds apart.
fn apart(wait_ms: u64, pieces: impl IntoIterator<Item = String>, end: End) -> Act {
    Act::Paced(pieces.into_iter().map(|piece| (wait_ms, piece)).collect(), end)
}

#[tokio::test]
async fn a_stream_is_an_answer_with_its_terminal_event_and_tells_what_it_took() {
    for (dialect, name) in [("openai", "m"), ("anthropic", "c")] {
        let provider = Provider::start([]).await;
        let answered = asked(&client(&[(dialect, &provider)], "stream = true")).await.unwrap();
        let completion = &answered.completion;
        assert_eq!((completion.text.as_str(), completion.model.as_str()), ("ok", name));
        assert_eq!((completion.usage, answered.attempts[0].usage), (USAGE, USAGE));
        assert_eq!(provider.calls()[0].body["stream"], json!(true));
    }
}

#[tokio::test]
async fn how_a_stream_is_cut_on_the_way_changes_nothing() {
    let openai = events("/chat/completions", "\u{43f}\u{440}", &json!(true));
    let half = openai.find('\u{440}').unwrap();
    let bytes = openai.chars().map(String::from).collect::<Vec<_>>();
    for act in [
        apart(0, [openai.clone()], End::Close),
        // Its end is read, what follows is not waited for.
        apart(0, [openai.clone()], End::Hang),
        apart(20, [openai[..half].to_owned(), openai[half..].to_owned()], End::Close),
        apart(0, bytes, End::Close),
        apart(0, [openai.replace('\n', "\r\n")], End::Close),
        apart(0, [openai.replace('\n', "\r")], End::Close),
        apart(0, [format!(": PROCESSING\n\n{}", openai.replace("\n\n", "\n\n: still here\n\n"))], End::Close),
        apart(0, [format!("\u{feff}event: x\nid: 7\nretry: 5\n{openai}")], End::Close),
    ] {
        let provider = Provider::start([act.clone()]).await;
        let answered = asked(&client(&[("openai", &provider)], "stream = true")).await.unwrap();
        let text = answered.completion.text.as_str();
        assert_eq!((text, answered.completion.usage), ("\u{43f}\u{440}", USAGE), "{act:?}");
    }
}

/// A provider that thinks for long, or stops in the middle, is left before the whole time is up; one that is slow and
/// steady is not.
#[tokio::test]
async fn silence_is_told_from_slowness() {
    let whole = || events("/chat/completions", "ok", &json!(true));
    let slow = || (0..30).map(|_| token());
    let thought = format!("data: {}\n\n", json!({"choices": [{"delta": {"reasoning": "x"}}]}));
    let cases = [
        (Act::Hang, "no_first_token"),
        (apart(0, [], End::Hang), "no_first_token"),
        (apart(100, (0..20).map(|_| ": here\n\n".to_owned()), End::Hang), "no_first_token"),
        (apart(0, [whole()[..100].to_owned()], End::Hang), "no_first_token"),
        (apart(0, [token()], End::Hang), "silent"),
        (
            apart(100, std::iter::once(token()).chain((0..20).map(|_| ": here\n\n".to_owned())), End::Hang),
            "silent",
        ),
        (apart(0, [token(), token()[..20].to_owned()], End::Hang), "silent"),
        (apart(200, slow(), End::Hang), "timeout"),
        (apart(150, slow().take(12).chain([whole()]), End::Close), "ok"),
        (apart(150, (0..12).map(|_| thought.clone()).chain([whole()]), End::Close), "ok"),
    ];
    let each = cases.map(|(act, outcome)| async move {
        let first = Provider::start([act.clone()]).await;
        let second = Provider::start([]).await;
        let chain = client(&[("openai", &first), ("anthropic", &second)], HASTY);
        let answered = asked(&chain).await.unwrap();
        let wanted = if outcome == "ok" { vec!["ok"] } else { vec![outcome, "ok"] };
        assert_eq!(outcomes(&answered.attempts), wanted, "{act:?}");
        assert_eq!(answered.attempts[0].is_unknown(), outcome != "ok", "{act:?}");
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test]
async fn a_stream_that_is_cut_or_fails_or_does_not_end_is_a_failure_with_a_name() {
    let whole = events("/chat/completions", "ok", &json!(true));
    let without_end = whole.replace("data: [DONE]\n\n", "");
    let without_usage = events("/chat/completions", "ok", &json!(false)).replace("data: [DONE]\n\n", "");
    let without_reason = format!("{}data: [DONE]\n\n", token());
    let error = "data: {\"error\":{\"message\":\"sesame\",\"code\":502}}\n\n".to_owned();
    for (act, outcome, is_unknown) in [
        (apart(0, [without_usage.clone()], End::Close), "unfinished", true),
        // What it took is known all the same.
        (apart(0, [without_end], End::Close), "unfinished", false),
        (apart(0, [without_reason], End::Close), "unfinished", true),
        (apart(0, [without_usage], End::Break), "broken", true),
        (apart(10, [token(), error], End::Hang), "error_inside", true),
        (apart(0, [token(), "data: {\"choices\n\n".to_owned()], End::Hang), "malformed", true),
        (apart(0, [format!("data: {}\n\n", "[".repeat(100_000))], End::Hang), "malformed", true),
        (apart(0, [token_of(&"[".repeat(100_000))], End::Hang), "too_large", true),
        (apart(0, (0..200).map(|_| token_of(&"[".repeat(500))), End::Hang), "too_large", true),
        (apart(0, ["x".repeat(2 << 20)], End::Hang), "too_large", true),
        (Act::Endless, "too_large", true),
    ] {
        let first = Provider::start([act.clone()]).await;
        let second = Provider::start([]).await;
        let chain = client(&[("openai", &first), ("anthropic", &second)], "stream = true");
        let answered = asked(&chain).await.unwrap();
        let shown: String = format!("{act:?}").chars().take(200).collect();
        assert_eq!(outcomes(&answered.attempts), [outcome, "ok"], "{shown}");
        assert_eq!(answered.attempts[0].is_unknown(), is_unknown, "{shown}");
        assert_eq!(first.calls().len(), 1, "{shown}");
        assert!(!format!("{answered:?}").contains("sesame"));
    }
}

#[tokio::test]
async fn an_error_of_anthropic_in_the_midst_of_a_stream_is_a_failure() {
    let whole = events("/messages", "ok", &json!(null));
    let cut = whole.find("event: content_block_stop").unwrap();
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
    for (act, outcome) in [
        (apart(0, [whole[..cut].to_owned(), error.to_owned()], End::Hang), "error_inside"),
        (apart(0, [whole[..cut].to_owned()], End::Close), "unfinished"),
        (apart(0, [whole.replace("\"message_stop\"", "\"other\"")], End::Close), "unfinished"),
    ] {
        let provider = Provider::start([act.clone()]).await;
        let exhausted = asked(&client(&[("anthropic", &provider)], "stream = true")).await.unwrap_err();
        assert_eq!((exhausted.reason, provider.calls().len()), (outcome, 1), "{act:?}");
    }
}
