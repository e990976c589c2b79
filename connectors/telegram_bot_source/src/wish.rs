//! What a person asks for alone: a group's digests in the private chat, or no more of them.
//!
//! Invariant: pure. A wish names a chat, and whoever carries it out asks Telegram whether the person is in it: nobody gets the
//! digests of a group that they are not in.

use crate::command::{said, words_for};
use commands::{Name, Words};
use schemas::{Command, GroupCommandAnswered};
use serde_json::Value;

/// Before the number of a chat in a deep link: `https://t.me/BOT?start=s-1001234567890`.
const START: char = 's';
/// Before the number of a subscription in the data of a button, as `telegram_sink` writes it.
const BUTTON: &str = "unsubscribe:";

/// A command that concerns one person.
#[derive(Debug)]
pub(crate) struct Wish {
    /// The command.
    pub(crate) command: Command,
    /// The chat that it was written in.
    pub(crate) chat: i64,
    /// The person, or the chat in whose name it was written.
    pub(crate) person: i64,
    /// What is wanted.
    pub(crate) wanted: Wanted,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The digests of the group of this chat.
    Begin {
        /// Its number.
        of: i64,
    },
    /// No more digests of the group of this chat.
    End {
        /// Its number.
        of: i64,
    },
    /// No more digests of any group.
    EndAll,
    /// Some group's, without saying which.
    Nothing,
}

impl Wanted {
    /// What a command in a chat asks for; none where it is no wish.
    pub(crate) fn of(command: &Command, chat: i64) -> Option<Self> {
        match Name::of(&command.name)? {
            Name::Subscribe if chat < 0 => Some(Self::Begin { of: chat }),
            Name::Subscribe => Some(Self::Nothing),
            Name::Unsubscribe if chat < 0 => Some(Self::End { of: chat }),
            Name::Unsubscribe => Some(Self::EndAll),
            Name::Start if chat > 0 => started(&command.arguments).map(|of| Self::Begin { of }),
            _ => None,
        }
    }
}

/// What came of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Granted {
    /// The digests come.
    Begun,
    /// They do not come any more.
    Ended,
    /// It has to be asked for in a group's chat.
    InAGroup,
    /// The chat is no group's.
    NotLinked,
    /// The person is not in the chat, or Telegram does not tell.
    NotThere,
    /// No person has asked.
    Nobody,
    /// The bot may not write to the person.
    NotReached,
    /// The group has as many subscribers as it may have.
    TooMany,
}

impl Wish {
    /// What is said of it, by a bot of this name.
    pub(crate) fn answered(&self, granted: Granted, bot: Option<&str>) -> GroupCommandAnswered {
        let words = words_for(&self.command);
        let text = match granted {
            Granted::Begun => words.subscribed.to_owned(),
            Granted::Ended => words.unsubscribed.to_owned(),
            Granted::InAGroup => words.subscribe_in_a_group.to_owned(),
            Granted::NotLinked => words.not_linked.to_owned(),
            Granted::NotThere => words.subscribe_not_there.to_owned(),
            Granted::Nobody => words.missed_by_nobody.to_owned(),
            Granted::TooMany => words.subscribers_too_many.to_owned(),
            Granted::NotReached => self.begin_first(words, bot),
        };
        said(&self.command, self.chat, text)
    }

    fn begin_first(&self, words: &Words, bot: Option<&str>) -> String {
        let link = bot.map(|bot| format!(" https://t.me/{bot}?start={START}{}", self.chat));
        format!("{}{}", words.subscribe_open_me, link.unwrap_or_default())
    }
}

/// The chat that a deep link names.
fn started(arguments: &str) -> Option<i64> {
    arguments.strip_prefix(START)?.parse().ok().filter(|chat| *chat < 0)
}

/// A button that somebody has tapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tap {
    /// Id of the query, which is answered.
    pub(crate) query: String,
    pub(crate) person: i64,
    pub(crate) language: String,
    /// Chat and id of the message below which the button is; none where it is too old to be told.
    pub(crate) message: Option<(i64, i64)>,
    data: String,
}

impl Tap {
    /// Of an update; none where it is not one of the Bot API's.
    pub(crate) fn of(query: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let language = text(&query["from"]["language_code"]);
        let message = &query["message"];
        let message = message["chat"]["id"].as_i64().zip(message["message_id"].as_i64());
        Some(Self {
            message,
            query: query["id"].as_str()?.to_owned(),
            person: query["from"]["id"].as_i64()?,
            language: language.split('-').next().unwrap_or_default().to_owned(),
            data: text(&query["data"]),
        })
    }

    /// The subscription that its button ends; none for a button of another kind.
    pub(crate) fn subscription(&self) -> Option<i64> {
        self.data.strip_prefix(BUTTON)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn command(name: &str, arguments: &str) -> Command {
        let (name, arguments) = (name.to_owned(), arguments.to_owned());
        Command { name, arguments, language: "en".to_owned(), ..Command::default() }
    }

    #[test]
    fn a_wish_names_the_chat_that_it_was_written_in_or_that_its_link_names() {
        for (name, arguments, chat, wanted) in [
            ("subscribe", "", -1001, Some(Wanted::Begin { of: -1001 })),
            ("subscribe", "", 7, Some(Wanted::Nothing)),
            ("unsubscribe", "", -1001, Some(Wanted::End { of: -1001 })),
            ("unsubscribe", "", 7, Some(Wanted::EndAll)),
            ("start", "s-1001", 7, Some(Wanted::Begin { of: -1001 })),
            ("start", "s-1001", -1001, None),
            ("start", "s1001", 7, None),
            ("start", "s", 7, None),
            ("start", "", 7, None),
            ("help", "", 7, None),
        ] {
            assert_eq!(Wanted::of(&command(name, arguments), chat), wanted, "{name} {arguments}");
        }
    }

    #[test]
    fn who_cannot_be_reached_is_told_the_link() {
        let wanted = Wanted::Begin { of: -1001 };
        let wish = Wish { command: command("subscribe", ""), chat: -1001, person: 7, wanted };
        let said = wish.answered(Granted::NotReached, Some("gist_bot")).text;
        assert!(said.ends_with(" https://t.me/gist_bot?start=s-1001"), "{said}");
        assert!(!wish.answered(Granted::NotReached, None).text.contains("t.me"));
    }

    #[test]
    fn a_button_tells_its_subscription_and_another_one_none() {
        let tap = |data: &str| {
            let query = json!({ "id": "q", "from": { "id": 7, "language_code": "ru-RU" }, "data": data });
            Tap::of(&query).expect("a tap")
        };
        assert_eq!((tap("unsubscribe:12").subscription(), &*tap("").language), (Some(12), "ru"));
        assert_eq!([tap("unsubscribe:x").subscription(), tap("x:12").subscription()], [None, None]);
        assert_eq!(Tap::of(&json!({ "id": 5 })), None);
    }
}
