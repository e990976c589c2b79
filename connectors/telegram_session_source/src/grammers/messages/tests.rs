//! Messages as Telegram sends them, against what bots are told of the same ones.

use super::*;
use crate::grammers::updates;
use crate::peer::{Event, Push};
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::Deserializable;
use ingest::telegram::{Told, told};
use serde_json::{Value, json};

const GROUP: i64 = 1_234_567_890;

/// What is sent, byte by byte.
#[derive(Default, Clone)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn new(constructor: u32) -> Self {
        Self(constructor.to_le_bytes().to_vec())
    }

    fn int(mut self, number: u32) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn long(mut self, number: i64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn text(mut self, text: &str) -> Self {
        assert!(text.len() < 254);
        self.0.push(text.len() as u8);
        self.0.extend(text.as_bytes());
        while !self.0.len().is_multiple_of(4) {
            self.0.push(0);
        }
        self
    }

    fn of(mut self, other: &Self) -> Self {
        self.0.extend(&other.0);
        self
    }

    fn list(self, items: &[Self]) -> Self {
        items.iter().fold(self.int(0x1cb5_c415).int(items.len() as u32), Self::of)
    }
}

fn peer_user(id: i64) -> Bytes {
    Bytes::new(0x5951_1722).long(id)
}

fn peer_channel(id: i64) -> Bytes {
    Bytes::new(0xa2a5_371e).long(id)
}

fn ann() -> Bytes {
    Bytes::new(0xb1b8_cc83).int(0b110).int(0).long(7).text("Ann").text("Lee")
}

fn garden() -> Bytes {
    let photo = Bytes::new(0x37c1_011c);
    Bytes::new(0xd49f_34c6).int(1 << 8 | 1 << 13).int(0).long(GROUP).long(99).text("Garden").of(&photo).int(1)
}

fn names() -> Names {
    let user = enums::User::from_bytes(&ann().0).expect("a user");
    let chat = enums::Chat::from_bytes(&garden().0).expect("a chat");
    Names::of(&[user], &[chat])
}

/// A message by somebody (or by the group), with what its flags announce before and after its text.
fn message(author: Option<&Bytes>, flags: u32, (before, after): (&Bytes, &Bytes), text: &str) -> Bytes {
    let of_author = if author.is_some() { 1 << 8 } else { 0 };
    let start = Bytes::new(0x7600_b9d3).int(flags | of_author).int(0).int(51);
    let start = author.map_or(start.clone(), |author| start.of(author));
    start.of(&peer_channel(GROUP)).of(before).int(1_772_446_000).text(text).of(after)
}

fn decoded(bytes: &Bytes) -> enums::Message {
    enums::Message::from_bytes(&bytes.0).expect("a message")
}

/// What becomes of it, by the session and by a bot that is told this.
fn both(bytes: &Bytes, of_bot: &Value) -> [schemas::Message; 2] {
    let mut whole = json!({
        "message_id": 51, "date": 1_772_446_000,
        "chat": { "id": -1_001_234_567_890_i64, "type": "supergroup", "title": "Garden" },
        "from": { "id": 7, "is_bot": false, "first_name": "Ann", "last_name": "Lee" },
    });
    for (field, value) in of_bot.as_object().expect("fields") {
        whole[field] = value.clone();
    }
    let of_bot = serde_json::from_value(whole).expect("a message");
    [names().message(decoded(bytes)), of_bot].map(|message| match told(message) {
        Told::Message(draft) => draft.finish(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_text_with_marked_places_is_the_same_by_both_ways() {
    let link = Bytes::new(0x76a6_d327).int(6).int(4).text("https://example.org/a");
    let bold = Bytes::new(0xbd61_0bc9).int(0).int(5);
    let entities = Bytes::default().list(&[link, bold]);
    let sent = message(Some(&peer_user(7)), 1 << 7, (&Bytes::default(), &entities), "Hello this");
    let [session, bot] = both(
        &sent,
        &json!({ "text": "Hello this", "entities": [
            { "type": "bold", "offset": 0, "length": 5 },
            { "type": "text_link", "offset": 6, "length": 4, "url": "https://example.org/a" } ] }),
    );
    assert_eq!(session, bot);
    assert_eq!(
        session.author.as_ref().map(|author| (&*author.id, &*author.name)),
        Some(("user7", "Ann Lee"))
    );
    assert_eq!(session.entities.len(), 2);
}

#[test]
fn an_edit_has_its_time_and_one_that_shows_nothing_is_none() {
    let nothing = Bytes::default();
    let edited_at = Bytes::default().int(1_772_446_600);
    let edited = message(Some(&peer_user(7)), 1 << 15, (&nothing, &edited_at), "after");
    let [session, bot] = both(&edited, &json!({ "text": "after", "edit_date": 1_772_446_600 }));
    assert_eq!(session, bot);
    assert_eq!((session.revision, &*session.kind), (1_772_446_600_000, "edited"));
    let hidden = message(Some(&peer_user(7)), 1 << 15 | 1 << 21, (&nothing, &edited_at), "after");
    let [session, bot] = both(&hidden, &json!({ "text": "after" }));
    assert_eq!((session.revision, session == bot), (0, true));
}

#[test]
fn an_answer_in_a_topic_is_in_the_topic() {
    let header = Bytes::new(0x1b97_dd66).int(1 << 3 | 1 << 4 | 1 << 1).int(48).int(45);
    let sent = message(Some(&peer_user(7)), 1 << 3, (&header, &Bytes::default()), "yes");
    let [session, bot] = both(
        &sent,
        &json!({ "text": "yes", "is_topic_message": true, "message_thread_id": 45,
            "reply_to_message": { "message_id": 48 } }),
    );
    assert_eq!(session, bot);
    assert_eq!((session.reply_to, session.topic_id), (Some(48), Some(45)));
    let root = Bytes::new(0x1b97_dd66).int(1 << 3 | 1 << 4).int(45);
    let sent = message(Some(&peer_user(7)), 1 << 3, (&root, &Bytes::default()), "first");
    let [session, _] = both(&sent, &json!({ "text": "first" }));
    assert_eq!((session.reply_to, session.topic_id), (None, Some(45)), "to write in a topic answers nobody");
}

#[test]
fn who_writes_in_the_name_of_the_group_is_the_group() {
    let nothing = Bytes::default();
    let chat = json!({ "id": -1_001_234_567_890_i64, "type": "supergroup", "title": "Garden" });
    for author in [None, Some(peer_channel(GROUP))] {
        let sent = message(author.as_ref(), 0, (&nothing, &nothing), "we");
        let [session, bot] = both(&sent, &json!({ "text": "we", "sender_chat": chat }));
        assert_eq!(session, bot);
        assert_eq!(session.author.map(|author| author.id), Some("channel1234567890".to_owned()));
    }
}

#[test]
fn a_file_is_named_as_bots_name_it() {
    let name = Bytes::new(0x1559_0068).text("plan.pdf");
    let document =
        Bytes::new(0x8fd4_c4d8).int(0).long(1).long(2).text("").int(3).text("application/pdf").long(4_096);
    let document = document.int(2).list(&[name]);
    let media = Bytes::new(0x52d8_ccd9).int(1).of(&document);
    let sent = message(Some(&peer_user(7)), 1 << 9, (&Bytes::default(), &media), "the plan");
    let file = json!({ "file_name": "plan.pdf", "mime_type": "application/pdf", "file_size": 4_096 });
    let [session, bot] = both(&sent, &json!({ "caption": "the plan", "document": file }));
    assert_eq!(session, bot);
    assert_eq!(session.media.map(|media| media.kind), Some("file".to_owned()));
}

fn packet(updates: &[Bytes], users: &[Bytes]) -> Vec<Push> {
    let packet = Bytes::new(0x74ae_4240).list(updates).list(users).list(&[garden()]).int(1).int(9);
    let packet = enums::Updates::from_bytes(&packet.0).expect("a packet");
    updates::pushes(UpdatesLike::Updates(packet))
}

#[test]
fn a_packet_is_its_number_and_its_updates_with_their_counts() {
    let sent = message(Some(&peer_user(7)), 0, (&Bytes::default(), &Bytes::default()), "hi");
    let new = Bytes::new(0x62ba_04d9).of(&sent).int(77).int(1);
    let ids = Bytes::default().int(3).int(4);
    let gone = Bytes::new(0xc32d_5b12).long(GROUP).int(0x1cb5_c415).int(2).of(&ids).int(79).int(2);
    let pushes = packet(&[new, gone], &[ann()]);
    let [
        Push::Numbered { start: 9, seq: 9 },
        Push::Event { channel: Some(chat), pts: 77, count: 1, event: Event::Message(message) },
        Push::Event { channel: Some(_), pts: 79, count: 2, event: Event::Deleted(ids) },
    ] = &pushes[..]
    else {
        panic!("{pushes:?}")
    };
    assert_eq!((*chat, message.message_id, &ids[..]), (Place::channel(GROUP), 51, &[3, 4][..]));
}

#[test]
fn a_message_of_somebody_unknown_is_asked_for() {
    let sent = message(Some(&peer_user(7)), 0, (&Bytes::default(), &Bytes::default()), "hi");
    let new = Bytes::new(0x62ba_04d9).of(&sent).int(77).int(1);
    let pushes = packet(&[new], &[]);
    let behind = Place::channel(GROUP);
    assert!(matches!(&pushes[1..], [Push::Behind(Some(chat))] if *chat == behind), "{pushes:?}");
}

#[test]
fn a_lost_connection_is_told() {
    let pushes = updates::pushes(UpdatesLike::ConnectionClosed);
    assert!(matches!(&pushes[..], [Push::Interrupted(_)]));
    let too_long = updates::pushes(UpdatesLike::Updates(enums::Updates::TooLong));
    assert!(matches!(&too_long[..], [Push::Interrupted(_)]));
}
