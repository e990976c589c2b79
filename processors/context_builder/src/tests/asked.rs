//! Contexts of windows that somebody asked for.

use super::{answered, done, request};
use crate::ContextBuilder;
use processor::{Earlier, Lookup, Outcome, Response};
use schemas::{Author, DigestContextPrepared, Message};

#[test]
fn who_asks_about_a_time_in_which_nobody_wrote_is_told_so() {
    let mut asked = request(0, "auto");
    let settings = asked.value.window.settings.clone();
    asked.value.window = schemas::WindowRef::asked((5, 8), "command:user7", settings);
    let answered = done(ContextBuilder::default().resume(&asked, None, vec![Response::Messages(Vec::new())]));
    let Ok(Outcome::Emit(emissions)) = answered else { panic!("not blocked: {answered:?}") };
    assert_eq!(emissions.iter().map(|emission| emission.port).collect::<Vec<_>>(), ["started", "blocked"]);
    let blocked: &schemas::DigestBlocked = emissions[1].downcast().expect("its type");
    assert_eq!((blocked.reason.as_str(), &blocked.window), ("empty_window", &asked.value.window));
    assert_eq!((&blocked.window_id, &blocked.version), (&asked.value.window_id, &asked.value.version));
}

#[test]
fn what_an_asked_window_holds_is_counted_when_it_is_read() {
    let mut asked = request(0, "auto");
    let settings = asked.value.window.settings.clone();
    asked.value.window = schemas::WindowRef::asked((0, 80), "command:user7", settings);
    let author = |id: &str| Some(Author { id: id.to_owned(), name: id.to_owned(), is_bot: false });
    let message = |id, by| Message { author: author(by), ..Message::plain(id, id, "some words here") };
    let read = vec![message(1, "a"), message(2, "b"), message(3, "a")];
    let (_, answered) = answered(&ContextBuilder::default(), &asked, read, Earlier::Off);
    let Ok(Outcome::Emit(emissions)) = answered else { panic!("no context: {answered:?}") };
    let context: &DigestContextPrepared = emissions[1].downcast().expect("its type");
    assert_eq!((context.window.message_count, context.window.participant_count), (3, 2));
    assert!(!context.stats.contains_key("messages_expected"), "{:?}", context.stats);
}
