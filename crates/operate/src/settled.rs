//! Settles dead letters: looked at first, then done.
//!
//! Invariant: a letter is settled by its input, so that one which a reset makes again stays settled.

use super::{
    DeadLetter, Error, LetterPlace, LetterSelection, Peers,
    dead_letters::{Walk, walk_with},
    settled_letters::{SettledLetters, input_of},
};
use runtime::Config;
use state::{LetterInput, LetterState, Settling};
use std::collections::{BTreeMap, BTreeSet};

/// What settling would do, or has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlePlan {
    /// Inputs whose letters are meant, each with where its newest letter lies.
    inputs: BTreeMap<LetterInput, LetterPlace>,
    /// How many of each state they are in now.
    pub before: BTreeMap<LetterState, u64>,
}

impl SettlePlan {
    /// How many inputs are meant.
    pub fn count(&self) -> usize {
        self.inputs.len()
    }

    /// Places of the newest letters of some of them, in order.
    pub fn examples(&self, most: usize) -> Vec<LetterPlace> {
        let places: BTreeSet<LetterPlace> = self.inputs.values().copied().collect();
        places.into_iter().take(most).collect()
    }
}

/// Looks which letters are meant. Changes nothing.
///
/// # Errors
/// [`Error::Refused`] when none is; a peer that is away, Postgres among them.
pub fn plan_settling(
    config: &Config,
    selection: &LetterSelection,
    states: &BTreeSet<LetterState>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<SettlePlan, Error> {
    let peers = Peers::new(config)?;
    let settled = SettledLetters::read(&peers)?;
    let mut plan = SettlePlan { inputs: BTreeMap::new(), before: BTreeMap::new() };
    let mut visit = |dead: DeadLetter| {
        if let Ok(letter) = &dead.letter
            && plan.inputs.insert(input_of(letter), dead.place).is_none()
        {
            *plan.before.entry(dead.state).or_default() += 1;
        }
        Ok(())
    };
    walk_with(config, (&peers, &settled), Walk { selection, states, progress }, &mut visit)?;
    if plan.inputs.is_empty() {
        return Err(none_is_meant(states));
    }
    Ok(plan)
}

/// Why nothing can be done.
pub(super) fn none_is_meant(states: &BTreeSet<LetterState>) -> Error {
    let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    Error::Refused(format!(
        "no dead letter of these is {}: `gistmill dlq stat` counts the open ones by kind, `gistmill dlq ls --state all` \
         lists all with what became of them",
        states.join(" or ")
    ))
}

/// Does what a plan says.
///
/// # Errors
/// Postgres is away.
pub fn settle(config: &Config, plan: &SettlePlan, settling: Settling<'_>) -> Result<(), Error> {
    let peers = Peers::new(config)?;
    let inputs: Vec<LetterInput> = plan.inputs.keys().cloned().collect();
    Ok(peers.wait(peers.store.settle_letters(&inputs, settling))?)
}
