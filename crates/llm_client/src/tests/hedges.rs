//! A second provider asked beside a slow first: the first good answer ends both, each is asked once, and the ledger hears of both.

use super::*;

fn hedging(providers: &[(&str, &Provider)]) -> Client {
    client_of(providers, "", "hedge_after_ms = 50")
}

/// What a witness is told, and what it refuses.
#[derive(Default)]
struct Book {
    begun: Mutex<Vec<String>>,
    ended: Mutex<Vec<String>>,
    refused: Option<&'static str>,
}

impl Witness for Book {
    async fn begin(&self, begun: Begun<'_>) -> Result<(), Refusal> {
        let mut all = self.begun.lock().unwrap();
        all.push(format!("{} after {}", begun.provider, begun.attempts));
        let is_refused = self.refused == Some(begun.provider);
        if is_refused { Err(Refusal { reason: "quota", tries_next: true }) } else { Ok(()) }
    }

    async fn end(&self, attempt: &Attempt) {
        let kind = if attempt.is_hedge { " hedge" } else { "" };
        let unknown = if attempt.is_unknown() { " unknown" } else { "" };
        let line = format!("{}{kind} {}{unknown}", attempt.provider, attempt.outcome());
        self.ended.lock().unwrap().push(line);
    }
}

async fn told(client: &Client, book: &Book) -> (Result<String, &'static str>, Vec<String>) {
    let asked = client.complete("writer", &question(), Duration::from_secs(30), book).await;
    let ended = book.ended.lock().unwrap().clone();
    (asked.map(|answered| answered.completion.text).map_err(|exhausted| exhausted.reason), ended)
}

#[tokio::test]
async fn the_first_good_answer_wins_and_the_other_is_given_up() {
    for (first, second, wins, ended) in [
        (Act::Hang, Act::Answer("two"), "two", ["p0 cancelled unknown", "p1 hedge ok"]),
        (Act::Late(600, "one"), Act::Hang, "one", ["p1 hedge cancelled unknown", "p0 ok"]),
        (Act::Late(600, "one"), status(500), "one", ["p1 hedge server_error", "p0 ok"]),
    ] {
        let (one, two) = (Provider::start([first]).await, Provider::start([second]).await);
        let book = Book::default();
        let (answer, told) = told(&hedging(&[("openai", &one), ("anthropic", &two)]), &book).await;
        assert_eq!((answer, told), (Ok(wins.to_owned()), ended.map(str::to_owned).to_vec()));
        assert_eq!(*book.begun.lock().unwrap(), ["p0 after 0", "p1 after 1"]);
        assert_eq!((one.calls().len(), two.calls().len()), (1, 1));
    }
}

#[tokio::test]
async fn who_is_given_up_is_hung_up_on() {
    let (one, two) = (Provider::start([Act::Hang]).await, Provider::start([]).await);
    let client =
        client_of(&[("openai", &one), ("openai", &two)], "max_concurrent = 1", "hedge_after_ms = 500");
    assert_eq!(asked(&client).await.unwrap().provider, "p1");
    while one.left() == 0 {
        tokio::task::yield_now().await;
    }
    // Its place is free again.
    assert_eq!(asked(&client).await.unwrap().provider, "p0");
}

#[tokio::test]
async fn an_answer_in_time_asks_nobody_else_and_neither_does_a_client_that_is_not_told_to() {
    let (one, two) = (Provider::start([]).await, Provider::start([]).await);
    let patient = client_of(&[("openai", &one), ("openai", &two)], "", "hedge_after_ms = 20000");
    assert_eq!(outcomes(&asked(&patient).await.unwrap().attempts), ["ok"]);
    let (slow, other) = (Provider::start([Act::Late(600, "one")]).await, Provider::start([]).await);
    let off = client(&[("openai", &slow), ("openai", &other)], "");
    assert_eq!(asked(&off).await.unwrap().completion.text, "one");
    let alone = Provider::start([Act::Late(600, "one")]).await;
    assert_eq!(asked(&hedging(&[("openai", &alone)])).await.unwrap().completion.text, "one");
    assert_eq!((two.calls().len(), other.calls().len(), alone.calls().len()), (0, 0, 1));
}

#[tokio::test]
async fn nobody_is_asked_twice_when_both_fail() {
    let one = Provider::start([Act::Late(600, "")]).await;
    let two = Provider::start([status(500)]).await;
    let three = Provider::start([]).await;
    let book = Book::default();
    let chain = hedging(&[("openai", &one), ("openai", &two), ("openai", &three)]);
    let (answer, ended) = told(&chain, &book).await;
    assert_eq!(answer, Ok("ok".to_owned()));
    assert_eq!(ended, ["p1 hedge server_error", "p0 malformed", "p2 ok"]);
    let last = Provider::start([status(500)]).await;
    let both = [Provider::start([Act::Late(600, " ")]).await, last];
    let (answer, ended) =
        told(&hedging(&[("openai", &both[0]), ("openai", &both[1])]), &Book::default()).await;
    assert_eq!(answer, Err("malformed"));
    assert_eq!(ended, ["p1 hedge server_error", "p0 malformed"]);
    for provider in [&one, &two, &three, &both[0], &both[1]] {
        assert_eq!(provider.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_second_that_may_not_be_asked_is_passed_over_and_the_first_is_waited_for() {
    let (one, two) = (Provider::start([Act::Late(600, "one")]).await, Provider::start([]).await);
    let book = Book { refused: Some("p1"), ..Book::default() };
    let (answer, ended) = told(&hedging(&[("openai", &one), ("openai", &two)]), &book).await;
    assert_eq!((answer, ended), (Ok("one".to_owned()), vec!["p0 ok".to_owned()]));
    assert_eq!((book.begun.lock().unwrap().len(), two.calls().len()), (2, 0));
}

/// The limit of tokens is the request's own: the other would be paid to reach it too.
#[tokio::test]
async fn an_answer_that_reached_its_limit_ends_both() {
    let cut = r#"{"model":"m","choices":[{"message":{"content":"o"},"finish_reason":"length"}],
        "usage":{"prompt_tokens":5,"completion_tokens":9}}"#;
    let (one, two) =
        (Provider::start([Act::Hang]).await, Provider::start([Act::Status(200, &[], cut.to_owned())]).await);
    let (answer, ended) = told(&hedging(&[("openai", &one), ("openai", &two)]), &Book::default()).await;
    assert_eq!(answer, Err("truncated"));
    assert_eq!(ended, ["p0 cancelled unknown", "p1 hedge truncated"]);
}
