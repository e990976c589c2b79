//! What words and emoji weigh: English by form, Russian by stem.
//!
//! Invariant: only looked up, never iterated, so that the order of the maps reaches no output.

use std::{collections::HashMap, sync::LazyLock};

/// Later files outrank earlier ones.
const ENGLISH: [&str; 2] = [include_str!("../lexicons/vader.tsv"), include_str!("../lexicons/english.tsv")];
const RUSSIAN: [&str; 2] = [include_str!("../lexicons/cedr.tsv"), include_str!("../lexicons/russian.tsv")];
const EMOJI: &str = include_str!("../lexicons/emoji.tsv");

static WORDS: LazyLock<HashMap<String, f64>> = LazyLock::new(|| {
    let english = ENGLISH.iter().flat_map(|file| entries(file)).map(|(word, value)| (word.to_owned(), value));
    let russian =
        RUSSIAN.iter().flat_map(|file| entries(file)).map(|(word, value)| (text::stem(word), value));
    english.chain(russian).collect()
});

static EMOJI_VALUES: LazyLock<HashMap<char, f64>> = LazyLock::new(|| {
    entries(EMOJI).filter_map(|(emoji, value)| Some((emoji.chars().next()?, value))).collect()
});

fn entries(file: &'static str) -> impl Iterator<Item = (&'static str, f64)> {
    file.lines().filter_map(|line| {
        let (word, value) = line.split_once('\t')?;
        Some((word, value.parse().ok()?))
    })
}

/// Valence of a folded word in [-4, 4]; 0 for one that is not in the lexicons.
pub(crate) fn word_valence(word: &str) -> f64 {
    let found =
        if word.chars().any(text::is_cyrillic) { WORDS.get(&text::stem(word)) } else { WORDS.get(word) };
    found.copied().unwrap_or(0.0)
}

/// Valence of an emoji in [-4, 4]; 0 for any other character.
pub(crate) fn emoji_valence(emoji: char) -> f64 {
    if emoji.is_alphanumeric() { 0.0 } else { EMOJI_VALUES.get(&emoji).copied().unwrap_or(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_and_emoji_are_known() {
        assert!(word_valence("great") > 1.0);
        assert!(word_valence("отличный") > 1.0);
        assert!(word_valence("ужасная") < -1.0);
        assert!(emoji_valence('🎉') > 1.0);
        assert_eq!((word_valence("table"), emoji_valence('x')), (0.0, 0.0));
    }

    #[test]
    fn every_line_of_the_files_parses() {
        for file in ENGLISH.iter().chain(&RUSSIAN).chain([&EMOJI]) {
            assert_eq!(entries(file).count(), file.lines().count());
            assert!(entries(file).all(|(_, value)| (-4.0..=4.0).contains(&value)));
        }
    }
}
