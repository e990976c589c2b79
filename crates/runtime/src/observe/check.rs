//! One line of the doctor's report: what was looked at, and how it came out.
//!
//! Invariant: what is not as it should be says what to do.

use super::Error;
use serde::Serialize;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Not looked at, because something else is away.
    Skip,
    /// Runs, but somebody should look.
    Warn,
    /// The pipeline does not run, or not safely.
    Fail,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it came out.
    pub level: Level,
    /// What was found.
    pub finding: String,
    /// What to do; none when there is nothing to do.
    pub advice: Option<String>,
    /// True when something that has to run does not.
    pub is_away: bool,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, finding: finding.into(), advice: None, is_away: false }
    }

    /// Not as it should be, and what to do about it.
    pub fn bad(
        name: &'static str,
        level: Level,
        finding: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { name, level, finding: finding.into(), advice: Some(advice.into()), is_away: false }
    }

    /// Not looked at, since that is away which it needs.
    pub fn skipped(name: &'static str, needs: &str) -> Self {
        let finding = format!("not looked at: it needs {needs}");
        Self { name, level: Level::Skip, finding, advice: None, is_away: false }
    }

    /// What could not be asked, with what to do about that.
    pub fn failed(name: &'static str, error: &Error) -> Self {
        let (finding, advice) = (engine::chain(error), error.advice());
        Self { name, level: Level::Fail, finding, advice, is_away: error.is_away() }
    }
}
