//! The digest's own words, in the language of the window; everything else is quoted.

/// Most characters of a quotation, of a title and of the headline.
const QUOTE_CHARS_MAX: usize = 240;
const TITLE_CHARS_MAX: usize = 64;
const HEADLINE_CHARS_MAX: usize = 160;

/// Counts that the headline names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) messages: usize,
    pub(crate) decisions: usize,
    pub(crate) questions: usize,
    pub(crate) actions: usize,
}

/// One line: the largest subjects and what came of them.
pub(crate) fn headline(language: &str, titles: &[String], counts: Counts) -> String {
    let russian = language == "ru";
    let noun = |count: usize, english: [&str; 2], forms: [&str; 3]| {
        let word = if russian { forms[russian_plural(count)] } else { english[usize::from(count != 1)] };
        format!("{count} {word}")
    };
    let mut facts = Vec::new();
    if counts.decisions > 0 {
        facts.push(noun(counts.decisions, ["decision", "decisions"], ["решение", "решения", "решений"]));
    }
    if counts.questions > 0 {
        let forms = ["открытый вопрос", "открытых вопроса", "открытых вопросов"];
        facts.push(noun(counts.questions, ["open question", "open questions"], forms));
    }
    if counts.actions > 0 {
        facts.push(noun(counts.actions, ["action", "actions"], ["задача", "задачи", "задач"]));
    }
    if facts.is_empty() {
        facts.push(noun(counts.messages, ["message", "messages"], ["сообщение", "сообщения", "сообщений"]));
    }
    let facts = facts.join(", ");
    if titles.is_empty() {
        return facts;
    }
    let room = HEADLINE_CHARS_MAX.saturating_sub(facts.chars().count() + 3);
    format!("{} — {facts}", text::truncate(&titles.join("; "), room))
}

fn russian_plural(count: usize) -> usize {
    match (count % 10, count % 100) {
        (_, 11..=14) => 2,
        (1, _) => 0,
        (2..=4, _) => 1,
        _ => 2,
    }
}

/// A quotation on one line, cut between words.
pub(crate) fn quote(text: &str) -> String {
    text::truncate(&one_line(text), QUOTE_CHARS_MAX)
}

/// The opening words of a text, as a title.
pub(crate) fn title(text: &str) -> String {
    text::truncate(&one_line(text), TITLE_CHARS_MAX)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_agree_in_number() {
        let counts = Counts { messages: 9, decisions: 1, questions: 2, actions: 5 };
        let titles = ["вода".to_owned(), "афиша".to_owned()];
        assert_eq!(headline("ru", &titles, counts), "вода; афиша — 1 решение, 2 открытых вопроса, 5 задач");
        assert_eq!(headline("en", &[], counts), "1 decision, 2 open questions, 5 actions");
        let none = Counts { messages: 1, decisions: 0, questions: 0, actions: 0 };
        assert_eq!(headline("en", &["rain".to_owned()], none), "rain — 1 message");
    }

    #[test]
    fn quotes_are_one_line_and_short() {
        assert_eq!(quote("a\n b"), "a b");
        assert!(quote(&"слово ".repeat(100)).chars().count() <= QUOTE_CHARS_MAX);
    }
}
