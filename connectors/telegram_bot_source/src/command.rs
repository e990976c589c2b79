//! A message that begins with a command → the command, and its answer where the chat is no group's.
//!
//! Invariant: pure. A command's identity is that of its message, which Telegram gives once, whatever the update's id.

use commands::{LinkCode, Name, Parsed, Verdict, Words, parse, words};
use ingest::telegram::Message;
use schemas::{Command, GroupCommandAnswered, no_tenant};
use state::Redeemed;
use text::Language;

/// Characters of a command that are looked at.
const TEXT_MAX: usize = 512;
const CHANNEL: &str = "telegram";

/// A command as it was written, to whichever bot.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) chat: i64,
    /// Whoever is counted: a person, or the chat in whose name it was written.
    pub(crate) person: i64,
    pub(crate) asked_at: i64,
    text: String,
    topic: Option<i64>,
    message_id: i64,
    asked_by: String,
    language: String,
}

impl Written {
    /// Of a message that begins with a command.
    pub(crate) fn of(message: &Message, asked_by: Option<String>) -> Self {
        let signed = message.sender_chat.as_ref().map(|chat| chat.id);
        let person = signed.or(message.from.as_ref().map(|from| from.id)).unwrap_or(message.chat.id);
        let language = message.from.as_ref().and_then(|from| from.language_code.as_deref());
        let language = language.and_then(|code| code.split('-').next()).unwrap_or_default();
        Self {
            chat: message.chat.id,
            person,
            asked_at: message.date * 1000,
            text: message
                .text
                .iter()
                .flat_map(|text| text.chars())
                .filter(|c| *c != '\0')
                .take(TEXT_MAX)
                .collect(),
            topic: message.message_thread_id.filter(|_| message.is_topic_message),
            message_id: message.message_id,
            asked_by: asked_by.unwrap_or_default(),
            language: language.chars().filter(char::is_ascii_alphanumeric).collect(),
        }
    }

    /// True for a command to link the chat, to whichever bot.
    pub(crate) fn is_link(&self) -> bool {
        commands::name(&self.text) == Some(Name::Link)
    }

    /// True for what administrators alone may ask for, of whichever bot.
    pub(crate) fn is_for_administrators(&self) -> bool {
        commands::name(&self.text).is_some_and(commands::is_for_administrators)
    }

    /// True for what concerns the person alone, of whichever bot.
    pub(crate) fn is_wish(&self) -> bool {
        match commands::name(&self.text) {
            Some(Name::Subscribe | Name::Unsubscribe) => true,
            Some(Name::Start) => self.chat > 0,
            _ => false,
        }
    }

    /// The command, if it is one to the bot of this name. `source` hears it.
    pub(crate) fn command(&self, source: &str, bot: Option<&str>) -> Option<Command> {
        let Parsed::Ours { name, arguments } = parse(&self.text, bot) else { return None };
        let chat = self.topic.map_or_else(|| self.chat.to_string(), |topic| format!("{}/{topic}", self.chat));
        Some(Command {
            id: Command::id_of(source, self.chat, self.message_id),
            name: name.as_str().to_owned(),
            arguments,
            channel: CHANNEL.to_owned(),
            chat,
            message_id: self.message_id,
            asked_by: self.asked_by.clone(),
            language: self.language.clone(),
            asked_at: self.asked_at,
            is_over_limit: false,
        })
    }
}

/// The command as a verdict leaves it; none where nothing is said.
pub(crate) fn judged(command: Command, verdict: Verdict) -> Option<Command> {
    match verdict {
        Verdict::Take => Some(command),
        Verdict::Tell => Some(Command { is_over_limit: true, arguments: String::new(), ..command }),
        Verdict::Ignore => None,
    }
}

/// A code that somebody wrote in a chat, of which nobody has looked yet whether it is one.
#[derive(Debug)]
pub(crate) struct Linking {
    /// The command that brought it.
    pub(crate) command: Command,
    /// The chat.
    pub(crate) chat: i64,
    /// The code.
    pub(crate) code: LinkCode,
}

impl Linking {
    /// Of a command to link a chat; where it cannot be by this one, why.
    pub(crate) fn of(command: Command, chat: i64) -> Result<Self, Box<GroupCommandAnswered>> {
        let code = LinkCode::parse(&command.arguments).filter(|_| chat < 0 && !command.is_over_limit);
        if let Some(code) = code {
            return Ok(Self { command: without_code(command), chat, code });
        }
        let words = words(language(&command));
        let text = match chat {
            _ if command.is_over_limit => words.too_many,
            1.. => words.link_in_a_group,
            _ => words.no_such_code,
        };
        Err(Box::new(said(&command, chat, text.to_owned())))
    }

    /// What is said of it.
    pub(crate) fn answered(&self, redeemed: Redeemed) -> GroupCommandAnswered {
        let words = words(language(&self.command));
        let text = match redeemed {
            Redeemed::Linked => words.linked,
            Redeemed::OfAnotherGroup => words.linked_to_another,
            Redeemed::NoCode => words.no_such_code,
        };
        said(&self.command, self.chat, text.to_owned())
    }

    /// What is said where too many were tried.
    pub(crate) fn refused(&self) -> GroupCommandAnswered {
        said(&self.command, self.chat, words(language(&self.command)).too_many_codes.to_owned())
    }
}

fn without_code(command: Command) -> Command {
    Command { arguments: String::new(), ..command }
}

/// The answer in a chat that is no group's: nothing is known there but the person.
pub(crate) fn answer(command: &Command, chat: i64) -> Option<GroupCommandAnswered> {
    let words = words(language(command));
    let text = match Name::of(&command.name)? {
        _ if command.is_over_limit => words.too_many.to_owned(),
        Name::Link => return None,
        Name::Start if chat > 0 => words.start_alone(),
        Name::Start => words.start(false),
        Name::Digest
        | Name::Missed
        | Name::Settings
        | Name::Mute
        | Name::Unmute
        | Name::Subscribe
        | Name::Unsubscribe => words.not_linked.to_owned(),
        Name::Help => words.help(),
    };
    Some(said(command, chat, text))
}

/// Words in the language of whoever asks.
pub(crate) fn words_for(command: &Command) -> &'static Words {
    words(language(command))
}

/// Words in a person's language, by its code.
pub(crate) fn words_of(code: &str) -> &'static Words {
    words(Language::parse(code).unwrap_or(Language::En))
}

/// The language of whoever asks.
fn language(command: &Command) -> Language {
    Language::parse(&command.language).unwrap_or(Language::En)
}

pub(crate) fn said(command: &Command, chat: i64, text: String) -> GroupCommandAnswered {
    command.answered((&no_tenant(CHANNEL), &chat.to_string()), language(command).code(), text)
}
