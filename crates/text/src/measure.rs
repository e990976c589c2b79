//! Lengths of texts: prompt tokens, and truncation that is safe for Cyrillic and emoji.
//!
//! Invariant: a truncated text is never longer than asked and never splits a grapheme.

use unicode_segmentation::UnicodeSegmentation;

const ELLIPSIS: char = '…';

/// Prompt tokens of a text, roughly: 4 characters each in ASCII, 2.5 in other scripts, rounded up.
pub fn token_estimate(text: &str) -> usize {
    let characters = text.chars().count();
    let ascii = text.chars().filter(char::is_ascii).count();
    ascii.div_ceil(4) + ((characters - ascii) * 2).div_ceil(5)
}

/// At most `max_chars` characters (Unicode scalar values), cut between words where one ends in the second
/// half, else between graphemes; a cut text ends in `…`.
pub fn truncate(text: &str, max_chars: usize) -> String {
    if text.chars().count() <= max_chars {
        return text.to_owned();
    }
    let Some(room) = max_chars.checked_sub(1) else { return String::new() };
    let mut used = 0;
    let mut end = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.chars().count();
        if used > room {
            break;
        }
        end = at + grapheme.len();
    }
    let kept = &text[..end];
    let splits_word = text[end..].starts_with(char::is_alphanumeric);
    let border = kept.rfind(char::is_whitespace).filter(|&at| splits_word && at * 2 >= kept.len());
    let kept = &kept[..border.unwrap_or(kept.len())];
    let mut cut = kept.trim_end_matches(|c: char| c.is_whitespace() || ",;:—–-".contains(c)).to_owned();
    cut.push(ELLIPSIS);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn estimates_by_script() {
        assert_eq!(token_estimate("abcdefgh"), 2);
        assert_eq!(token_estimate("привет"), 3);
        assert_eq!(token_estimate(""), 0);
    }

    #[test]
    fn cuts_between_words() {
        assert_eq!(truncate("нагрузка выросла, чиним базу", 20), "нагрузка выросла…");
        assert_eq!(truncate("короткий", 20), "короткий");
        assert_eq!(truncate("оченьдлинноеслово", 6), "очень…");
        assert_eq!(truncate("abc", 0), "");
    }

    #[test]
    fn keeps_graphemes_whole() {
        assert_eq!(truncate("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 9), "👩‍👩‍👧‍👦…");
    }

    proptest! {
        #[test]
        fn never_longer_than_asked(text in "\\PC{0,40}", max_chars in 0_usize..30) {
            prop_assert!(truncate(&text, max_chars).chars().count() <= max_chars);
        }
    }
}
