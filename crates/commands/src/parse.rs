//! `/name@bot arguments` → a command.
//!
//! Invariant: total over any text. A command that names another bot, or that no bot of this kind has, is nobody's here.

/// Most characters of arguments that are kept: more than any command takes.
pub const ARGUMENTS_MAX: usize = 64;

/// A command that this bot answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// What the bot is for.
    Start,
    /// A digest of the time until now.
    Digest,
    /// A digest of the time since the person last wrote, for that person.
    Missed,
    /// What holds for the group.
    Settings,
    /// No digests are posted to the chat for a while.
    Mute,
    /// They are again.
    Unmute,
    /// Its digests come to the person alone too.
    Subscribe,
    /// They do not any more.
    Unsubscribe,
    /// The chat becomes a group's, by a code.
    Link,
    /// Which commands there are.
    Help,
}

impl Name {
    /// All of them, in the order of `/help`.
    pub const ALL: [Self; 10] = [
        Self::Start,
        Self::Digest,
        Self::Missed,
        Self::Settings,
        Self::Mute,
        Self::Unmute,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Link,
        Self::Help,
    ];

    /// The word after the slash.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Digest => "digest",
            Self::Missed => "missed",
            Self::Settings => "settings",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Link => "link",
            Self::Help => "help",
        }
    }

    /// The command of this name, however it is cased.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name))
    }
}

/// What a text that begins with a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// A command to this bot.
    Ours {
        /// Which.
        name: Name,
        /// What follows it, with one space between words; at most [`ARGUMENTS_MAX`] characters.
        arguments: String,
    },
    /// For another bot, or none that this one knows.
    Others,
}

/// Reads a text that begins with a command, as a bot of this name; one that does not know its name takes none that
/// names a bot.
pub fn parse(text: &str, bot: Option<&str>) -> Parsed {
    let mut words = text.split_whitespace();
    let head = words.next().and_then(|head| head.strip_prefix('/')).unwrap_or_default();
    let (name, addressed) = match head.split_once('@') {
        Some((name, to)) => (name, Some(to)),
        None => (head, None),
    };
    let is_ours = addressed.is_none_or(|to| bot.is_some_and(|bot| bot.eq_ignore_ascii_case(to)));
    match Name::of(name).filter(|_| is_ours) {
        Some(name) => Parsed::Ours { name, arguments: arguments(words) },
        None => Parsed::Others,
    }
}

/// Whether a text begins with a command of a bot of this kind, whichever it names: such a text is no message to the others
/// in the chat. One to a bot of another kind is.
pub fn is_command(text: &str) -> bool {
    name(text).is_some()
}

/// The command of a bot of this kind that a text begins with, whichever bot it names.
pub fn name(text: &str) -> Option<Name> {
    let head = text.split_whitespace().next().and_then(|head| head.strip_prefix('/')).unwrap_or_default();
    Name::of(head.split('@').next().unwrap_or_default())
}

fn arguments<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut kept = String::new();
    for word in words {
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
        if kept.len() > 4 * ARGUMENTS_MAX {
            break;
        }
    }
    kept.chars().filter(|c| !c.is_control()).take(ARGUMENTS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ours(text: &str) -> Option<(Name, String)> {
        match parse(text, Some("Gist_Bot")) {
            Parsed::Ours { name, arguments } => Some((name, arguments)),
            Parsed::Others => None,
        }
    }

    #[test]
    fn commands_of_bots_of_other_kinds_are_said_to_all() {
        let of_this_kind = ["/help", "/DIGEST 3h", "/start@gist_bot x", "/help@other_bot"];
        assert!(of_this_kind.into_iter().all(is_command));
        let said = ["/stat@other_bot", "/helpless", "/", "/@gist_bot", "help", "see /help", ""];
        assert!(!said.into_iter().any(is_command));
    }

    #[test]
    fn a_command_is_read_with_what_follows_it() {
        for (text, read) in [
            ("/help", Some((Name::Help, ""))),
            ("/HELP", Some((Name::Help, ""))),
            ("/start@gist_bot  a \n b", Some((Name::Start, "a b"))),
            ("/help@Gist_Bot", Some((Name::Help, ""))),
            ("/help@other_bot", None),
            ("/help@", None),
            ("/helpless", None),
            ("/", None),
            ("/@gist_bot", None),
            ("help", None),
            ("", None),
        ] {
            let read = read.map(|(name, arguments)| (name, arguments.to_owned()));
            assert_eq!(ours(text), read, "{text:?}");
        }
        assert_eq!(parse("/help@gist_bot", None), Parsed::Others, "it does not know that it is meant");
    }

    #[test]
    fn arguments_are_bounded() {
        let (_, arguments) = ours(&format!("/start {}", "ж".repeat(5_000))).expect("a command");
        assert_eq!(arguments.chars().count(), ARGUMENTS_MAX);
        let many = "a ".repeat(5_000);
        let (_, arguments) = ours(&format!("/start {many}")).expect("a command");
        assert_eq!(arguments.len(), ARGUMENTS_MAX);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text: String, bot: Option<String>) {
            for text in [text.clone(), format!("/help {text}"), format!("/help@{text}")] {
                if let Parsed::Ours { arguments, .. } = parse(&text, bot.as_deref()) {
                    prop_assert!(arguments.chars().count() <= ARGUMENTS_MAX);
                }
            }
        }
    }
}
