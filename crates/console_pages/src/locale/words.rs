//! The one table of words: English beside Russian.
//!
//! Invariant: a word without its translation does not compile, and an empty one fails a test.

/// Forms of a noun for one, few and many.
pub type Noun = [&'static str; 3];

macro_rules! words {
    (
        words { $($word:ident: $english:literal, $russian:literal;)+ }
        nouns { $($noun:ident: $one:literal, $few:literal, $many:literal, $od:literal, $dva:literal, $pyat:literal;)+ }
        names { $($name:literal: $in_english:literal, $in_russian:literal;)+ }
    ) => {
        /// Words of a language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is named for what it says")]
        pub struct Words {
            $(pub $word: &'static str,)+
            $(pub $noun: Noun,)+
            names: &'static [(&'static str, &'static str)],
        }

        impl Words {
            pub(super) const ENGLISH: Self = Self {
                $($word: $english,)+
                $($noun: [$one, $few, $many],)+
                names: &[$(($name, $in_english)),+],
            };
            pub(super) const RUSSIAN: Self = Self {
                $($word: $russian,)+
                $($noun: [$od, $dva, $pyat],)+
                names: &[$(($name, $in_russian)),+],
            };

            /// All of it, by name: what a test looks through.
            #[cfg(test)]
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                let mut all = vec![$((stringify!($word), self.$word)),+];
                $(all.extend(self.$noun.map(|form| (stringify!($noun), form)));)+
                all.extend_from_slice(self.names);
                all
            }
        }
    };
}

include!("words_table.rs");

impl Words {
    /// What an event calls by name, in words; none of a name that this version does not know.
    pub fn named(&self, name: &str) -> Option<&'static str> {
        self.names.iter().find(|(known, _)| *known == name).map(|(_, words)| *words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_there_in_both_languages() {
        let (english, russian) = (Words::ENGLISH.all(), Words::RUSSIAN.all());
        assert_eq!(english.len(), russian.len());
        for ((name, english), (same, russian)) in english.into_iter().zip(russian) {
            assert_eq!(name, same);
            for word in [english, russian] {
                assert!(!word.is_empty() && word.trim() == word.trim_start(), "{name}: {word:?}");
            }
            let is_cyrillic =
                |word: &str| word.chars().any(|c| matches!(c, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё'));
            assert!(!is_cyrillic(english), "{name}: {english}");
            assert!(is_cyrillic(russian) || russian.is_ascii() && russian == english, "{name}: {russian}");
        }
    }

    #[test]
    fn a_name_that_is_not_known_is_none() {
        assert_eq!(Words::ENGLISH.named("low_quality"), Some("quality below the threshold"));
        assert_eq!(Words::RUSSIAN.named("of_a_later_version"), None);
    }
}
