//! How long a topic keeps its records: `unlimited`, or whole days.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How long a topic keeps its records. Ordered: the shortest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Retention {
    /// That many days after they were appended.
    Days(u16),
    /// For ever.
    Unlimited,
}

/// Not `unlimited` and not `<days>d`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not read retention {0:?}: expected \"unlimited\" or days such as \"30d\"")]
pub struct RetentionError(String);

impl Retention {
    /// As the broker's `retention.ms`: -1 is for ever.
    pub fn as_ms(self) -> i64 {
        match self {
            Self::Days(days) => i64::from(days) * DAY_MS,
            Self::Unlimited => -1,
        }
    }
}

impl FromStr for Retention {
    type Err = RetentionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| *days > 0);
        days.map(Self::Days).ok_or_else(|| RetentionError(text.to_owned()))
    }
}

impl TryFrom<String> for Retention {
    type Error = RetentionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Retention> for String {
    fn from(retention: Retention) -> Self {
        retention.to_string()
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days}d"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["unlimited", "1d", "30d"] {
            assert_eq!(text.parse::<Retention>().expect("valid").to_string(), text);
        }
        assert_eq!(Retention::Days(30).as_ms(), 2_592_000_000);
        assert_eq!(Retention::Unlimited.as_ms(), -1);
        assert!(Retention::Days(90) < Retention::Unlimited);
    }

    #[test]
    fn refuses_anything_else() {
        for text in ["", "0d", "30", "30h", "-1d", "forever", "99999d"] {
            assert_eq!(text.parse::<Retention>(), Err(RetentionError(text.to_owned())));
        }
    }
}
