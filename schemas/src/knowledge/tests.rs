//! What reports of a message add up to, one case a rule.

use super::*;
use crate::{Entity, Reaction};

fn bare() -> Message {
    Message::plain(7, 1, "")
}

fn author(id: &str, name: &str, is_bot: bool) -> Author {
    Author { id: id.to_owned(), name: name.to_owned(), is_bot }
}

fn entity(offset: i32) -> Entity {
    Entity { kind: "bold".to_owned(), offset, length: 1, url: None }
}

fn media(kind: &str, file_name: Option<&str>, size_bytes: Option<i64>) -> Media {
    let file_name = file_name.map(str::to_owned);
    Media { kind: kind.to_owned(), file_name, size_bytes, ..Media::default() }
}

fn forward(from: &str, sent_at: Option<i64>) -> Forward {
    Forward { from: from.to_owned(), sent_at }
}

fn full() -> Message {
    Message {
        author: Some(author("user2", "Bob", false)),
        text: "hello".to_owned(),
        entities: vec![entity(0)],
        reply_to: Some(5),
        topic_id: Some(1),
        media: Some(media("photo", Some("a.png"), Some(9))),
        forward: Some(forward("News", Some(3))),
        reactions: vec![Reaction { emoji: "👍".to_owned(), count: 2 }],
        ..bare()
    }
}

fn both(earlier: &Message, later: &Message) -> Message {
    let mut sum = later.clone();
    sum.recall(earlier);
    sum
}

#[test]
fn what_is_absent_erases_nothing_in_either_order() {
    assert_eq!(both(&full(), &bare()), full());
    assert_eq!(both(&bare(), &full()), full());
    let nameless = Message { author: Some(author("user2", "", false)), ..bare() };
    assert_eq!(both(&full(), &nameless), full());
    let id_for_name = Message { author: Some(author("user2", "user2", false)), ..bare() };
    assert_eq!(both(&full(), &id_for_name), full());
    assert_eq!(both(&full(), &full()), full());
}

#[test]
fn of_two_known_values_the_later_holds() {
    let other = Message {
        author: Some(author("user2", "Robert", true)),
        text: "hello!".to_owned(),
        entities: Vec::new(),
        reply_to: Some(6),
        topic_id: Some(2),
        media: Some(media("file", None, None)),
        forward: Some(forward("Other news", None)),
        reactions: vec![Reaction { emoji: "👎".to_owned(), count: 1 }],
        sent_at: 2,
        ..bare()
    };
    assert_eq!(both(&full(), &other), other, "the spans were those of another text");
    let somebody = Message { author: Some(author("user3", "", false)), ..bare() };
    assert_eq!(both(&full(), &somebody).author, somebody.author, "a name belongs to its account");
}

#[test]
fn an_author_known_by_name_only_displaces_nobody() {
    let by = |author| Message { author: Some(author), ..bare() };
    for by_name in [author("name:Bobby", "Bobby", true), author("phone:07", "phone …67", false)] {
        assert_eq!(both(&full(), &by(by_name.clone())).author, full().author, "an id stays");
        assert_eq!(both(&by(by_name.clone()), &full()).author, full().author, "an id comes in");
        let named = both(&by(author("user2", "", false)), &by(by_name.clone()));
        assert_eq!(named.author, Some(author("user2", &by_name.name, false)), "its name is told");
        assert_eq!(both(&bare(), &by(by_name.clone())).author, Some(by_name), "better than nobody");
    }
    let first = by(author("name:Ann", "Ann", false));
    assert_eq!(
        both(&first, &by(author("name:Anna", "Anna", false))),
        first,
        "who named first keeps the name"
    );
}

#[test]
fn parts_of_an_attachment_and_of_an_origin_are_kept_while_they_are_the_same() {
    let later = Message {
        media: Some(media("photo", None, Some(10))),
        forward: Some(forward("News", None)),
        ..bare()
    };
    let sum = both(&full(), &later);
    assert_eq!((sum.media, sum.forward), (Some(media("photo", Some("a.png"), Some(10))), full().forward));
}

#[test]
fn nothing_is_left_of_a_deleted_message() {
    let gone = Message { kind: "deleted".to_owned(), ..bare() };
    assert_eq!(both(&full(), &gone), gone);
    assert_eq!(both(&gone, &bare()), bare());
    assert_eq!(Message { kind: "deleted".to_owned(), ..full() }.known(), Known::NOTHING);
}

#[test]
fn two_reports_make_known_what_either_does() {
    let parts: [fn(&mut Message); 8] = [
        |m| m.author = full().author,
        |m| m.text = full().text,
        |m| m.reply_to = Some(5),
        |m| m.topic_id = Some(1),
        |m| m.text_and_entities(),
        |m| m.media = full().media,
        |m| m.forward = full().forward,
        |m| m.reactions = full().reactions,
    ];
    let with = |bits: usize| {
        let mut message = bare();
        parts.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).for_each(|(_, part)| part(&mut message));
        message
    };
    for earlier in (0..256).map(with) {
        for later in (0..256).map(with) {
            let sum = both(&earlier, &later);
            assert_eq!(sum.known(), earlier.known() | later.known());
        }
    }
    assert_eq!(full().known().bits(), u8::MAX);
    assert_eq!(Known::from_bits(full().known().bits()), full().known());
}

impl Message {
    fn text_and_entities(&mut self) {
        (self.text, self.entities) = (full().text, full().entities);
    }
}

#[test]
fn a_message_is_at_home_in_the_topic_that_its_answer_leads_to() {
    let home = |topic_id, reply_to| {
        let message = Message { reply_to, topic_id, ..bare() };
        let home = message.home(|id| id == 1, |id| id == 20);
        let mut settled = message;
        let known = settled.known();
        settled.settle(home, (home == Home::Answered(20)).then_some(1));
        assert_eq!(settled.known(), known.settled(home));
        (home, settled.topic_id, settled.reply_to)
    };
    assert_eq!(home(None, None), (Home::Unknown, None, None));
    assert_eq!(home(None, Some(1)), (Home::Created(1), Some(1), None));
    assert_eq!(home(None, Some(20)), (Home::Answered(20), Some(1), Some(20)));
    assert_eq!(home(None, Some(21)), (Home::Unknown, None, Some(21)));
    assert_eq!(home(Some(2), Some(2)), (Home::Created(2), Some(2), None));
    assert_eq!(home(Some(2), Some(20)), (Home::Told, Some(2), Some(20)));
    let placed = Message { id: 20, ..bare() };
    assert_eq!(placed.home(|_| false, |id| id == 20), Home::Told);
    let gone = Message { kind: "deleted".to_owned(), reply_to: Some(1), ..bare() };
    assert_eq!(gone.home(|_| true, |_| true), Home::Unknown);
}
