//! The Postgres schema that everything lives in. Invariant: a [`Schema`] is an identifier that needs no quoting.

use std::fmt;

/// Longest identifier that Postgres does not cut.
const BYTES_MAX: usize = 63;
const DEFAULT: &str = "gistmill";

/// A Postgres schema name: lower-case letters, digits and underscores, not starting with a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Schema(String);

/// Not a schema name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not use {0:?} as a postgres schema: 1 to 63 of a-z, 0-9, _ and no digit first")]
pub struct SchemaError(String);

impl Schema {
    /// The schema called `name`.
    pub fn new(name: &str) -> Result<Self, SchemaError> {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let valid = name.len() <= BYTES_MAX
            && name.bytes().all(word)
            && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if valid { Ok(Self(name.to_owned())) } else { Err(SchemaError(name.to_owned())) }
    }

    /// The schema of a prefix: [`Schema::default`] for none, else `gistmill_` and the prefix with every other
    /// character than a-z and 0-9 made an underscore. Two prefixes that fall together are told apart by the physical
    /// topic that `sink_offsets` remembers.
    pub fn of_prefix(prefix: &str) -> Result<Self, SchemaError> {
        let trimmed = prefix.trim_end_matches(['.', '-', '_']);
        if trimmed.is_empty() {
            return Ok(Self::default());
        }
        let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        Self::new(&format!("{DEFAULT}_{}", trimmed.chars().map(word).collect::<String>()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Schema {
    /// `gistmill`.
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_need_quoting_are_refused() {
        for name in ["", "1a", "A", "a-b", "a b", "a\"b", "ä", &"x".repeat(64)] {
            assert!(Schema::new(name).is_err(), "{name:?}");
        }
        assert_eq!(Schema::new("_t1").expect("valid").as_str(), "_t1");
    }

    #[test]
    fn prefix_names_the_schema() {
        let schema = |prefix| Schema::of_prefix(prefix).expect("valid").to_string();
        assert_eq!(schema(""), "gistmill");
        assert_eq!(schema("Test-7."), "gistmill_test_7");
        assert!(Schema::of_prefix(&"p".repeat(60)).is_err());
    }
}
