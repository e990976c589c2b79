//! The form that replays dead letters of a kind: what would be done, then what was. Filled by
//! `operate::plan_replay` and `replay`.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// How far a replay has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplayStep {
    /// What would be done is shown, and is to be confirmed.
    #[default]
    Confirm,
    /// The word that confirms was another.
    NotConfirmed,
    /// Another replay is at work.
    Busy,
    /// The form was of another session.
    Stale,
    /// It is done.
    Done,
}

/// A replay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Kind of the letters; what confirms is its first four characters.
    pub fingerprint: String,
    /// Unit that gave up.
    pub unit: String,
    /// Topic that the inputs go back to.
    pub topic: String,
    /// How far it has come.
    pub step: ReplayStep,
    /// Inputs that are written again, or were.
    pub inputs: u64,
    /// Inputs that are parked, since they were written again too often.
    pub parked: u64,
    /// Inputs that would fail the same check again, and are left.
    pub unfit: u64,
    /// Records a second at most; none for as fast as it goes.
    pub rate: Option<u32>,
}

impl Replay {
    /// What the operator types.
    pub fn confirmation(&self) -> String {
        self.fingerprint.chars().take(4).collect()
    }

    /// What the confirmation has to be, as an expression of HTML; its characters stand for themselves.
    fn pattern(&self) -> String {
        let kept = |c: char| if c.is_ascii_alphanumeric() { c } else { '.' };
        self.confirmation().chars().map(kept).collect()
    }

    fn told(&self, words: &'static Words) -> Option<&'static str> {
        match self.step {
            ReplayStep::NotConfirmed => Some(words.replay_not_confirmed),
            ReplayStep::Busy => Some(words.replay_busy),
            ReplayStep::Stale => Some(words.form_stale),
            ReplayStep::Confirm | ReplayStep::Done => None,
        }
    }

    fn is_done(&self) -> bool {
        self.step == ReplayStep::Done
    }
}

impl Page for Replay {
    fn title(&self, words: &'static Words) -> String {
        format!("{} {}", words.replay_of, self.fingerprint)
    }

    fn section(&self) -> Section {
        Section::Letters
    }

    html!(Replay, "replay.html");
}
