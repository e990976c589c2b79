//! What a context says of the time before its window.

use super::{answered, read, request};
use crate::ContextBuilder;
use processor::{BeforeAsOf, Earlier, EarlierAsOf, Lookup, Outcome, Request, Response, Step};
use schemas::{DigestContextPrepared, Message};

/// A question, and one like it of long ago.
const ASKED: &str = "Who knows how to renew the signing certificate of the nightly installer for arm64?";

fn found(near: &str) -> Earlier {
    Earlier::Found(vec![vec![Message::plain(7, 5, near)]])
}

#[test]
fn the_past_is_asked_about_what_people_ask_and_its_answer_is_in_the_context() {
    let builder = ContextBuilder::default();
    let event = request(1, "en");
    let near = "Does anybody know why the nightly arm64 installer has an expired signing certificate?";
    let (question, outcome) = answered(&builder, &event, vec![read(90, ASKED)], found(near));
    let expected = EarlierAsOf {
        tenant_id: "acme".to_owned(),
        group_id: "qa".to_owned(),
        before_ms: 0,
        partition: 3,
        offset: 77,
        texts: vec![ASKED.to_owned()],
    };
    assert_eq!(question, Some(expected));
    let Ok(Outcome::Emit(emissions)) = outcome else { panic!("no context") };
    let context: &DigestContextPrepared = emissions[1].downcast().expect("a context");
    assert_eq!(context.history, "ok");
    let found = &context.history_matches[0];
    assert_eq!((found.item_id.as_str(), found.message_id, found.text.as_str()), ("7", 90, ""));
}

#[test]
fn without_an_index_or_while_it_is_away_the_context_says_so() {
    for (earlier, history) in
        [(Earlier::Off, "off"), (Earlier::Unavailable, "unavailable"), (Earlier::Found(Vec::new()), "ok")]
    {
        let (_, outcome) =
            answered(&ContextBuilder::default(), &request(1, "en"), vec![read(90, ASKED)], earlier);
        let Ok(Outcome::Emit(emissions)) = outcome else { panic!("no context") };
        let context: &DigestContextPrepared = emissions[1].downcast().expect("a context");
        assert_eq!((context.history.as_str(), context.history_matches.len()), (history, 0));
    }
}

#[test]
fn common_words_are_asked_for_only_where_something_near_may_be_about_the_same() {
    let builder = ContextBuilder::default();
    let event = request(1, "en");
    let asks = |near: &str| {
        let Step::Ask(cursor, _) =
            builder.resume(&event, None, vec![Response::Messages(vec![read(90, ASKED)])])
        else {
            panic!("nothing asked")
        };
        match builder.resume(&event, cursor, vec![Response::Earlier(found(near))]) {
            Step::Ask(_, requests) => Some(requests),
            Step::Done(_) => None,
        }
    };
    let expected = BeforeAsOf {
        tenant_id: "acme".to_owned(),
        group_id: "qa".to_owned(),
        before_id: 90,
        partition: 3,
        offset: 77,
        texts_max: 2_000,
    };
    let near = "Does anybody know why the nightly arm64 installer has an expired signing certificate?";
    assert_eq!(asks(near), Some(vec![Request::Before(expected)]));
    assert_eq!(asks("Who comes to lunch at noon?"), None);
    assert_eq!(asks("The nightly installer has an expired signing certificate."), None, "nobody asks");
}
