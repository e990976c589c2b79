//! What a context says of the time before its window.

use super::{answered, read, request};
use crate::ContextBuilder;
use processor::{Earlier, EarlierAsOf, FoundEarlier, Outcome};
use schemas::{DigestContextPrepared, Message};

/// A question, and one like it of long ago.
const ASKED: &str = "Who knows how to renew the signing certificate of the nightly installer?";

fn found(near: &str) -> Earlier {
    let before = (0..600).map(|n| format!("the build of branch{n} is slow")).collect();
    Earlier::Found(FoundEarlier { near: vec![vec![Message::plain(7, 5, near)]], before })
}

#[test]
fn the_past_is_asked_about_what_people_ask_and_its_answer_is_in_the_context() {
    let builder = ContextBuilder::default();
    let event = request(1, "en");
    let near = "Does anybody know why the nightly installer has an expired signing certificate?";
    let (question, outcome) = answered(&builder, &event, vec![read(90, ASKED)], found(near));
    let expected = EarlierAsOf {
        tenant_id: "acme".to_owned(),
        group_id: "qa".to_owned(),
        before_ms: 0,
        before_id: 90,
        partition: 3,
        offset: 77,
        texts: vec![ASKED.to_owned()],
    };
    assert_eq!(question, Some(expected));
    let Ok(Outcome::Emit(emissions)) = outcome else { panic!("no context") };
    let context: &DigestContextPrepared = emissions[0].downcast().expect("a context");
    assert_eq!(context.history, "ok");
    let found = &context.history_matches[0];
    assert_eq!((found.item_id.as_str(), found.message_id, found.text.as_str()), ("7", 90, ""));
}

#[test]
fn without_an_index_or_while_it_is_away_the_context_says_so() {
    for (earlier, history) in [
        (Earlier::Off, "off"),
        (Earlier::Unavailable, "unavailable"),
        (Earlier::Found(FoundEarlier::default()), "ok"),
    ] {
        let (_, outcome) =
            answered(&ContextBuilder::default(), &request(1, "en"), vec![read(90, ASKED)], earlier);
        let Ok(Outcome::Emit(emissions)) = outcome else { panic!("no context") };
        let context: &DigestContextPrepared = emissions[0].downcast().expect("a context");
        assert_eq!((context.history.as_str(), context.history_matches.len()), (history, 0));
    }
}
