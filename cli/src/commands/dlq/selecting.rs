//! Which dead letters are meant, as options of a command.

use std::{collections::BTreeSet, str::FromStr};

use anyhow::Context;
use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use operate::{LetterPlace, LetterSelection};
use schemas::Fingerprint;
use state::LetterState;

use crate::{commands::search::since, printing::printable};

/// Options that narrow a command down to some letters.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Selecting {
    #[command(flatten)]
    narrowing: Narrowing,
    /// With this reason only, such as `unknown_schema`
    #[arg(long)]
    reason: Option<String>,
}

/// The same for a command whose `--reason` says why it is done.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Narrowing {
    /// Of this kind only, as `stat` prints it
    #[arg(long)]
    fingerprint: Option<Fingerprint>,
    /// Given up by this processor or sink only
    #[arg(long)]
    unit: Option<String>,
    /// Of this tenant only
    #[arg(long)]
    tenant: Option<String>,
    /// Not older than this: a day, a time (of UTC where it tells no zone), or how long ago: 90m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Older than this
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// What became of the letters that are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct States(pub(super) BTreeSet<LetterState>);

impl FromStr for States {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(LetterState::ALL.into()));
        }
        text.parse()
            .map(|state| Self(BTreeSet::from([state])))
            .map_err(|error: String| format!("{error}, or all"))
    }
}

impl Selecting {
    /// What they say, and these places.
    pub(super) fn selection(&self, places: &[LetterPlace]) -> anyhow::Result<LetterSelection> {
        Ok(LetterSelection { reason: self.reason.clone(), ..self.narrowing.selection(places)? })
    }
}

impl Narrowing {
    /// What they say, and these places.
    pub(super) fn selection(&self, places: &[LetterPlace]) -> anyhow::Result<LetterSelection> {
        Ok(LetterSelection {
            fingerprint: self.fingerprint.map(|fingerprint| fingerprint.to_string()),
            unit: self.unit.clone(),
            tenant: self.tenant.clone(),
            reason: None,
            since_ms: self.since.as_deref().map(|said| moment("--since", said)).transpose()?,
            until_ms: self.until.as_deref().map(|said| moment("--until", said)).transpose()?,
            places: places.to_vec(),
        })
    }
}

fn moment(option: &str, said: &str) -> anyhow::Result<i64> {
    since::parse(said, Timestamp::now(), &TimeZone::UTC)
        .with_context(|| format!("could not read {option} {}: give 2026-03-01, or 24h", printable(said)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::line::Line;

    fn selection(words: &[&str]) -> anyhow::Result<LetterSelection> {
        let parsed = Line::<Selecting>::try_parse_from(["ls"].iter().chain(words))?;
        parsed.arguments.selection(&[])
    }

    #[test]
    fn options_narrow_it_and_none_mean_all() {
        assert!(selection(&[]).unwrap().is_all());
        let named = selection(&["--fingerprint", "00000000000000fF", "--until", "1970-01-02"]).unwrap();
        assert_eq!(named.fingerprint.as_deref(), Some("00000000000000ff"));
        assert_eq!((named.since_ms, named.until_ms), (None, Some(86_400_000)));
    }

    #[test]
    fn states_are_one_or_all() {
        assert_eq!("parked".parse(), Ok(States(BTreeSet::from([LetterState::Parked]))));
        assert_eq!("all".parse::<States>().map(|states| states.0.len()), Ok(4));
        assert!(
            "gone"
                .parse::<States>()
                .unwrap_err()
                .contains("expected open, replayed, parked or discarded, or all")
        );
    }

    #[test]
    fn what_is_no_fingerprint_and_no_time_is_refused_with_what_is_one() {
        let refused = |words: &[&str]| selection(words).unwrap_err().to_string();
        assert!(refused(&["--fingerprint", "7"]).contains("16 hex digits as `gistmill dlq stat` prints it"));
        assert!(refused(&["--since", "yesterday"]).contains("could not read --since yesterday"));
    }
}
