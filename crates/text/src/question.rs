//! Whether a message asks something.

use crate::token::{TokenKind, scan, tokenize};

/// Words that open a question in Russian or English, sorted.
const OPENERS: [&str; 38] = [
    "any",
    "anybody",
    "anyone",
    "are",
    "can",
    "could",
    "did",
    "do",
    "does",
    "has",
    "have",
    "how",
    "is",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "would",
    "где",
    "зачем",
    "как",
    "какая",
    "какие",
    "какой",
    "когда",
    "кто",
    "куда",
    "можно",
    "откуда",
    "подскажите",
    "почему",
    "сколько",
    "чего",
    "чем",
    "что",
    "чья",
];

/// True for a text with a question mark outside addresses, or a short one that opens like a question.
pub fn is_question(text: &str) -> bool {
    if text.contains('?') {
        let tokens = tokenize(text);
        let in_address = |at: usize| {
            let mut addresses = tokens.iter().filter(|token| token.kind == TokenKind::Address);
            addresses.any(|address| address.range.contains(&at))
        };
        if text.match_indices('?').any(|(at, _)| !in_address(at)) {
            return true;
        }
    }
    let opens = scan(text).find(|token| token.kind == TokenKind::Word);
    // Longer texts that open with "что" or "как" without a question mark are mostly statements.
    opens.is_some_and(|word| OPENERS.binary_search(&word.text.as_ref()).is_ok())
        && !text.contains(['.', '!', ')'])
        && (2..=12).contains(&scan(text).take(13).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openers_are_sorted() {
        assert!(OPENERS.is_sorted());
    }

    #[test]
    fn marks_and_openers_ask() {
        assert!(is_question("а кто дежурит?"));
        assert!(is_question("как настроить таймаут"));
        assert!(is_question("anyone seen this error"));
    }

    #[test]
    fn addresses_and_statements_do_not_ask() {
        assert!(!is_question("https://a.example/?q=1"));
        assert!(!is_question("как я и говорил, всё упало."));
        assert!(!is_question("готово"));
    }
}
