//! Splits chat text into words, numbers, addresses and mentions.
//!
//! Invariant: tokens are in text order, their byte ranges never overlap and always lie on character borders.

use std::{borrow::Cow, iter, ops::Range};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// A word or an identifier.
    Word,
    /// Digits, with inner `.`, `,`, `:` or `-`: `3.1.2`, `10:30`.
    Number,
    /// A URL or an e-mail address, whole.
    Address,
    /// `@name`.
    Mention,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'t> {
    /// What it is.
    pub kind: TokenKind,
    /// Bytes of the text.
    pub range: Range<usize>,
    /// Folded form; see [`fold`]. Most words of a chat are written so and are not copied.
    pub text: Cow<'t, str>,
}

/// Lower case, with `ё` as `е` and the typographic apostrophe as `'`.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'a'..='z' | 'а'..='я' | '0'..='9' => folded.push(c),
            'А'..='Я' => folded.extend(char::from_u32(u32::from(c) + 0x20)),
            'Ё' | 'ё' => folded.push('е'),
            '’' => folded.push('\''),
            other => folded.extend(other.to_lowercase()),
        }
    }
    folded
}

fn folded(text: &str) -> Cow<'_, str> {
    let is_folded = |c: char| matches!(c, 'а'..='я') || (c.is_ascii() && !c.is_ascii_uppercase());
    if text.chars().all(is_folded) { Cow::Borrowed(text) } else { Cow::Owned(fold(text)) }
}

/// `char::is_alphanumeric`, with a short way for the letters that chats are made of: the table look-up behind
/// it is a third of the cost of tokenizing Russian.
fn is_word_char(c: char) -> bool {
    match c {
        'а'..='я' | 'А'..='Я' | 'ё' | 'Ё' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        _ => c.is_alphanumeric(),
    }
}

/// `char::is_alphabetic`, by the same short way.
pub(crate) fn is_letter(c: char) -> bool {
    match c {
        'а'..='я' | 'А'..='Я' | 'ё' | 'Ё' => true,
        _ if c.is_ascii() => c.is_ascii_alphabetic(),
        _ => c.is_alphabetic(),
    }
}

/// Whether the token has a letter.
fn has_letter(token: &str) -> bool {
    token.chars().any(is_letter)
}

/// Folded tokens of a text, addresses and mentions (as `@name`) included.
pub fn tokens(text: &str) -> Vec<String> {
    scan(text).map(|token| token.text.into_owned()).collect()
}

/// Tokens with their kinds and places.
pub fn tokenize(text: &str) -> Vec<Token<'_>> {
    scan(text).collect()
}

/// The tokens of [`tokenize`], one by one.
pub(crate) fn scan(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    iter::from_fn(move || {
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            let (kind, length) = if let Some(length) = url_length(rest) {
                (TokenKind::Address, length)
            } else if let Some(length) = mention_length(rest) {
                (TokenKind::Mention, length)
            } else if is_word_char(c) {
                word(rest)
            } else {
                at += c.len_utf8();
                continue;
            };
            let range = at..at + length;
            at = range.end;
            return Some(Token { kind, range, text: folded(&rest[..length]) });
        }
        None
    })
}

/// Bytes of the URL that `rest` starts with.
fn url_length(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    if !bytes.first().is_some_and(|first| b"hfwtHFWT".contains(first)) {
        return None;
    }
    let starts = |prefix: &str| {
        bytes.len() > prefix.len() && bytes[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
    };
    if !["http://", "https://", "ftp://", "www.", "t.me/"].iter().any(|prefix| starts(prefix)) {
        return None;
    }
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"«»".contains(c)).unwrap_or(rest.len());
    let url = rest[..end].trim_end_matches(['.', ',', '!', '?', ':', ';', '\'', ']']);
    // A closing bracket belongs to the sentence unless the URL opened it.
    let url = if url.contains('(') { url } else { url.trim_end_matches(')') };
    Some(url.len())
}

fn mention_length(rest: &str) -> Option<usize> {
    let name = rest.strip_prefix('@')?;
    let end = name.find(|c: char| !is_word_char(c) && c != '_').unwrap_or(name.len());
    (end > 0).then_some(end + 1)
}

/// Kind and bytes of the word that `rest` starts with.
fn word(rest: &str) -> (TokenKind, usize) {
    let mut chars = rest.char_indices().peekable();
    let mut end = 0;
    let mut last = ' ';
    let mut address = false;
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, next)| next);
        let inner = next.is_some_and(|next| is_word_char(next) && joins(last, c, next));
        if !(is_word_char(c) || c == '_' || is_mark(c) || inner) {
            break;
        }
        address |= c == '@';
        end = at + c.len_utf8();
        last = c;
    }
    if end == 1 && last.is_ascii_alphabetic() {
        end += ["++", "#"].iter().find(|tail| rest[1..].starts_with(**tail)).map_or(0, |tail| tail.len());
    }
    let kind = if address {
        TokenKind::Address
    } else if has_letter(&rest[..end]) {
        TokenKind::Word
    } else {
        TokenKind::Number
    };
    (kind, end)
}

/// Combining marks stay with their letter.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// Whether `c` between `last` and `next` keeps a token together. Latin identifiers (`apt-get`, `node.js`)
/// hold; Russian words part at hyphens (`кто-то`) and at a full stop without a space.
fn joins(last: char, c: char, next: char) -> bool {
    let ascii = last.is_ascii_alphanumeric() && next.is_ascii_alphanumeric();
    let digits = last.is_ascii_digit() && next.is_ascii_digit();
    match c {
        '\'' | '’' => last.is_alphabetic() && next.is_alphabetic(),
        '.' | '-' | '@' => ascii,
        ',' | ':' => digits,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folds_case_and_yo() {
        assert_eq!(tokens("Ёлка ЕЩЁ Don’t"), ["елка", "еще", "don't"]);
    }

    #[test]
    fn keeps_identifiers_numbers_and_versions() {
        assert_eq!(
            tokens("apt-get install node.js 3.1.2, snake_case c++ 10:30 3,5"),
            ["apt-get", "install", "node.js", "3.1.2", "snake_case", "c++", "10:30", "3,5"]
        );
    }

    #[test]
    fn parts_russian_compounds() {
        assert_eq!(tokens("кто-то упал.Потом"), ["кто", "то", "упал", "потом"]);
    }

    #[test]
    fn addresses_and_mentions_are_whole() {
        let found = tokenize("@User_1 см. (https://a.example/b?c=1), почта a.b@c.example!");
        let kinds: Vec<_> = found.iter().map(|token| (token.kind, token.text.as_ref())).collect();
        assert_eq!(
            kinds,
            [
                (TokenKind::Mention, "@user_1"),
                (TokenKind::Word, "см"),
                (TokenKind::Address, "https://a.example/b?c=1"),
                (TokenKind::Word, "почта"),
                (TokenKind::Address, "a.b@c.example"),
            ]
        );
    }

    proptest! {
        #[test]
        fn ranges_ascend_on_borders(text in "\\PC{0,60}") {
            let mut end = 0;
            for token in tokenize(&text) {
                prop_assert!(token.range.start >= end && token.range.end > token.range.start);
                prop_assert_eq!(fold(&text[token.range.clone()]), token.text);
                end = token.range.end;
            }
        }
    }
}
