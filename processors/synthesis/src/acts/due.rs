//! When something is due, as it was said: "by Wednesday noon", "до пятницы", "завтра утром".

use std::ops::Range;
use text::{Token, TokenKind};

/// Words that stand for a time by themselves; sorted by language, matched whole.
const TIMES: &[&str] = &[
    "today",
    "tonight",
    "tomorrow",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "noon",
    "weekend",
    "standup",
    "eod",
    "midnight",
    "сегодня",
    "завтра",
    "послезавтра",
    "понедельник",
    "понедельнику",
    "понедельника",
    "вторник",
    "вторнику",
    "вторника",
    "среду",
    "среде",
    "среды",
    "четверг",
    "четвергу",
    "четверга",
    "пятницу",
    "пятнице",
    "пятницы",
    "субботу",
    "субботе",
    "субботы",
    "воскресенье",
    "воскресенью",
    "воскресенья",
    "вечером",
    "утром",
    "вечеру",
    "выходных",
    "выходным",
    "полудню",
    "обеду",
    "обеда",
];
/// A time only together with what stands before it.
const EVENING_OF: &str = "вечера";
/// Months in the forms that follow a day.
const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
/// Words before a time that belong to it.
const BEFORE: &[&str] = &[
    "by",
    "before",
    "until",
    "till",
    "on",
    "at",
    "within",
    "in",
    "after",
    "this",
    "next",
    "the",
    "end",
    "of",
    "later",
    "до",
    "к",
    "ко",
    "в",
    "во",
    "на",
    "после",
    "этой",
    "следующей",
    "этих",
    "конца",
    "концу",
    "следующую",
    "эту",
    "через",
];
/// Units that make a time of the words before them.
const UNITS: &[&str] = &[
    "hour",
    "hours",
    "minutes",
    "day",
    "days",
    "week",
    "month",
    "morning",
    "afternoon",
    "evening",
    "night",
    "rollout",
    "release",
    "час",
    "часа",
    "часов",
    "минут",
    "дней",
    "дня",
    "неделе",
    "недели",
    "неделю",
    "месяц",
    "числа",
    "числу",
];
/// A count of tokens; a longer time is cut.
const TOKENS_MAX: usize = 6;

/// Bytes of the time that a sentence of these tokens names, if it names one.
pub(crate) fn time_named(text: &str, tokens: &[Token<'_>]) -> Option<Range<usize>> {
    let core = (0..tokens.len()).find(|at| is_time(tokens, *at))?;
    let mut start = core;
    while start > 0
        && core - start < 3
        && BEFORE.contains(&tokens[start - 1].text.as_ref())
        && joined(text, tokens, start)
    {
        start -= 1;
    }
    let mut end = core + 1;
    while end < tokens.len()
        && end - start < TOKENS_MAX
        && joined(text, tokens, end)
        && (is_time(tokens, end) || is_unit(&tokens[end]) || is_month(&tokens[end]) || is_clock(&tokens[end]))
    {
        end += 1;
    }
    Some(tokens[start].range.start..tokens[end - 1].range.end)
}

fn joined(text: &str, tokens: &[Token], right: usize) -> bool {
    text[tokens[right - 1].range.end..tokens[right].range.start].chars().all(|c| c == ' ' || c == '-')
}

fn is_time(tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    let before = at.checked_sub(1).map(|before| tokens[before].text.as_ref());
    if EVENING_OF == token.text.as_ref() {
        // "до восьми вечера" ends a task; "после шести вечера" only says when somebody is there.
        let before = &tokens[at.saturating_sub(2)..at];
        return !before.iter().any(|token| matches!(token.text.as_ref(), "после" | "с" | "со"));
    }
    if TIMES.contains(&token.text.as_ref()) {
        return true;
    }
    let framed = before.is_some_and(|before| {
        matches!(
            before,
            "by" | "before"
                | "until"
                | "till"
                | "within"
                | "this"
                | "next"
                | "the"
                | "до"
                | "к"
                | "через"
                | "после"
        ) || before == "этой"
            || before == "следующей"
            || before == "эту"
            || before == "следующую"
    });
    if token.kind == TokenKind::Number || is_ordinal(&token.text) {
        let followed = tokens.get(at + 1).is_some_and(is_month);
        let clock = is_clock(token)
            && before.is_some_and(|before| matches!(before, "at" | "by" | "before" | "в" | "к" | "до"));
        let date = before.is_some_and(|before| matches!(before, "до" | "к")) && is_ordinal(&token.text);
        return followed || clock || date;
    }
    framed && is_unit(token)
}

fn is_unit(token: &Token) -> bool {
    UNITS.contains(&token.text.as_ref())
}

fn is_month(token: &Token) -> bool {
    MONTHS.contains(&token.text.as_ref())
}

fn is_clock(token: &Token) -> bool {
    token.text.contains(':') && token.text.starts_with(|c: char| c.is_ascii_digit())
}

/// `20`, `9th`, `18`; in Russian the ending is a token of its own.
fn is_ordinal(word: &str) -> bool {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (1..=2).contains(&digits) && matches!(&word[digits..], "" | "st" | "nd" | "rd" | "th")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use text::tokenize;

    fn said(text: &str) -> Option<&str> {
        time_named(text, &tokenize(text)).map(|range| &text[range])
    }

    #[test]
    fn times_as_they_were_said() {
        assert_eq!(said("I'll have it ready by Wednesday noon, all of it"), Some("by Wednesday noon"));
        assert_eq!(said("will do tomorrow evening"), Some("tomorrow evening"));
        assert_eq!(said("resubmitting within the hour"), Some("within the hour"));
        assert_eq!(said("куплю до пятницы"), Some("до пятницы"));
        assert_eq!(said("забронирую завтра, пока дают скидку"), Some("завтра"));
        assert_eq!(said("соберу до следующей среды"), Some("среды").map(|_| "до следующей среды"));
        assert_eq!(said("готово к 20 апреля"), Some("к 20 апреля"));
        assert_eq!(said("I'll fix the table"), None);
        assert_eq!(said("сделаю до вечера"), Some("до вечера"));
        assert_eq!(said("закажу, но нужны люди после шести вечера"), None);
    }

    proptest! {
        #[test]
        fn a_time_lies_within_its_text(text in "\\PC{0,60}") {
            if let Some(range) = time_named(&text, &tokenize(&text)) {
                prop_assert!(text.get(range).is_some());
            }
        }
    }
}
