//! Where a group's digests go, as its settings name it: `CHAT` or `CHAT/TOPIC`; what one person alone sees, `CHAT/TOPIC+PERSON`.

use serde::Serialize;

/// A chat as the Bot API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum ChatId {
    /// By its number, below zero for groups.
    Number(i64),
    /// A public one by its name, with the `@`.
    Name(String),
}

/// A chat, and the topic of a forum, and who alone sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Chat.
    pub(crate) chat: ChatId,
    /// Topic of a forum, by the message that began it.
    pub(crate) topic: Option<i64>,
    /// The only one who sees it.
    pub(crate) person: Option<i64>,
}

/// True for the name of a target: a chat's number or `@name`, and after a slash the topic of a forum.
pub fn is_target(name: &str) -> bool {
    Target::parse(name).is_some_and(|target| target.person.is_none())
}

impl Target {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (name, person) = match name.trim().split_once('+') {
            Some((name, person)) => (name, Some(person.parse().ok().filter(|person| *person > 0)?)),
            None => (name.trim(), None),
        };
        let (chat, topic) = match name.split_once('/') {
            Some((chat, topic)) => (chat, Some(topic.parse().ok().filter(|topic| *topic > 0)?)),
            None => (name, None),
        };
        let is_word = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let chat = match chat.strip_prefix('@') {
            Some(public) if !public.is_empty() && is_word(public) => ChatId::Name(chat.to_owned()),
            Some(_) => return None,
            None => ChatId::Number(chat.parse().ok().filter(|number| *number != 0)?),
        };
        Some(Self { chat, topic, person })
    }

    /// The chat with the person alone; itself where there is none.
    pub(crate) fn private(self) -> Self {
        match self.person {
            Some(person) => Self { chat: ChatId::Number(person), topic: None, person: None },
            None => self,
        }
    }

    /// The same for everybody in the chat.
    pub(crate) fn public(self) -> Self {
        Self { person: None, ..self }
    }

    /// The same topic in the chat that it has become.
    pub(crate) fn moved(self, to: Option<&str>) -> Self {
        match to.and_then(|to| to.parse().ok()) {
            Some(number) => Self { chat: ChatId::Number(number), ..self },
            None => self,
        }
    }

    /// A group or a channel; a private chat has a number above zero.
    pub(crate) fn is_group(&self) -> bool {
        !matches!(self.chat, ChatId::Number(1..))
    }

    /// The chat's name, for what is counted by chat.
    pub(crate) fn chat_name(&self) -> String {
        match &self.chat {
            ChatId::Number(number) => number.to_string(),
            ChatId::Name(name) => name.clone(),
        }
    }
}

/// Where a message is, for the ledger: its id, after the chat's where the target has moved.
pub(crate) fn reference(message_id: i64, moved_to: Option<&str>) -> String {
    moved_to.map_or_else(|| message_id.to_string(), |chat| format!("{chat}:{message_id}"))
}

/// Where a message is that one person alone sees: nobody answers or edits it by this.
pub(crate) fn ephemeral(id: i64) -> String {
    format!("ephemeral:{id}")
}

/// Id of the message at a reference; `None` for one in a chat that the target has left, where it cannot be edited.
pub(crate) fn message_id(reference: &str, moved_to: Option<&str>) -> Option<i64> {
    let (chat, id) = match reference.split_once(':') {
        Some((chat, id)) => (Some(chat), id),
        None => (None, reference),
    };
    id.parse().ok().filter(|_| chat == moved_to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_chat_and_maybe_a_topic() {
        let parsed = |name| Target::parse(name).map(|target| (target.chat_name(), target.topic));
        assert_eq!(parsed("-1001234567890"), Some(("-1001234567890".to_owned(), None)));
        assert_eq!(parsed(" -1001234567890/45 "), Some(("-1001234567890".to_owned(), Some(45))));
        assert_eq!(parsed("@team_news"), Some(("@team_news".to_owned(), None)));
        for name in ["", "0", "team", "@", "@a b", "-100/0", "-100/x", "-100/1/2", "https://t.me/x"] {
            assert_eq!(parsed(name), None, "{name:?}");
        }
    }

    #[test]
    fn what_one_person_sees_goes_to_a_chat_or_to_the_person_and_is_no_groups_target() {
        let target = Target::parse("-1001/45+7").expect("a target");
        assert_eq!(
            (target.chat_name(), target.topic, target.person),
            ("-1001".to_owned(), Some(45), Some(7))
        );
        assert_eq!(Some(target.clone().private()), Target::parse("7"));
        assert_eq!(Some(target.public()), Target::parse("-1001/45"));
        assert!(["-1001+", "-1001+0", "-1001+x", "+7"].into_iter().all(|name| Target::parse(name).is_none()));
        assert!(is_target("-1001/45") && !is_target("-1001/45+7"));
    }

    #[test]
    fn a_group_has_a_number_below_zero_or_a_name() {
        let is_group = |name| Target::parse(name).map(|target| target.is_group());
        assert_eq!([is_group("-5"), is_group("@news"), is_group("5")], [Some(true), Some(true), Some(false)]);
    }

    #[test]
    fn a_chat_that_moved_keeps_its_topic() {
        let moved = Target::parse("-5/7").map(|target| target.moved(Some("-1009")));
        assert_eq!(moved, Target::parse("-1009/7"));
        assert_eq!(Target::parse("-5").map(|target| target.moved(None)), Target::parse("-5"));
    }

    #[test]
    fn a_message_is_known_in_the_chat_that_it_was_posted_to() {
        assert_eq!((reference(7, None), reference(7, Some("-1009"))), ("7".to_owned(), "-1009:7".to_owned()));
        assert_eq!(message_id("7", None), Some(7));
        assert_eq!(message_id("-1009:7", Some("-1009")), Some(7));
        for (reference, moved_to) in
            [("7", Some("-1009")), ("-1009:7", None), ("-1009:7", Some("-1010")), ("x", None)]
        {
            assert_eq!(message_id(reference, moved_to), None, "{reference} {moved_to:?}");
        }
    }
}
