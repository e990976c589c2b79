//! Who is named in a message: `nick: text`, `@name`, or a name in running text.
//!
//! Invariant: only authors of the same window can be named, so a name is never guessed.

use std::collections::BTreeMap;

/// Shortest name that is looked for in running text; shorter ones are mostly words.
const NAME_CHARS_MIN: usize = 3;
/// Words at the start of a message that may address somebody.
const OPENING_WORDS: usize = 1;

/// Numbers an author by the order of first posts.
pub(crate) type AuthorNumber = u32;

/// Ways to write each author's name; one that fits several authors names nobody.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_name: BTreeMap<String, Option<AuthorNumber>>,
}

/// Authors named in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// Addressed at the start, or with `@`.
    pub(crate) addressed: Vec<AuthorNumber>,
    /// Mentioned anywhere else.
    pub(crate) mentioned: Vec<AuthorNumber>,
}

impl Named {
    pub(crate) fn none(&self) -> bool {
        self.addressed.is_empty() && self.mentioned.is_empty()
    }
    pub(crate) fn addresses(&self, author: Option<AuthorNumber>) -> bool {
        author.is_some_and(|author| self.addressed.contains(&author))
    }
    pub(crate) fn mentions(&self, author: Option<AuthorNumber>) -> bool {
        author.is_some_and(|author| self.mentioned.contains(&author))
    }
}

impl Names {
    /// Adds the whole name, its letters without spaces, its first word and the author's id.
    pub(crate) fn add(&mut self, author: AuthorNumber, name: &str, id: &str) {
        let folded = text::fold(name);
        let joined: String = folded.split_whitespace().collect();
        let first = folded.split_whitespace().next().unwrap_or_default();
        for form in [folded.as_str(), &joined, first, &text::fold(id)] {
            if form.chars().count() >= 2 {
                let owner = self.by_name.entry(form.to_owned()).or_insert(Some(author));
                *owner = owner.filter(|&owner| owner == author);
            }
        }
    }

    /// Who is named in `body`.
    pub(crate) fn find(&self, body: &str) -> Named {
        let mut named = Named::default();
        for (at, raw) in body.split_whitespace().enumerate() {
            let tagged = raw.starts_with('@');
            let bare = text::fold(raw.trim_start_matches('@'));
            let Some(author) = self.author(&bare) else { continue };
            let opening = at < OPENING_WORDS && (raw.ends_with([':', ',', '>']) || self.exact(&bare));
            let list = if tagged || opening { &mut named.addressed } else { &mut named.mentioned };
            if !list.contains(&author) && (tagged || opening || is_name_like(&bare)) {
                list.push(author);
            }
        }
        named
    }

    fn author(&self, bare: &str) -> Option<AuthorNumber> {
        let trimmed = bare.trim_end_matches([':', ',', '.', '!', '?', ';', '>', ')']);
        self.by_name.get(bare).or_else(|| self.by_name.get(trimmed)).copied().flatten()
    }

    /// A bare first word is an address only if it cannot be an ordinary word.
    fn exact(&self, bare: &str) -> bool {
        self.by_name.contains_key(bare) && is_name_like(bare)
    }
}

fn is_name_like(bare: &str) -> bool {
    let trimmed = bare.trim_end_matches([':', ',', '.', '!', '?', ';', '>', ')']);
    trimmed.chars().count() >= NAME_CHARS_MIN && !text::is_stopword(trimmed) && !text::is_small_talk(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::default();
        names.add(0, "matt|", "u0");
        names.add(1, "Иван Петров", "u1");
        names.add(2, "the", "u2");
        names
    }

    #[test]
    fn openings_and_tags_address() {
        assert_eq!(names().find("matt|: try again").addressed, [0]);
        assert_eq!(names().find("Иван, глянь").addressed, [1]);
        assert_eq!(names().find("глянь @иванпетров").addressed, [1]);
    }

    #[test]
    fn names_in_text_mention() {
        let named = names().find("спросите у Иван!");
        assert!(named.addressed.is_empty());
        assert_eq!(named.mentioned, [1]);
    }

    #[test]
    fn a_nick_that_is_a_word_needs_an_address() {
        assert!(names().find("the build is red").none());
        assert_eq!(names().find("the: hello").addressed, [2]);
    }
}
