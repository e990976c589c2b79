//! What was told since the reader was away, and the form that asks for it. Filled by `Store::digest_page`; the form asks
//! as `gistmill digest now --since` does.

use super::DigestLine;
use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// What was wrong with the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AwayProblem {
    /// It is no time.
    NoTime,
    /// It is to come.
    ToCome,
    /// It is longer ago than a digest may reach.
    TooLong,
    /// The key may not ask.
    Forbidden,
    /// The form was of another session.
    Stale,
}

/// A digest that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Id that its digest will have.
    pub digest_id: String,
    /// Its start in ms.
    pub since_ms: i64,
    /// Its end in ms.
    pub until_ms: i64,
}

/// Since I was away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Away {
    /// Group.
    pub group_id: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// The time as it was typed, `2026-05-11T06:00` in the group's zone; what is offered where it is not known.
    pub since: String,
    /// What was wrong with it.
    pub problem: Option<AwayProblem>,
    /// Digests of windows since then, in any order; none where no time was given.
    pub digests: Option<Vec<DigestLine>>,
    /// Whether the reader may ask for one digest of the whole time.
    pub may_ask: bool,
    /// What was asked for just now.
    pub asked: Option<Asked>,
}

impl Away {
    fn told(&self, words: &'static Words) -> Option<&'static str> {
        self.problem.map(|problem| match problem {
            AwayProblem::NoTime => words.away_no_time,
            AwayProblem::ToCome => words.away_to_come,
            AwayProblem::TooLong => words.away_too_long,
            AwayProblem::Forbidden => words.error_forbidden_next,
            AwayProblem::Stale => words.form_stale,
        })
    }
}

impl Page for Away {
    fn title(&self, words: &'static Words) -> String {
        words.away.to_owned()
    }

    fn section(&self) -> Section {
        Section::Groups
    }

    fn time_zone(&self) -> Option<&str> {
        Some(&self.time_zone)
    }

    html!(Away, "away.html");
}
