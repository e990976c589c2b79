//! Splits chat text into sentences: by lines, then by final punctuation, smileys and emoji. A line that ends in a comma goes
//! on in the next.
//!
//! Invariant: ranges ascend, do not overlap, lie on character borders, and leave out nothing but space and
//! bullets.

use std::ops::Range;

/// Words whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 38] = [
    "al", "approx", "cf", "co", "dr", "e.g", "etc", "fig", "i.e", "inc", "jr", "mr", "mrs", "ms", "no",
    "prof", "sr", "st", "vs", "в т.ч", "г", "гг", "д", "др", "е", "им", "к", "кв", "млн", "млрд", "напр",
    "п", "пр", "руб", "см", "т", "тыс", "ул",
];

/// Byte ranges of the sentences of `text`, without bullets and surrounding space.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut end) = (0, 0);
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        end += line.len();
        if lines.peek().is_some_and(|next| goes_on(line, next)) {
            continue;
        }
        split_line(text, start..end, &mut found);
        start = end;
    }
    found
}

fn goes_on(line: &str, next: &str) -> bool {
    let begins = |next: &str| next.chars().next().is_some_and(char::is_alphanumeric);
    line.trim_end().ends_with(',') && bullet_length(next) == 0 && begins(next)
}

fn split_line(text: &str, line: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut start = line.start + bullet_length(&text[line.clone()]);
    let mut at = start;
    while at < line.end {
        if let Some(length) = boundary(&text[start..line.end], at - start) {
            push_trimmed(text, start..at + length, found);
            at += length;
            start = at;
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    push_trimmed(text, start..line.end, found);
}

fn push_trimmed(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let slice = &text[range.clone()];
    let trimmed = slice.trim();
    if trimmed.chars().any(char::is_alphanumeric) {
        let start = range.start + (slice.len() - slice.trim_start().len());
        found.push(start..start + trimmed.len());
    } else if let Some(last) = found.last_mut().filter(|last| !trimmed.is_empty() && last.end <= range.start)
    {
        // Smileys and stray punctuation stay with what they comment on, on the same line only.
        if !text[last.end..range.start].contains('\n') {
            last.end = range.end - (slice.len() - slice.trim_end().len());
        }
    }
}

/// Bytes of leading space and a bullet: `- `, `* `, `• `, `1. `, `2) `.
fn bullet_length(line: &str) -> usize {
    let body = line.trim_start();
    let indent = line.len() - body.len();
    let digits = body.len() - body.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let after_digits = &body[digits..];
    let mark = match body.chars().next() {
        Some(c @ ('-' | '*' | '•' | '–' | '—' | '>')) => c.len_utf8(),
        _ if (1..=2).contains(&digits) && after_digits.starts_with(['.', ')']) => digits + 1,
        _ => return indent,
    };
    let rest = &body[mark..];
    if rest.starts_with(' ') { indent + mark + (rest.len() - rest.trim_start().len()) } else { indent }
}

/// Bytes of the final punctuation at `at` of `line`, if a sentence ends there.
fn boundary(line: &str, at: usize) -> Option<usize> {
    let rest = &line[at..];
    let first = rest.chars().next()?;
    let run_length = rest.len() - rest.trim_start_matches(is_final_or_closing).len();
    let run = &rest[..run_length];
    let after = &rest[run_length..];
    if !after.is_empty() && !after.starts_with(char::is_whitespace) {
        return None;
    }
    let ends = match first {
        '!' | '?' | '…' => true,
        '.' => run.len() > 1 || !is_abbreviation(&line[..at]),
        ')' => run.starts_with("))"),
        c if is_emoji(c) => after.trim_start().chars().next().is_none_or(char::is_uppercase),
        _ => false,
    };
    ends.then_some(run_length)
}

fn is_final_or_closing(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | ')' | ']' | '"' | '»' | '”' | '\'') || is_emoji(c)
}

fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x1F300..=0x1FAFF | 0x2600..=0x27BF | 0xFE0F | 0x200D)
}

/// Whether the text before a full stop ends in an abbreviation or an initial.
fn is_abbreviation(before: &str) -> bool {
    let last_word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let word = crate::token::fold(last_word);
    let last = word.rsplit('.').next().unwrap_or_default();
    let initial = last.chars().count() == 1 && before.ends_with(char::is_uppercase);
    initial || ABBREVIATIONS.contains(&word.as_str()) || (word.contains('.') && ABBREVIATIONS.contains(&last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_line_that_ends_in_a_comma_goes_on() {
        assert_eq!(
            split(
                "Добавляя таймер на всю группу,\nвы просите ждать перед каждым запросом\nперед каждым шагом"
            ),
            ["Добавляя таймер на всю группу,\nвы просите ждать перед каждым запросом", "перед каждым шагом"]
        );
        assert_eq!(split("we need milk,\n- eggs\n- tea,"), ["we need milk,", "eggs", "tea,"], "a list");
        assert_eq!(split("hello,\n\nall is well"), ["hello,", "all is well"], "a paragraph ends it");
    }

    #[test]
    fn versions_urls_and_abbreviations_do_not_split() {
        assert_eq!(
            split("Взяли 3.1.2, см. https://a.example/b.html и т.д. потом. Всё упало."),
            ["Взяли 3.1.2, см. https://a.example/b.html и т.д. потом.", "Всё упало."]
        );
        assert_eq!(split("Ask J. Smith, e.g. today. ok then"), ["Ask J. Smith, e.g. today.", "ok then"]);
    }

    #[test]
    fn spaces_of_several_bytes_do_not_panic() {
        assert_eq!(split("this\u{a0}one. Two"), ["this\u{a0}one.", "Two"]);
    }

    #[test]
    fn lines_and_bullets_split() {
        assert_eq!(split("План:\n- первое\n2) второе\n\n* третье"), ["План:", "первое", "второе", "третье"]);
    }

    #[test]
    fn smileys_and_emoji_split() {
        assert_eq!(split("ну да)) а потом?! нет 🙂 Да"), ["ну да))", "а потом?!", "нет 🙂", "Да"]);
        assert_eq!(split("Готово. 👍"), ["Готово. 👍"]);
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert!(split(" \n ... \n").is_empty());
    }

    proptest! {
        #[test]
        fn ranges_ascend(text in "[a-zА-я0-9 .!?\\n)🙂*-]{0,80}") {
            let mut end = 0;
            for range in sentences(&text) {
                prop_assert!(range.start >= end && range.end > range.start);
                prop_assert!(text.get(range.clone()).is_some());
                end = range.end;
            }
        }
    }
}
