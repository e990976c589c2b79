//! Marked places and attachments of MTProto → the Bot API's shape.
//!
//! Invariant: pure and total; an attachment has the fields that the Bot API gives to one of its kind, and no others.

use grammers_tl_types::{enums, types};
use ingest::telegram::{Checklist, Entity, File, Message, Poll, PollOption, Task, User};
use serde_json::Value;

/// Marked places, in the order of their beginnings and the outer one first, as bots see them.
pub(super) fn entities(entities: Vec<enums::MessageEntity>) -> Vec<Entity> {
    let mut told: Vec<Entity> = entities.into_iter().filter_map(entity).collect();
    told.sort_by_key(|entity| (entity.offset, -entity.length));
    told
}

fn entity(entity: enums::MessageEntity) -> Option<Entity> {
    use enums::MessageEntity as E;
    let bare =
        |kind: &str, offset, length| Entity { kind: kind.to_owned(), offset, length, ..Entity::default() };
    Some(match entity {
        E::Mention(at) => bare("mention", at.offset, at.length),
        E::Hashtag(at) => bare("hashtag", at.offset, at.length),
        E::Cashtag(at) => bare("cashtag", at.offset, at.length),
        E::BotCommand(at) => bare("bot_command", at.offset, at.length),
        E::Url(at) => bare("url", at.offset, at.length),
        E::Email(at) => bare("email", at.offset, at.length),
        E::Phone(at) => bare("phone_number", at.offset, at.length),
        E::BankCard(at) => bare("bank_card_number", at.offset, at.length),
        E::Bold(at) => bare("bold", at.offset, at.length),
        E::Italic(at) => bare("italic", at.offset, at.length),
        E::Underline(at) => bare("underline", at.offset, at.length),
        E::Strike(at) => bare("strikethrough", at.offset, at.length),
        E::Spoiler(at) => bare("spoiler", at.offset, at.length),
        E::Blockquote(at) => bare("blockquote", at.offset, at.length),
        E::Code(at) => bare("code", at.offset, at.length),
        E::Pre(at) => bare("pre", at.offset, at.length),
        E::CustomEmoji(at) => bare("custom_emoji", at.offset, at.length),
        E::TextUrl(at) => Entity { url: Some(at.url), ..bare("text_link", at.offset, at.length) },
        E::MentionName(at) => Entity {
            user: Some(User { id: at.user_id, ..User::default() }),
            ..bare("text_mention", at.offset, at.length)
        },
        _ => return None,
    })
}

/// Attaches it; false for what is no attachment for bots, as the preview of a link.
pub(super) fn attach(message: &mut Message, media: enums::MessageMedia) -> bool {
    use enums::MessageMedia as M;
    let bare = match media {
        M::Photo(photo) => {
            message.photo =
                vec![File { file_size: photo.photo.as_ref().and_then(largest), ..File::default() }];
            return true;
        }
        M::Document(found) => {
            if let Some(enums::Document::Document(found)) = found.document {
                document(message, found);
            } else {
                message.document = Some(File::default());
            }
            return true;
        }
        M::Poll(poll) => {
            message.poll = Some(self::poll(*poll));
            return true;
        }
        M::ToDo(list) => {
            message.checklist = Some(checklist(list.todo));
            return true;
        }
        M::Geo(_) | M::GeoLive(_) => "location",
        M::Venue(_) => "venue",
        M::Contact(_) => "contact",
        M::Game(_) => "game",
        M::Invoice(_) => "invoice",
        M::Giveaway(_) => "giveaway",
        M::GiveawayResults(_) => "giveaway_winners",
        M::PaidMedia(_) => "paid_media",
        M::Dice(_) => "dice",
        M::Empty | M::Unsupported | M::WebPage(_) | M::Story(_) | M::VideoStream(_) => return false,
    };
    message.rest.insert(bare.to_owned(), Value::Bool(true));
    true
}

/// Bytes of the largest size of a photo.
fn largest(photo: &enums::Photo) -> Option<i64> {
    let enums::Photo::Photo(photo) = photo else { return None };
    let size = |size: &enums::PhotoSize| match size {
        enums::PhotoSize::Size(size) => Some((size.w * size.h, size.size)),
        enums::PhotoSize::Progressive(size) => Some((size.w * size.h, size.sizes.iter().copied().max()?)),
        _ => None,
    };
    photo.sizes.iter().filter_map(size).max().map(|(_, bytes)| i64::from(bytes))
}

fn document(message: &mut Message, document: types::Document) {
    use enums::DocumentAttribute as A;
    let all = &document.attributes;
    let has = |wanted: fn(&A) -> bool| all.iter().any(wanted);
    let file_name = all.iter().find_map(|attribute| match attribute {
        A::Filename(name) => Some(name.file_name.clone()),
        _ => None,
    });
    let sized = File { file_size: Some(document.size), ..File::default() };
    let typed = File { mime_type: Some(document.mime_type), ..sized.clone() };
    let named = File { file_name, ..typed.clone() };
    if has(|attribute| matches!(attribute, A::Sticker(_) | A::CustomEmoji(_))) {
        message.sticker = Some(sized);
    } else if has(|attribute| matches!(attribute, A::Animated)) {
        message.animation = Some(named);
    } else if has(|attribute| matches!(attribute, A::Video(video) if video.round_message)) {
        message.video_note = Some(sized);
    } else if has(|attribute| matches!(attribute, A::Video(_))) {
        message.video = Some(named);
    } else if has(|attribute| matches!(attribute, A::Audio(audio) if audio.voice)) {
        message.voice = Some(typed);
    } else if has(|attribute| matches!(attribute, A::Audio(_))) {
        message.audio = Some(named);
    } else {
        message.document = Some(named);
    }
}

fn text_of(text: enums::TextWithEntities) -> (String, Vec<Entity>) {
    let enums::TextWithEntities::Entities(text) = text;
    (text.text, entities(text.entities))
}

fn poll(media: types::MessageMediaPoll) -> Poll {
    let enums::Poll::Poll(poll) = media.poll;
    let enums::PollResults::Results(results) = media.results;
    let voters = results.results.unwrap_or_default();
    let votes_for = |option: &[u8]| {
        let found = voters.iter().map(|enums::PollAnswerVoters::Voters(voters)| voters);
        found.filter(|voters| voters.option == option).find_map(|voters| voters.voters)
    };
    let option = |answer: enums::PollAnswer| match answer {
        enums::PollAnswer::Answer(answer) => {
            let voter_count = votes_for(&answer.option);
            let (text, text_entities) = text_of(answer.text);
            Some(PollOption { text, text_entities, voter_count })
        }
        enums::PollAnswer::InputPollAnswer(_) => None,
    };
    let options = poll.answers.into_iter().filter_map(option).collect();
    let (question, question_entities) = text_of(poll.question);
    Poll {
        question,
        question_entities,
        options,
        total_voter_count: results.total_voters,
        is_closed: poll.closed,
    }
}

fn checklist(list: enums::TodoList) -> Checklist {
    let enums::TodoList::List(list) = list;
    let task = |enums::TodoItem::Item(item): enums::TodoItem| {
        let (text, text_entities) = text_of(item.title);
        Task { text, text_entities }
    };
    let (title, title_entities) = text_of(list.title);
    Checklist { title, title_entities, tasks: list.list.into_iter().map(task).collect() }
}
