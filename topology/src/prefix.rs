//! The prefix that keeps two pipelines on one broker apart; it names things and enters no id and no hash.

use serde::Deserialize;
use std::{fmt, str::FromStr};

/// Longest prefix: `gistmill_<prefix>` has to fit the 63 bytes of a Postgres name, with room for a suffix.
const LENGTH_MAX: usize = 40;
const POSTGRES_SCHEMA: &str = "gistmill";

/// Put before topics, groups and transactional ids, and into the name of the Postgres schema. Default: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Prefix(String);

/// Not a name that Kafka and Postgres both take without quoting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "could not use prefix {0:?}: expected a lower-case letter, then lower-case letters, digits and underscores, at most {LENGTH_MAX} in all"
)]
pub struct PrefixError(String);

impl Prefix {
    /// No prefix: physical names are the logical ones.
    pub fn none() -> Self {
        Self::default()
    }

    /// The prefix as given; empty for none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Physical name of a logical topic.
    pub fn topic(&self, logical: &str) -> String {
        self.name(logical)
    }

    /// Logical name of a physical topic; `None` for a topic of another pipeline.
    pub fn logical<'a>(&self, physical: &'a str) -> Option<&'a str> {
        if self.0.is_empty() {
            return Some(physical);
        }
        physical.strip_prefix(&self.0)?.strip_prefix('.')
    }

    /// Consumer group of a processor or sink.
    pub fn group(&self, name: &str) -> String {
        self.name(name)
    }

    /// Transactional id of a producer.
    pub fn transactional_id(&self, id: &str) -> String {
        self.name(id)
    }

    /// Subject under which the values of a logical topic are registered.
    pub fn subject(&self, logical: &str) -> String {
        format!("{}-value", self.topic(logical))
    }

    /// Postgres schema: `gistmill`, or `gistmill_<prefix>`; needs no quoting.
    pub fn postgres_schema(&self) -> String {
        if self.0.is_empty() { POSTGRES_SCHEMA.to_owned() } else { format!("{POSTGRES_SCHEMA}_{}", self.0) }
    }

    fn name(&self, logical: &str) -> String {
        if self.0.is_empty() { logical.to_owned() } else { format!("{}.{logical}", self.0) }
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let starts_well = text.bytes().next().is_none_or(|first| first.is_ascii_lowercase());
        let goes_on_well =
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if starts_well && goes_on_well && text.len() <= LENGTH_MAX {
            return Ok(Self(text.to_owned()));
        }
        Err(PrefixError(text.to_owned()))
    }
}

impl TryFrom<String> for Prefix {
    type Error = PrefixError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_prefix_names_are_logical() {
        let prefix = Prefix::none();
        assert_eq!(prefix.topic("digest.dlq.v1"), "digest.dlq.v1");
        assert_eq!(prefix.logical("digest.dlq.v1"), Some("digest.dlq.v1"));
        assert_eq!(prefix.subject("digest.dlq.v1"), "digest.dlq.v1-value");
        assert_eq!(prefix.postgres_schema(), "gistmill");
    }

    #[test]
    fn a_prefix_names_everything_and_comes_off_again() {
        let prefix: Prefix = "t1".parse().expect("valid");
        assert_eq!(prefix.topic("digest.dlq.v1"), "t1.digest.dlq.v1");
        assert_eq!(prefix.group("topic"), "t1.topic");
        assert_eq!(prefix.transactional_id("topic-a-0"), "t1.topic-a-0");
        assert_eq!(prefix.logical("t1.digest.dlq.v1"), Some("digest.dlq.v1"));
        assert_eq!(prefix.logical("t12.digest.dlq.v1"), None);
        assert_eq!(prefix.logical("digest.dlq.v1"), None);
        assert_eq!(prefix.postgres_schema(), "gistmill_t1");
    }

    #[test]
    fn refuses_what_needs_quoting() {
        for text in ["A", "1a", "a-b", "a.b", "a b", "_a", "ж", &"a".repeat(41)] {
            assert_eq!(text.parse::<Prefix>(), Err(PrefixError(text.to_owned())));
        }
    }
}
