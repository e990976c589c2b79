//! What became of dead letters, as the database tells.
//!
//! Invariant: a letter is settled by its input, so that one which a reset makes again stays settled.

use super::{Error, Peers};
use schemas::DigestDlq;
use state::{LetterInput, LetterState, SettledLetter};
use std::collections::HashMap;

/// The input of a letter.
pub(super) fn input_of(letter: &DigestDlq) -> LetterInput {
    LetterInput {
        unit: letter.stage.clone(),
        topic: letter.topic.clone(),
        partition: letter.partition,
        offset: letter.offset,
    }
}

/// What became of letters, by their inputs.
#[derive(Debug, Default)]
pub(super) struct SettledLetters(HashMap<LetterInput, LetterState>);

impl SettledLetters {
    pub(super) fn read(peers: &Peers) -> Result<Self, Error> {
        let settled = peers.wait(async {
            peers.store.ready().await?;
            peers.store.settled_letters().await
        })?;
        let state = |it: SettledLetter| (it.input, it.state);
        Ok(Self(settled.into_iter().map(state).collect()))
    }

    /// What became of one; open is what nobody has settled, and what is no letter.
    pub(super) fn state(&self, letter: &Result<DigestDlq, String>) -> LetterState {
        let Ok(letter) = letter else { return LetterState::Open };
        if self.0.is_empty() {
            return LetterState::Open;
        }
        self.0.get(&input_of(letter)).copied().unwrap_or(LetterState::Open)
    }
}
