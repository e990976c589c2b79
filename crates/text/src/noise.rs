//! Text that tells a reader nothing: greetings, thanks, laughter, bare links, code, logs.
//!
//! Invariant: pure and linear in the text. What may hold a subject is never noise: one unknown word is enough, but
//! for a name beside a greeting.

mod dump;
mod lexis;

use self::lexis::{BESIDE, GREETINGS, LAUGHS, THANKS};
use crate::{
    stopword::{is_small_talk, is_stopword},
    token::{Token, TokenKind, scan},
};

/// Why a text tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noise {
    /// Program text, markup, configuration or a query, with at most a few words around it.
    Code,
    /// Lines of a log or a stack trace, with at most a few words around them.
    Log,
    /// Addresses alone.
    Link,
    /// Emoji, smileys, punctuation or nothing.
    Sticker,
    /// Laughter, alone or with small talk.
    Laugh,
    /// A greeting or a farewell without anything else.
    Greeting,
    /// Thanks, alone or with what one says beside it ("thanks, I'll try").
    Thanks,
    /// Words of small talk alone. It may still agree, refuse or answer what was asked before it.
    SmallTalk,
}

/// Most words beside a greeting that nothing explains: the name of who is greeted.
const NAMES_MAX: usize = 2;

/// Why a text tells nothing, or none where it may tell something.
///
/// A message that asks, states or names anything beside its code or log is no noise unless the dump is most of it: hand
/// it over by sentences to part the two.
pub fn noise(text: &str) -> Option<Noise> {
    if let Some(noise) = dump::dump(text) {
        return Some(noise);
    }
    let (mut words, mut unknown) = (Vec::new(), 0);
    let (mut address, mut called) = (false, false);
    for token in scan(text) {
        match token.kind {
            TokenKind::Address => address = true,
            TokenKind::Mention => called = true,
            TokenKind::Word | TokenKind::Number => {
                unknown += usize::from(!is_idle(&token) && !is_laugh(&token.text));
                words.push(token);
            }
        }
        // Whatever follows, this has a subject.
        if unknown > NAMES_MAX || (address && !words.is_empty()) {
            return None;
        }
    }
    if words.is_empty() {
        return Some(match (address, called) {
            (true, _) => Noise::Link,
            (false, true) => Noise::SmallTalk,
            (false, false) => Noise::Sticker,
        });
    }
    talk(text, &words, unknown)
}

/// What words of which at most [`NAMES_MAX`] are unknown tell.
fn talk(text: &str, words: &[Token<'_>], unknown: usize) -> Option<Noise> {
    let is = |list: &[&str], word: &Token<'_>| list.contains(&word.text.as_ref());
    let greets = words.iter().any(|word| is(&GREETINGS, word));
    if greets && words.len() <= NAMES_MAX + 3 && !text.contains('?') {
        let mut plain = words.iter().filter(|word| !is_idle(word));
        if unknown == 0 || plain.all(|word| is_name(text, word)) {
            return Some(Noise::Greeting);
        }
    }
    if unknown > 0 {
        return None;
    }
    if words.iter().any(|word| is(&THANKS, word)) {
        Some(Noise::Thanks)
    } else if words.iter().any(|word| is_laugh(&word.text)) {
        Some(Noise::Laugh)
    } else if greets {
        Some(Noise::Greeting)
    } else {
        let weak = words.iter().all(|word| !BESIDE.contains(&word.text.as_ref()));
        weak.then_some(Noise::SmallTalk)
    }
}

/// Whether a word has no subject of its own.
fn is_idle(token: &Token<'_>) -> bool {
    let word = token.text.as_ref();
    token.kind == TokenKind::Word
        && (is_stopword(word)
            || is_small_talk(word)
            || GREETINGS.contains(&word)
            || THANKS.contains(&word)
            || BESIDE.contains(&word))
}

/// A word that is written like a name.
fn is_name(text: &str, token: &Token<'_>) -> bool {
    token.kind == TokenKind::Word && text[token.range.clone()].starts_with(char::is_uppercase)
}

/// `haha`, `ахахах`, `лол`.
fn is_laugh(word: &str) -> bool {
    let of = |letters: &str, h: char| {
        word.chars().all(|c| letters.contains(c)) && word.chars().filter(|c| *c == h).count() >= 2
    };
    LAUGHS.contains(&word) || of("hae", 'h') || of("хаыеэпв", 'х')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_tells_nothing_is_named() {
        for (text, wanted) in [
            ("Всем привет!", Noise::Greeting),
            ("Добрый день, коллеги", Noise::Greeting),
            ("Morning all.", Noise::Greeting),
            ("hi Kit!", Noise::Greeting),
            ("Спасибо большое, попробую", Noise::Thanks),
            ("thanks, I'll try 🙏", Noise::Thanks),
            ("ахахаха", Noise::Laugh),
            ("lol, nice one", Noise::Laugh),
            ("https://a.example/x?y=1", Noise::Link),
            ("🔥🔥🔥", Noise::Sticker),
            (":)))", Noise::Sticker),
            ("", Noise::Sticker),
            ("ок, понял", Noise::SmallTalk),
            ("@anna", Noise::SmallTalk),
            ("String url = vars.get(\"url\");\nlog.info(url);", Noise::Code),
            ("{\"id\": 7, \"name\": \"a\"}", Noise::Code),
            ("<dependency><groupId>io.gatling</groupId></dependency>", Noise::Code),
            ("${__P(users,10)}", Noise::Code),
            ("2021-03-04 10:11:12,345 ERROR o.a.j.JMeter: Uncaught exception", Noise::Log),
            ("java.lang.NullPointerException: null\n\tat org.a.B.run(B.java:12)", Noise::Log),
            ("#\n# A fatal error has been detected:\n# JRE version: 15\n# Java VM: HotSpot", Noise::Log),
            ("Traceback (most recent call last):\n  File \"a.py\", line 3", Noise::Log),
        ] {
            assert_eq!(noise(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_has_a_subject_is_no_noise() {
        for text in [
            "Всем привет! Кто-нибудь настраивал Grafana?",
            "Коллеги, релиз переносим на пятницу",
            "Спасибо, но таймаут не помог",
            "thanks, deploying it now",
            "ok, let's do Friday",
            "the retry layer creates a new key (see LK-812)",
            "Параметр -J не работает в JMeter 5.4.1",
            "вот статья https://a.example/x",
            "Привет, как настроить Ultimate Thread Group?",
            "Падает с NullPointerException, что делать?",
            "Hannah said: \"no\"",
            "В 13:00 (у входа) собираемся))",
        ] {
            assert_eq!(noise(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in "\\PC{0,200}") {
            let _: Option<Noise> = noise(&text);
        }
    }
}
