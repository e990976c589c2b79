//! An operator's properties for librdkafka, as a table or as one string.
//!
//! Invariant: no error and no debug output shows a value that may be a secret, nor a piece of one.

use crate::{CreateError, aliases::canonical, create::check, secrets};
use rdkafka::ClientConfig;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{collections::BTreeMap, fmt};

/// librdkafka properties by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(pub BTreeMap<String, String>);

impl Properties {
    /// Properties of pairs.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The value of a property, under whichever of its names it was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| canonical(given) == canonical(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Asks librdkafka whether it knows the names and takes the values.
    ///
    /// # Errors
    /// Names the first property that it does not take.
    pub fn check(&self) -> Result<(), CreateError> {
        let config: ClientConfig = self.0.clone().into_iter().collect();
        check(&config)
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |(name, value)| (name, if secrets::is_harmless(name) { value } else { secrets::REDACTED });
        let pairs = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        f.debug_map().entries(pairs.map(shown)).finish()
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Map(BTreeMap<String, String>),
            Text(String),
        }
        match Form::deserialize(deserializer) {
            Ok(Form::Map(map)) => Ok(Self(map)),
            Ok(Form::Text(text)) => text.parse().map_err(D::Error::custom),
            // The library's own words may quote what it found.
            Err(_) => Err(D::Error::custom(EXPECTED)),
        }
    }
}

const EXPECTED: &str = "expected a table of properties or 'name=value;name=value'";

/// Not a list of properties. Says where, never what: it may be a piece of a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertiesError {
    /// The first pair has no name.
    #[error("{EXPECTED}")]
    Start,
    /// What follows a separator is no pair.
    #[error("what follows the ';' after {0} is no name=value; a ';' that belongs to a value is written ';;'")]
    After(String),
}

/// `name=value;name=value`, or one pair a line; `;;` stands for a `;` in a value.
impl std::str::FromStr for Properties {
    type Err = PropertiesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut properties = BTreeMap::new();
        let mut last: Option<String> = None;
        for pair in pairs(text) {
            let pair = pair.trim();
            if pair.is_empty() {
                continue;
            }
            let named = pair.split_once('=').filter(|(name, _)| is_name(name.trim()));
            let Some((name, value)) = named else {
                return Err(last.map_or(PropertiesError::Start, PropertiesError::After));
            };
            last = Some(name.trim().to_owned());
            properties.insert(name.trim().to_owned(), value.trim().to_owned());
        }
        Ok(Self(properties))
    }
}

/// Cuts at each single `;` and at each end of a line.
fn pairs(text: &str) -> Vec<String> {
    let mut pairs = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match (next, pairs.last_mut()) {
            (';', Some(pair)) if rest.peek() == Some(&';') => {
                rest.next();
                pair.push(';');
            }
            (';' | '\n', _) | (_, None) => pairs.push(String::new()),
            (other, Some(pair)) => pair.push(other),
        }
    }
    pairs
}

/// Names of librdkafka without a dot; all others have one.
const NAMES_WITHOUT_DOT: [&str; 5] = ["acks", "debug", "log_level", "partitioner", "retries"];

/// True of what can be a property's name. A piece of a password is hardly ever one.
fn is_name(text: &str) -> bool {
    let is_of_names = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte);
    text.bytes().all(is_of_names) && (text.contains('.') || NAMES_WITHOUT_DOT.contains(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Properties, String> {
        text.parse().map_err(|error: PropertiesError| error.to_string())
    }

    #[test]
    fn pairs_are_parted_by_semicolons_and_lines() {
        let expected = Properties::from_pairs([("security.protocol", "SSL"), ("ssl.ca.location", "/a=b")]);
        assert_eq!(parsed("security.protocol=SSL; ssl.ca.location=/a=b;"), Ok(expected.clone()));
        assert_eq!(parsed("security.protocol = SSL\n\nssl.ca.location=/a=b\n"), Ok(expected));
        assert_eq!(parsed(" "), Ok(Properties::default()));
    }

    #[test]
    fn a_doubled_semicolon_is_one_of_the_value() {
        let expected = Properties::from_pairs([("sasl.password", "a;b@%;"), ("client.id", "x")]);
        assert_eq!(parsed("sasl.password=a;;b@%;;;client.id=x"), Ok(expected));
    }

    #[test]
    fn a_piece_of_a_password_is_not_shown() {
        let advice = "a ';' that belongs to a value is written ';;'";
        for text in ["sasl.password=hun;ter2", "sasl.password=hun;ter2=x", "sasl.password=hun;TER.2=x"] {
            let error = parsed(text).expect_err("a piece of the password stands alone");
            assert_eq!(error, format!("what follows the ';' after sasl.password is no name=value; {advice}"));
        }
        assert_eq!(parsed("hunter2"), Err(EXPECTED.to_owned()));
    }

    #[test]
    fn secrets_are_hidden_and_the_rest_is_shown() {
        let properties = Properties::from_pairs([
            ("sasl.oauthbearer.assertion.private.key.passphrase", "hunter2"),
            ("sasl.oauthbearer.config", "principal=ann"),
            ("session.timeout.ms", "9000"),
        ]);
        let shown = format!("{properties:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("ann"), "{shown}");
        assert!(shown.contains(r#""session.timeout.ms": "9000""#), "{shown}");
    }

    #[test]
    fn what_librdkafka_does_not_take_is_named_without_its_value() {
        let refused =
            |name, value| Properties::from_pairs([(name, value)]).check().map_err(|e| e.to_string());
        assert_eq!(refused("sasl.password", "hunter2"), Ok(()));
        let mistyped = "librdkafka has no property \"sasl.passwrod\": correct its name in kafka.properties";
        assert_eq!(refused("sasl.passwrod", "hunter2"), Err(mistyped.to_owned()));
        let invalid = refused("security.protocol", "TLS").expect_err("no protocol");
        assert!(invalid.starts_with("property security.protocol does not take \"TLS\": "), "{invalid}");
    }
}
