//! The digest's own words, in the language of the window; everything else is quoted.

use crate::compress::fit;

/// Most characters of the headline, and of one of its parts.
const HEADLINE_CHARS_MAX: usize = 160;
const PART_CHARS_MAX: usize = 110;
/// Things that the headline names.
const PARTS_MAX: usize = 2;

/// One line: what the window holds where that is little, else the first of the lists that has anything.
pub(crate) fn headline(
    language: &str,
    held: Option<String>,
    lists: [&[&str]; 2],
    message_count: usize,
) -> String {
    if let Some(held) = held {
        return held;
    }
    let Some(list) = lists.into_iter().find(|list| !list.is_empty()) else {
        return messages(language, message_count);
    };
    let mut line = String::new();
    for part in list.iter().take(PARTS_MAX) {
        let part = fit(part.trim_end_matches('.'), PART_CHARS_MAX);
        if line.is_empty() {
            line = part;
        } else if line.chars().count() + part.chars().count() + 2 <= HEADLINE_CHARS_MAX {
            line = format!("{line}; {part}");
        }
    }
    line
}

/// What is told of a question of an earlier window: when it was asked, and by whom.
pub(crate) fn earlier_question(language: &str, day: &str, author: &str) -> String {
    let asked = if language == "ru" { "Вопрос от" } else { "Question of" };
    if author.is_empty() { format!("{asked} {day}") } else { format!("{asked} {day} ({author})") }
}

/// `3 messages`, in the digest's language.
pub(crate) fn messages(language: &str, count: usize) -> String {
    let word = if language == "ru" {
        ["сообщение", "сообщения", "сообщений"][russian_plural(count)]
    } else {
        ["message", "messages"][usize::from(count != 1)]
    };
    format!("{count} {word}")
}

fn russian_plural(count: usize) -> usize {
    match (count % 10, count % 100) {
        (_, 11..=14) => 2,
        (1, _) => 0,
        (2..=4, _) => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_name_decisions_before_topics() {
        let line = |decided: &[&str], titles: &[&str]| headline("en", None, [decided, titles], 9);
        assert_eq!(line(&["Ann: Friday it is."], &["Release date"]), "Ann: Friday it is");
        assert_eq!(line(&[], &["Release date", "Lunch", "Cats"]), "Release date; Lunch");
        assert_eq!(line(&[], &[]), "9 messages");
        assert_eq!(headline("ru", Some("Только ссылки".to_owned()), [&["a"], &[]], 2), "Только ссылки");
    }

    #[test]
    fn counts_agree_in_number() {
        assert_eq!(
            [1, 3, 11].map(|count| messages("ru", count)),
            ["1 сообщение", "3 сообщения", "11 сообщений"]
        );
        assert_eq!(messages("en", 1), "1 message");
    }
}
