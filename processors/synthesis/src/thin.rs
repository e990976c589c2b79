//! Windows that hold little: what they hold is said instead of what was talked about.

use crate::{source::Source, wording};
use schemas::DigestState;
use std::collections::BTreeMap;
use text::Noise;

/// Share of letters of other scripts from which a window is said to be in a language that is not read here.
const FOREIGN_SHARE: f64 = 0.5;

/// Why a window holds little; none for a window with something to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thin {
    Bots,
    Stickers,
    Links,
    Dumps,
    SmallTalk,
    /// One text, posted so many times.
    Repeated(usize),
    /// A script other than Latin and Cyrillic.
    Foreign,
}

/// Judges a window by what people wrote in it.
pub(crate) fn thin(state: &DigestState, source: &Source<'_>) -> Option<Thin> {
    let people: Vec<&str> = state
        .messages
        .iter()
        .filter(|message| !message.is_bot)
        .map(|message| message.text.as_str())
        .collect();
    if people.is_empty() {
        return Some(Thin::Bots);
    }
    let mut kinds: BTreeMap<Noise, usize> = BTreeMap::new();
    let mut telling = 0;
    for post in source.posts.iter().filter(|post| !post.message.is_bot) {
        match post.noise {
            Some(kind) => *kinds.entry(kind).or_insert(0) += 1,
            None => telling += 1,
        }
    }
    if telling == 0 {
        let most = kinds.into_iter().max_by_key(|(_, count)| *count);
        return most.map(|(kind, _)| match kind {
            Noise::Sticker => Thin::Stickers,
            Noise::Link => Thin::Links,
            Noise::Code | Noise::Log => Thin::Dumps,
            Noise::Laugh | Noise::Greeting | Noise::Thanks | Noise::SmallTalk => Thin::SmallTalk,
        });
    }
    let distinct = source.posts.iter().filter(|post| post.quotable).count();
    if distinct == 1 && people.len() > 1 {
        return Some(Thin::Repeated(people.len()));
    }
    let letters: Vec<char> =
        people.iter().flat_map(|text| text.chars()).filter(|c| c.is_alphabetic()).collect();
    let foreign = letters.iter().filter(|c| !text::is_cyrillic(**c) && !is_latin(**c)).count();
    (foreign as f64 > FOREIGN_SHARE * letters.len() as f64).then_some(Thin::Foreign)
}

fn is_latin(c: char) -> bool {
    c < '\u{250}'
}

impl Thin {
    /// What the window holds, in the digest's language.
    pub(crate) fn text(self, language: &str, messages: usize) -> String {
        let (russian, english) = match self {
            Self::Bots => ("Писали только боты", "Only bots wrote"),
            Self::Stickers => ("Только стикеры и эмодзи", "Only stickers and emoji"),
            Self::Links => ("Только ссылки без слов", "Only links without words"),
            Self::Dumps => ("Только код и журналы", "Only code and logs"),
            Self::SmallTalk => ("Только приветствия и короткие реплики", "Only greetings and small talk"),
            Self::Repeated(_) => ("Одно и то же сообщение", "One message, repeated"),
            Self::Foreign => {
                ("Язык, которого дайджест не читает", "A language that the digest does not read")
            }
        };
        let said = if language == "ru" { russian } else { english };
        let count = if let Self::Repeated(times) = self { times } else { messages };
        format!("{said}: {}", wording::messages(language, count))
    }
}
