//! Words by which people settle things.

/// Stems or phrases of a settled matter, folded.
const DECISIONS: [&str; 34] = [
    "решили",
    "решено",
    "решение:",
    "договорились",
    "утвердили",
    "утверждаю",
    "согласовано",
    "согласовали",
    "делаем так",
    "так и сделаем",
    "так и делаем",
    "остановимся на",
    "останавливаемся на",
    "берем ",
    "выбираем",
    "выбрали",
    "откатываем",
    "релизим",
    "переносим на",
    "итого:",
    "decided",
    "decision:",
    "we agreed",
    "agreed to",
    "agreed:",
    "let's go with",
    "lets go with",
    "we'll go with",
    "we will go with",
    "going with",
    "settled on",
    "approved",
    "final call",
    "we're doing",
];

/// Whether a statement says that something is settled.
pub(crate) fn is_decision(text: &str) -> bool {
    let folded = text::fold(text);
    DECISIONS.iter().any(|cue| starts_word(&folded, cue))
}

/// Whether `cue` occurs at the start of a word, and not after a negation.
fn starts_word(folded: &str, cue: &str) -> bool {
    folded.match_indices(cue).any(|(at, _)| {
        let before = &folded[..at];
        let negated = ["не ", "not ", "n't "].iter().any(|no| before.ends_with(no));
        !before.ends_with(char::is_alphanumeric) && !negated
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_heard_in_both_languages() {
        assert!(is_decision("В общем, решили: откатываем релиз"));
        assert!(is_decision("OK, let's go with Postgres"));
    }

    #[test]
    fn negations_and_word_parts_are_not() {
        assert!(!is_decision("мы ещё не решили"));
        assert!(!is_decision("undecided so far"));
    }
}
