//! Languages of the pages: words, plural forms, numbers and dates.
//!
//! Invariant: every word of a page stands in one table, in every language.

mod dates;
mod numbers;
mod words;

pub use words::{Noun, Words};

pub(crate) use dates::Dates;
pub(crate) use numbers::{Count, bytes, decimal, grouped};

use serde::{Deserialize, Serialize};

/// A language of the pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Russian.
    Russian,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::English, Self::Russian];

    /// Its code, as `lang` and cookies have it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// What it calls itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Russian => "Русский",
        }
    }

    /// The language of a cookie.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The first language that a browser accepts of those that there are; English where it accepts none.
    pub fn accepted(header: &str) -> Self {
        let mut wanted: Vec<(f32, Self)> = header
            .split(',')
            .filter_map(|entry| {
                let (tag, rest) = entry.split_once(';').unwrap_or((entry, ""));
                let primary = tag.trim().split('-').next()?.to_ascii_lowercase();
                let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse().ok())?;
                (weight > 0.0).then_some((weight, Self::from_code(&primary)?))
            })
            .collect();
        wanted.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        wanted.first().map_or(Self::English, |(_, language)| *language)
    }

    /// Its words.
    pub const fn words(self) -> &'static Words {
        match self {
            Self::English => &Words::ENGLISH,
            Self::Russian => &Words::RUSSIAN,
        }
    }

    /// Which form of a noun a count takes: 0 of one, 1 of few, 2 of many. English has no few.
    pub const fn form(self, count: u64) -> usize {
        match (self, count % 10, count % 100) {
            (Self::English, ..) => {
                if count == 1 {
                    0
                } else {
                    2
                }
            }
            (Self::Russian, _, 11..=14) => 2,
            (Self::Russian, 1, _) => 0,
            (Self::Russian, 2..=4, _) => 1,
            (Self::Russian, ..) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_counts_take_three_forms_and_english_two() {
        let forms = |language: Language| {
            [0, 1, 2, 4, 5, 11, 12, 14, 21, 22, 25, 101, 111, 1_002].map(|n| language.form(n))
        };
        assert_eq!(forms(Language::Russian), [2, 0, 1, 1, 2, 2, 2, 2, 0, 1, 2, 0, 2, 1]);
        assert_eq!(forms(Language::English), [2, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    }

    #[test]
    fn the_language_that_a_browser_wants_most_is_taken() {
        for (header, wanted) in [
            ("ru-RU,ru;q=0.9,en;q=0.8", Language::Russian),
            ("en;q=0.3, ru;q=0.7", Language::Russian),
            ("de, en-GB;q=0.5", Language::English),
            ("ru;q=0", Language::English),
            ("ru;q=x", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::accepted(header), wanted, "{header}");
        }
    }
}
