//! A query in Postgres' language. Invariant: pure; a lexeme is quoted, so that nothing in it is taken for an operator.

use std::borrow::Cow;
use text::bringing;

/// A word of a query, and in how many states of messages it was found, counted up to [`text::COMMON`] and one more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// As the configuration makes it of the word.
    pub(crate) lexeme: String,
    /// States of messages of the tenant that hold it.
    pub(crate) states: u32,
}

/// A lexeme as an operand of a tsquery.
pub(crate) fn quoted(lexeme: &str) -> String {
    format!("'{}'", lexeme.replace('\\', "\\\\").replace('\'', "''"))
}

/// The tenant's own lexeme, which all its rows have and no text can.
pub(crate) fn of_tenant(tenant: &str, query: &str) -> String {
    format!("{} & ({query})", quoted(&format!(" {tenant}")))
}

/// What a hit has to match: any of the words that bring hits, all of them where each is common. None where no text can.
pub(crate) fn candidates(words: &[Word]) -> Option<String> {
    let operand = |word: &Word| quoted(&word.lexeme);
    let texts: Vec<u32> = words.iter().map(|word| word.states).collect();
    let bringing = bringing(&texts);
    if !bringing.is_empty() {
        return Some(bringing.iter().map(|&place| operand(&words[place])).collect::<Vec<_>>().join(" | "));
    }
    let common: Vec<_> = words.iter().filter(|word| word.states > 0).map(operand).collect();
    if common.is_empty() { None } else { Some(common.join(" & ")) }
}

/// True when the asker wrote operators: a phrase in quotes, or a word that must not be there.
pub(crate) fn has_operators(query: &str) -> bool {
    let forbids =
        |word: &str| word.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    query.contains('"') || query.split_whitespace().any(forbids)
}

/// A text with the words between [`MARK`] characters, as Postgres gives it, and those words.
pub(crate) fn unmarked(headline: &str) -> (String, Vec<String>) {
    let mut marked: Vec<String> = Vec::new();
    for word in headline.split(MARK[0]).skip(1).filter_map(|rest| rest.split(MARK[1]).next()) {
        if !marked.iter().any(|known| known == word) {
            marked.push(word.to_owned());
        }
    }
    (plain(headline).into_owned(), marked)
}

/// Before and after a word that was asked for. No text keeps these characters: see `search::MESSAGES`.
pub(crate) const MARK: [char; 2] = ['\u{2}', '\u{3}'];

fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(MARK) { Cow::Owned(text.replace(MARK, "")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use text::COMMON;

    fn word(lexeme: &str, states: u32) -> Word {
        Word { lexeme: lexeme.to_owned(), states }
    }

    #[test]
    fn what_looks_like_an_operator_stays_a_word() {
        assert_eq!(quoted("it's | \\ & !"), "'it''s | \\\\ & !'");
        assert_eq!(of_tenant("o'brien", "'a'"), "' o''brien' & ('a')");
    }

    #[test]
    fn a_common_word_brings_no_hits_beside_a_rarer_one() {
        assert_eq!(
            candidates(&[word("retry", 3), word("test", COMMON + 1), word("storm", 9)]).unwrap(),
            "'retry' | 'storm'"
        );
        assert_eq!(
            candidates(&[word("test", COMMON + 1), word("load", COMMON + 1)]).unwrap(),
            "'test' & 'load'"
        );
        assert_eq!(candidates(&[word("retry", 3), word("nowhere", 0)]).unwrap(), "'retry'");
        assert_eq!(candidates(&[word("nowhere", 0)]), None);
    }

    #[test]
    fn quotes_and_minuses_before_words_are_operators() {
        for (query, operators) in [
            ("\"retry storm\"", true),
            ("retry -storm", true),
            ("load-test - 5 --", false),
            ("a or b", false),
        ] {
            assert_eq!(has_operators(query), operators, "{query}");
        }
    }

    #[test]
    fn marks_are_taken_out_and_told() {
        let (text, words) = unmarked("the \u{2}retries\u{3} of \u{2}Storms\u{3}, \u{2}retries\u{3}");
        assert_eq!(
            (text.as_str(), words.as_slice()),
            ("the retries of Storms, retries", ["retries".to_owned(), "Storms".to_owned()].as_slice())
        );
    }
}
