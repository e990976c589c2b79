//! The language of a window, and stemming by script.
//!
//! Invariant: a window is decided as a whole, since single messages mix languages.

use crate::token::{Token, TokenKind, tokenize};
use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};

/// Percentage of Cyrillic letters from which a window is Russian: English groups have next to none, while
/// Russian engineers write half of their letters in Latin.
const CYRILLIC_PERCENT_MIN: usize = 20;

/// A language that digests are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// ISO 639-1 code, as on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The language of a code; `None` for one that digests are not written in.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Ru, Self::En].into_iter().find(|language| language.code() == code)
    }
}

/// The language of a window's texts; English when there are no letters.
pub fn detect<'a>(texts: impl IntoIterator<Item = &'a str>) -> Language {
    let (mut cyrillic, mut letters) = (0_usize, 0_usize);
    for text in texts {
        for token in tokenize(text).iter().filter(|token| token.kind == TokenKind::Word) {
            for c in token.text.chars().filter(|c| c.is_alphabetic()) {
                letters += 1;
                cyrillic += usize::from(is_cyrillic(c));
            }
        }
    }
    if letters > 0 && cyrillic * 100 >= letters * CYRILLIC_PERCENT_MIN { Language::Ru } else { Language::En }
}

/// Letters of a chat by script, for who has to know its language before there is a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letters {
    cyrillic: u32,
    all: u32,
}

impl Letters {
    /// Counts the letters of a text.
    pub fn add(&mut self, text: &str) {
        for c in text.chars().filter(|c| c.is_alphabetic()) {
            self.all = self.all.saturating_add(1);
            self.cyrillic = self.cyrillic.saturating_add(u32::from(is_cyrillic(c)));
        }
    }

    /// Halves both counts until there are no more than `max` letters.
    pub fn forget_beyond(&mut self, max: u32) {
        while self.all > max {
            self.all /= 2;
            self.cyrillic /= 2;
        }
    }

    /// The language, by the same share as [`detect`]; none without letters.
    pub fn language(&self) -> Option<Language> {
        let is_russian = u64::from(self.cyrillic) * 100 >= u64::from(self.all) * CYRILLIC_PERCENT_MIN as u64;
        (self.all > 0).then_some(if is_russian { Language::Ru } else { Language::En })
    }
}

/// Whether a letter is of the Cyrillic script.
pub fn is_cyrillic(c: char) -> bool {
    ('\u{400}'..='\u{52f}').contains(&c)
}

/// Stem of a folded token: Snowball's Russian or English by script; identifiers and numbers as they are.
pub fn stem(token: &str) -> String {
    let algorithm = if token.chars().all(is_cyrillic) {
        Algorithm::Russian
    } else if token.chars().all(|c| c.is_ascii_alphabetic() || c == '\'') {
        Algorithm::English
    } else {
        return token.to_owned();
    };
    Stemmer::create(algorithm).stem(token).into_owned()
}

/// Stems of the content words of a text, in order: no stopwords, addresses, mentions or single letters.
pub fn lemmas(text: &str) -> Vec<String> {
    lemmas_of(&tokenize(text)).collect()
}

/// The [`lemmas`] of a text that is split already.
pub fn lemmas_of<'t>(tokens: &'t [Token<'_>]) -> impl Iterator<Item = String> + 't {
    tokens
        .iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Number))
        .filter(|token| token.text.chars().nth(1).is_some() && !crate::is_stopword(&token.text))
        .map(|token| stem(&token.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixed_russian_message_is_russian() {
        assert_eq!(detect(["deploy на staging упал"]), Language::Ru);
        assert_eq!(detect(["kubectl get pods -n prod", "ну и что там", "ещё раз"]), Language::Ru);
    }

    #[test]
    fn an_english_window_with_a_russian_name_is_english() {
        assert_eq!(detect(["thanks Иван, the build is green again and staging is up"]), Language::En);
        assert_eq!(detect(["12:30", "https://пример.example"]), Language::En);
        assert_eq!(detect([]), Language::En);
    }

    #[test]
    fn letters_that_were_counted_long_ago_count_less() {
        let mut letters = Letters::default();
        assert_eq!(letters.language(), None);
        letters.add("12:30 - 👍");
        assert_eq!(letters.language(), None);
        letters.add("Привет");
        assert_eq!(letters.language(), Some(Language::Ru));
        for _ in 0..100 {
            letters.add("the release is out, and staging is up again");
            letters.forget_beyond(1_000);
        }
        assert_eq!(letters.language(), Some(Language::En));
        assert!(letters.all <= 1_000);
    }

    #[test]
    fn stems_by_script() {
        assert_eq!(stem("нагрузки"), stem("нагрузка"));
        assert_eq!(stem("testing"), stem("tests"));
        assert_eq!(stem("k8s"), "k8s");
    }

    #[test]
    fn lemmas_are_content() {
        assert_eq!(
            lemmas("А что с нагрузкой на k8s? @ivan https://a.example"),
            [stem("нагрузка"), "k8s".into()]
        );
    }

    #[test]
    fn codes_round_trip() {
        for language in [Language::Ru, Language::En] {
            assert_eq!(Language::parse(language.code()), Some(language));
        }
        assert_eq!(Language::parse("de"), None);
    }
}
