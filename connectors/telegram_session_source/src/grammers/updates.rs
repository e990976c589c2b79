//! Updates of MTProto, told and asked for → events.
//!
//! Invariant: pure. What counts is told even where it is nothing for this pipeline, so that no gap is seen where there is none.

use super::messages::{Names, chat_id};
use crate::peer::{Event, Place, Push};
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{enums, types};

/// What was told without being asked for.
pub(super) fn pushes(update: UpdatesLike) -> Vec<Push> {
    let interrupted = |why: &str| vec![Push::Interrupted(why.to_owned())];
    match update {
        UpdatesLike::Updates(updates) => told(updates),
        UpdatesLike::ConnectionClosed => interrupted("the connection was closed"),
        UpdatesLike::MalformedUpdates => interrupted("an update was not understood"),
        // What requests have changed: this source changes nothing.
        _ => Vec::new(),
    }
}

fn told(updates: enums::Updates) -> Vec<Push> {
    let other = |pts, count| Push::Event { channel: None, pts, count, event: Event::Other };
    match updates {
        enums::Updates::TooLong => {
            vec![Push::Interrupted("Telegram says that too much has passed".to_owned())]
        }
        enums::Updates::UpdateShort(short) => {
            of_update(&Names::default(), short.update).into_iter().collect()
        }
        enums::Updates::Combined(types::UpdatesCombined {
            updates, users, chats, seq_start, seq, ..
        }) => packet(updates, &Names::of(&users, &chats), (seq_start, seq)),
        enums::Updates::Updates(types::Updates { updates, users, chats, seq, .. }) => {
            packet(updates, &Names::of(&users, &chats), (seq, seq))
        }
        enums::Updates::UpdateShortMessage(message) => vec![other(message.pts, message.pts_count)],
        // It does not tell who has written it.
        enums::Updates::UpdateShortChatMessage(_) => vec![Push::Behind(None)],
        enums::Updates::UpdateShortSentMessage(message) => vec![other(message.pts, message.pts_count)],
    }
}

fn packet(updates: Vec<enums::Update>, names: &Names, (start, seq): (i32, i32)) -> Vec<Push> {
    let numbered = (seq != 0).then_some(Push::Numbered { start, seq });
    let events = updates.into_iter().filter_map(|update| of_update(names, update));
    numbered.into_iter().chain(events).collect()
}

fn of_update(names: &Names, update: enums::Update) -> Option<Push> {
    use enums::Update as U;
    let all = |pts, count, event| Some(Push::Event { channel: None, pts, count, event });
    let channel = |id: i64, (pts, count), event| {
        Some(Push::Event { channel: Some(Place::channel(id)), pts, count, event })
    };
    match update {
        U::NewMessage(types::UpdateNewMessage { message, pts, pts_count })
        | U::EditMessage(types::UpdateEditMessage { message, pts, pts_count }) => {
            Some(of_message(names, message, None, (pts, pts_count)))
        }
        U::NewChannelMessage(types::UpdateNewChannelMessage { message, pts, pts_count })
        | U::EditChannelMessage(types::UpdateEditChannelMessage { message, pts, pts_count }) => {
            let chat = peer_of(&message)?;
            Some(of_message(names, message, Some(chat), (pts, pts_count)))
        }
        U::DeleteMessages(gone) => all(gone.pts, gone.pts_count, deleted(&gone.messages)),
        U::DeleteChannelMessages(gone) => {
            channel(gone.channel_id, (gone.pts, gone.pts_count), deleted(&gone.messages))
        }
        U::ChannelTooLong(behind) => Some(Push::Behind(Some(Place::channel(behind.channel_id)))),
        U::ReadHistoryInbox(read) => all(read.pts, read.pts_count, Event::Other),
        U::ReadHistoryOutbox(read) => all(read.pts, read.pts_count, Event::Other),
        U::ReadMessagesContents(read) => all(read.pts, read.pts_count, Event::Other),
        U::WebPage(page) => all(page.pts, page.pts_count, Event::Other),
        U::PinnedMessages(pinned) => all(pinned.pts, pinned.pts_count, Event::Other),
        U::FolderPeers(moved) => all(moved.pts, moved.pts_count, Event::Other),
        U::ChannelWebPage(page) => channel(page.channel_id, (page.pts, page.pts_count), Event::Other),
        U::PinnedChannelMessages(pinned) => {
            channel(pinned.channel_id, (pinned.pts, pinned.pts_count), Event::Other)
        }
        _ => None,
    }
}

fn of_message(
    names: &Names,
    message: enums::Message,
    channel: Option<i64>,
    (pts, count): (i32, i32),
) -> Push {
    if peer_of(&message).is_some() && !names.knows_author(&message) {
        return Push::Behind(channel);
    }
    Push::Event { channel, pts, count, event: event(names, message) }
}

fn peer_of(message: &enums::Message) -> Option<i64> {
    match message {
        enums::Message::Message(message) => chat_id(&message.peer_id),
        enums::Message::Service(message) => chat_id(&message.peer_id),
        enums::Message::Empty(empty) => empty.peer_id.as_ref().and_then(chat_id),
    }
}

fn event(names: &Names, message: enums::Message) -> Event {
    // Private chats are passed over unread.
    let Some(from) = peer_of(&message) else { return Event::Other };
    let told = names.message(message);
    match told.migrate_to_chat_id {
        Some(to) => Event::Migrated { from, to: Place { chat: to, hash: names.hash(to) } },
        None => Event::Message(Box::new(told)),
    }
}

fn deleted(ids: &[i32]) -> Event {
    Event::Deleted(ids.iter().copied().map(i64::from).collect())
}

/// What an answer has told: new messages, then all else.
pub(super) fn events(names: &Names, new: Vec<enums::Message>, other: Vec<enums::Update>) -> Vec<Event> {
    let new = new.into_iter().map(|message| event(names, message));
    let other = other.into_iter().filter_map(|update| match update {
        // Those that are answered are whole: who has written them is unknown for good.
        enums::Update::EditMessage(edit) => Some(event(names, edit.message)),
        enums::Update::EditChannelMessage(edit) => Some(event(names, edit.message)),
        enums::Update::NewMessage(new) => Some(event(names, new.message)),
        enums::Update::NewChannelMessage(new) => Some(event(names, new.message)),
        enums::Update::DeleteMessages(gone) => Some(deleted(&gone.messages)),
        enums::Update::DeleteChannelMessages(gone) => Some(deleted(&gone.messages)),
        _ => None,
    });
    new.chain(other).collect()
}
