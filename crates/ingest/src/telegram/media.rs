//! Attachments, named as exports name them.

use super::{
    texts::masked,
    wire::{self, File, Message},
};
use schemas::{Checklist, ChecklistItem, Media, Poll, PollOption};
use text::pii;

/// Answers of a poll, or items of a checklist, that are kept.
const ENTRIES_MAX: usize = 64;
/// Attachments of which nothing but their kind is told, with the kinds of exports.
const BARE: [(&str, &str); 9] = [
    ("venue", "location"),
    ("location", "location"),
    ("contact", "contact"),
    ("game", "game"),
    ("invoice", "invoice"),
    ("giveaway", "giveaway"),
    ("giveaway_winners", "giveaway"),
    ("paid_media", "paid_media"),
    ("dice", "dice"),
];

/// What is attached to a message.
pub(super) fn media(message: &mut Message) -> Option<Media> {
    if let Some(file) = message.photo.pop() {
        // Sizes of one photo, the largest last. Their names are the export's own.
        return Some(Media { size_bytes: file.file_size, ..of_kind("photo") });
    }
    // An animation comes as a document too.
    let files = [
        ("animation", message.animation.take()),
        ("video_file", message.video.take()),
        ("video_message", message.video_note.take()),
        ("voice_message", message.voice.take()),
        ("audio_file", message.audio.take()),
        ("sticker", message.sticker.take()),
        ("file", message.document.take()),
    ];
    if let Some((kind, file)) = files.into_iter().find_map(|(kind, file)| Some((kind, file?))) {
        return Some(of_file(kind, file));
    }
    if let Some(poll) = message.poll.take() {
        return Some(Media { poll: Some(of_poll(poll)), ..of_kind("poll") });
    }
    if let Some(checklist) = message.checklist.take() {
        return Some(Media { checklist: Some(of_checklist(checklist)), ..of_kind("checklist") });
    }
    let bare = BARE.iter().find(|(field, _)| message.rest.contains_key(*field));
    bare.map(|(_, kind)| of_kind(kind))
}

fn of_kind(kind: &str) -> Media {
    Media { kind: kind.to_owned(), ..Media::default() }
}

fn of_file(kind: &str, file: File) -> Media {
    let clean = |text: String| text.replace('\0', "");
    Media {
        file_name: file.file_name.map(|name| pii::mask(&clean(name)).into_owned()),
        mime_type: file.mime_type.map(clean),
        size_bytes: file.file_size,
        ..of_kind(kind)
    }
}

fn of_poll(poll: wire::Poll) -> Poll {
    let option = |option: wire::PollOption| PollOption {
        text: masked(option.text, &option.text_entities),
        votes: option.voter_count,
    };
    Poll {
        question: masked(poll.question, &poll.question_entities),
        options: poll.options.into_iter().take(ENTRIES_MAX).map(option).collect(),
        closed: poll.is_closed,
        voters: poll.total_voter_count,
    }
}

/// What is done an export tells in service messages, so that it is left out here too.
fn of_checklist(list: wire::Checklist) -> Checklist {
    let item = |task: wire::Task| ChecklistItem { text: masked(task.text, &task.text_entities), done: None };
    Checklist {
        title: masked(list.title, &list.title_entities),
        items: list.tasks.into_iter().take(ENTRIES_MAX).map(item).collect(),
    }
}
