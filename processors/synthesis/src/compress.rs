//! Shortens what was said to what it says: greeting, address, filler and smileys go, a long tail goes at a clause.
//!
//! Invariant: words are only left out, never changed, and no negation is left out without an ellipsis.

mod asking;
mod lexis;

use crate::support::negations;
pub(crate) use asking::{from_request, only_asks};
use lexis::{ASKING, OPENINGS, REPLIES};
use std::ops::Range;
use text::{Noise, Token, fold, noise, tokenize};

/// Most characters of what one line tells.
const TOLD_CHARS_MAX: usize = 200;
/// Longest clause that may be a greeting or an address.
const ADDRESS_CHARS_MAX: usize = 40;
/// Least words that must be left after an opening is taken off.
const LEFT_WORDS_MIN: usize = 2;

/// What a text says, on one line of at most 200 characters.
pub(crate) fn told(text: &str) -> String {
    let line = one_line(text);
    fit(closed(opened(&line, OPENINGS)), TOLD_CHARS_MAX)
}

/// A text without its opening, however it asks: the matter itself.
pub(crate) fn matter(text: &str) -> &str {
    let mut rest = closed(opened(text, OPENINGS));
    loop {
        let shorter = opened(rest, ASKING);
        let shorter = opened(asking::without_request(shorter).unwrap_or(shorter), OPENINGS);
        if shorter.len() == rest.len() {
            return rest;
        }
        rest = shorter;
    }
}

/// A line with a capital at its start, unless its first word is written in a way of its own (`iOS`, `jmeter.log`).
pub(crate) fn sentence_case(line: &str) -> String {
    let word = line.split_whitespace().next().unwrap_or_default();
    let plain = word.chars().all(|c| c.is_lowercase() || ",:".contains(c));
    let mut letters = line.chars();
    match letters.next().filter(|_| plain) {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => line.to_owned(),
    }
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Byte ranges of the clauses of a line, each with the mark that ends it.
pub(crate) fn clauses(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = match c {
            ',' | ';' | ':' | '.' | '!' | '?' | ')' => {
                chars.peek().is_none_or(|(_, next)| next.is_whitespace())
            }
            '—' | '–' | '-' => {
                line[..at].ends_with(' ') && chars.peek().is_some_and(|(_, next)| next.is_whitespace())
            }
            _ => false,
        };
        if ends {
            found.push(start..at + c.len_utf8());
            start = at + c.len_utf8();
        }
    }
    if line[start..].chars().any(char::is_alphanumeric) {
        found.push(start..line.len());
    }
    found
}

/// Without mentions, empty clauses and the given openings at its start.
fn opened<'t>(text: &'t str, openings: &[&str]) -> &'t str {
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches(|c: char| {
            c.is_whitespace() || ",.!:;)…–—•*".contains(c) || (!c.is_ascii() && is_picture(c))
        });
        let shorter = without_clause(trimmed)
            .or_else(|| without_mention(trimmed))
            .or_else(|| without_any(trimmed, openings));
        match shorter {
            Some(shorter) if words(shorter) >= LEFT_WORDS_MIN => rest = shorter,
            _ => return trimmed,
        }
    }
}

fn words(text: &str) -> usize {
    tokenize(text).len()
}

/// Emoji and their joiners.
fn is_picture(c: char) -> bool {
    !c.is_alphanumeric() && !"«»„“”‘’№§°€£¥₽±×÷≈≤≥→".contains(c)
}

fn without_mention(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('@')?;
    rest.find(char::is_whitespace).map(|at| &rest[at..])
}

/// Without a first clause that greets, thanks or laughs, or says nothing at all.
fn without_clause(text: &str) -> Option<&str> {
    let end = text.find([',', '!', '.', ':', ')', '—', '–'])?;
    let clause = &text[..end];
    let rest = &text[end..];
    let parted = rest.chars().nth(1).is_none_or(|c| !c.is_alphanumeric());
    let empty = parted
        && clause.chars().count() <= ADDRESS_CHARS_MAX
        && matches!(noise(clause), Some(Noise::Greeting | Noise::Thanks | Noise::SmallTalk | Noise::Laugh))
        && negations(clause) == 0
        && !REPLIES.contains(&fold(clause.trim()).as_str());
    empty.then_some(rest)
}

/// Without the first of these openings that it starts with.
fn without_any<'t>(text: &'t str, openings: &[&str]) -> Option<&'t str> {
    let end = text.char_indices().nth(ADDRESS_CHARS_MAX * 2).map_or(text.len(), |(at, _)| at);
    let head = &text[..end];
    let tokens: Vec<Token> = tokenize(head);
    openings.iter().find_map(|opening| {
        let end = opening_end(head, &tokens, opening)?;
        (end < text.len()).then(|| &text[end..])
    })
}

/// Where these words end at the start of a text.
fn opening_end(head: &str, tokens: &[Token], opening: &str) -> Option<usize> {
    let mut end = 0;
    for (at, word) in opening.split(' ').enumerate() {
        let token = tokens.get(at)?;
        let gap = &head[end..token.range.start];
        if token.text != word || gap.chars().any(|c| !c.is_whitespace() && c != ',') {
            return None;
        }
        end = token.range.end;
    }
    Some(end)
}

/// Without smileys, and thanks or small talk after the last comma.
fn closed(text: &str) -> &str {
    let mut rest = text;
    loop {
        let trimmed = without_smile(rest);
        let last = clauses(trimmed).pop().filter(|last| last.start > 0);
        let Some(last) = last else { return trimmed };
        let clause = trimmed[last.clone()].trim_matches(|c: char| !c.is_alphanumeric());
        let empty = matches!(noise(clause), Some(Noise::Greeting | Noise::Thanks | Noise::Laugh))
            || fold(clause) == "пожалуйста"
            || fold(clause) == "please";
        if !empty || trimmed.ends_with('?') || words(&trimmed[..last.start]) < LEFT_WORDS_MIN {
            return trimmed;
        }
        rest = trimmed[..last.start].trim_end_matches(|c: char| c.is_whitespace() || ",:;—–-".contains(c));
    }
}

fn without_smile(text: &str) -> &str {
    let mut rest = text;
    loop {
        let mut shorter = rest
            .trim_end_matches(|c: char| c.is_whitespace() || (!c.is_ascii() && c != '…' && is_picture(c)));
        let closing = shorter.matches(')').count() > shorter.matches('(').count();
        let opening = shorter.ends_with('(');
        if (closing && shorter.ends_with(')')) || opening {
            shorter = &shorter[..shorter.len() - 1];
            shorter = shorter.trim_end_matches([':', ';', '=', '-']);
        }
        if shorter.len() == rest.len() {
            return rest;
        }
        rest = shorter;
    }
}

/// At most so many characters: parentheses go first, then clauses from the end.
pub(crate) fn fit(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let line = without_parentheses(text);
    if line.chars().count() <= chars_max {
        return line;
    }
    let ends = clauses(&line).into_iter().map(|clause| clause.end);
    let fitting = ends.take_while(|end| line[..*end].chars().count() < chars_max).last();
    match fitting.filter(|end| line[..*end].chars().count() * 3 >= chars_max) {
        Some(end) => {
            let kept = line[..end].trim_end_matches(|c: char| c.is_whitespace() || ",:;—–-(".contains(c));
            let whole = negations(&line[end..]) == 0 && kept.ends_with(['.', '!', '?']);
            if whole { kept.to_owned() } else { format!("{}…", kept.trim_end_matches('.')) }
        }
        None => text::truncate(&line, chars_max),
    }
}

/// Without what stands in parentheses, unless it negates.
pub(crate) fn without_parentheses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(" (") {
        let Some(close) = rest[open..].find(')').map(|at| open + at + 1) else { break };
        let kept = if negations(&rest[open..close]) == 0 { open } else { close };
        out.push_str(&rest[..kept]);
        rest = &rest[close..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn openings_and_smileys_go() {
        for (text, wanted) in [
            ("Всем привет! Кто настраивал Grafana?)", "Кто настраивал Grafana?"),
            ("Коллеги, подскажите, пожалуйста, как склеить отчёты", "как склеить отчёты"),
            ("hi all, quick question: does the server restart at noon?", "does the server restart at noon?"),
            ("@anna привет, перенеси релиз на пятницу 🙏🙏", "перенеси релиз на пятницу"),
            ("Yes, at noon.", "Yes, at noon."),
            ("Нет, это не работает :(", "Нет, это не работает"),
            (
                "timeout of 10 seconds and let the retry handle the rest.",
                "timeout of 10 seconds and let the retry handle the rest.",
            ),
            ("Добавить Cookie Manager, спасибо)", "Добавить Cookie Manager"),
        ] {
            assert_eq!(told(text), wanted);
        }
        assert_eq!(matter("Подскажите, кто-нибудь знает, где ключ?"), "где ключ?");
    }

    #[test]
    fn long_tails_go_at_a_clause_and_negations_leave_a_mark() {
        let long = format!("the build is green, {}", "word ".repeat(60));
        assert!(told(&long).ends_with('…'));
        assert_eq!(fit("One two three four. Five six seven.", 25), "One two three four.");
        assert_eq!(fit("One two three four. Not five six.", 25), "One two three four…");
        assert_eq!(fit("take the lift (the left one) up", 20), "take the lift up");
    }

    proptest! {
        #[test]
        fn words_are_only_left_out(text in "([a-zа-я0-9]{1,7}[,.!?:)🙂]{0,2} ){0,40}") {
            let known = text::tokens(&text);
            let short = told(&text);
            prop_assert!(short.chars().count() <= TOLD_CHARS_MAX);
            if !short.ends_with('…') {
                prop_assert!(text::tokens(&short).iter().all(|word| known.contains(word)), "{short}");
            }
        }
    }
}
