//! A dead letter, and where it lies.

use schemas::DigestDlq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use state::LetterState;
use std::{fmt, str::FromStr};

/// Where a dead letter lies in its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterPlace {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

impl fmt::Display for LetterPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.offset)
    }
}

impl FromStr for LetterPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (partition, offset) = text.split_once(':')?;
            let place = Self { partition: partition.parse().ok()?, offset: offset.parse().ok()? };
            (place.partition >= 0 && place.offset >= 0).then_some(place)
        };
        parse().ok_or_else(|| {
            "expected PARTITION:OFFSET as `gistmill dlq ls` prints it, such as 2:17".to_owned()
        })
    }
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Where it lies.
    pub place: LetterPlace,
    /// When it was appended, in ms.
    pub append_time_ms: i64,
    /// What it says; or, of a record that is no dead letter, why it cannot be read.
    pub letter: Result<DigestDlq, String>,
    /// What became of it, as far as it is known.
    pub state: LetterState,
}

impl Serialize for LetterPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LetterPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_pairs() {
        assert_eq!("2:17".parse(), Ok(LetterPlace { partition: 2, offset: 17 }));
        for text in ["2", "2:", ":3", "-1:3", "1:-3", "a:b", "1:2:3"] {
            assert!(text.parse::<LetterPlace>().is_err(), "{text}");
        }
    }
}
