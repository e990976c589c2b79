//! Text for a grid of character cells: control characters out, lines wrapped between words.

use unicode_segmentation::UnicodeSegmentation;

/// Text on one line without control and direction-changing characters, runs of space as one space.
pub(crate) fn printable(text: &str) -> String {
    let visible: String =
        text.chars().filter(|c| !is_direction_mark(*c) && (c.is_whitespace() || !c.is_control())).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_direction_mark(c: char) -> bool {
    matches!(u32::from(c), 0x200E | 0x200F | 0x202A..=0x202E | 0x2066..=0x2069)
}

/// Cells that a text takes.
pub(crate) fn cells(text: &str) -> usize {
    text.graphemes(true).map(grapheme_cells).sum()
}

/// Two for emoji and East Asian wide characters, one for the rest; joined emoji count once.
fn grapheme_cells(grapheme: &str) -> usize {
    let wide = grapheme.chars().any(|c| {
        matches!(u32::from(c),
            0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
            | 0xFE0F | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1F64F
            | 0x1F680..=0x1F6FF | 0x1F900..=0x1FAFF | 0x20000..=0x3FFFD)
    });
    if wide { 2 } else { 1 }
}

/// Lines of at most `width` cells; a longer word is cut between graphemes.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let needed = cells(word);
        if used > 0 && used + 1 + needed > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        if needed <= width {
            line.push_str(word);
            used += needed;
            continue;
        }
        for grapheme in word.graphemes(true) {
            let next = grapheme_cells(grapheme);
            if used > 0 && used + next > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(grapheme);
            used += next;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wraps_between_words_and_cuts_long_ones() {
        assert_eq!(wrap("один два три", 8), ["один два", "три"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("🎉🎉🎉", 4), ["🎉🎉", "🎉"]);
    }

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c\n\td"), "a[31mbc d");
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide(text in "\\PC{0,80}", width in 2usize..40) {
            for line in wrap(&text, width) {
                prop_assert!(cells(&line) <= width);
            }
        }
    }
}
