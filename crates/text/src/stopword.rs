//! Words that carry no subject: function words, and small talk that is unfit as a label.
//!
//! Invariant: the lists are folded (a test holds it), so that folded tokens are found.

use std::{collections::HashSet, sync::LazyLock};

static FUNCTION_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lists = [include_str!("../words/stop_ru.txt"), include_str!("../words/stop_en.txt")];
    lists.iter().flat_map(|list| list.split_whitespace()).collect()
});
static SMALL_TALK: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("../words/small_talk.txt").split_whitespace().collect());

/// Whether a folded token is a function word of Russian or English.
pub fn is_stopword(token: &str) -> bool {
    FUNCTION_WORDS.contains(token)
}

/// Whether a folded token is small talk (`ok`, `спасибо`): content to a reader of tone, never a label.
pub fn is_small_talk(token: &str) -> bool {
    SMALL_TALK.contains(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_folded() {
        let mut words = FUNCTION_WORDS.iter().chain(SMALL_TALK.iter());
        assert!(words.all(|word| crate::token::fold(word) == *word));
    }

    #[test]
    fn both_languages_are_known() {
        assert!(is_stopword("что") && is_stopword("the") && is_stopword("еще"));
        assert!(!is_stopword("нагрузка") && !is_stopword("thanks"));
        assert!(is_small_talk("спасибо") && is_small_talk("thanks") && !is_small_talk("jmeter"));
    }
}
