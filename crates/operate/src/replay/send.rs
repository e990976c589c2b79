//! Writes chosen inputs again, each transaction with how far it has come.
//!
//! Invariant: an input is on its topic once for a run, however often the run is killed; what became of it is in the database
//! before the next transaction begins.

use super::{
    super::{
        Error, LetterPlace, Peers,
        dead_letters::{TOPIC, read},
        position,
    },
    ReplayRun,
    choose::{Choice, Chosen, group_of, whole},
    headers,
};
use engine::{
    dead_letter::names_what_was_left_out,
    log::{OwnedRecord, TxnError},
};
use runtime::{
    Config, TransactionalProducer,
    observe::{Broker, Scanner, Span},
};
use schemas::{Decoder, DigestDlq};
use state::{LetterInput, LetterState, Settling};
use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};
use topology::Map;

/// Most records of a transaction, and most bytes of them.
const RECORDS_MAX: usize = 5_000;
const BYTES_MAX: usize = 16 << 20;
/// Longest that one is filled: well below its timeout.
const AGE_MAX: Duration = Duration::from_secs(2);

/// Everything that a run needs to go on.
pub(super) struct Sender<'a> {
    pub(super) config: &'a Config,
    pub(super) map: &'a Map,
    pub(super) broker: &'a Broker<'a>,
    pub(super) peers: &'a Peers,
    pub(super) producer: TransactionalProducer,
    pub(super) actor: &'a str,
    /// Most records a second.
    pub(super) rate: Option<u32>,
}

/// The transaction being filled.
#[derive(Default)]
struct Filled {
    began: Option<Instant>,
    letters: Vec<(LetterPlace, LetterInput)>,
    bytes: usize,
}

pub(super) fn failed(error: TxnError) -> Error {
    match error {
        TxnError::Fenced(_) => Error::Refused(
            "another replay has taken over: this one ends, and nothing of it is lost or written twice"
                .to_owned(),
        ),
        error => Error::Refused(format!(
            "could not write inputs again: {error}; the same command goes on where this one ended"
        )),
    }
}

impl Sender<'_> {
    /// Writes all that is chosen; `progress` hears how many of how many are written.
    pub(super) fn send(
        &self,
        run: &mut ReplayRun,
        chosen: &Chosen,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), Error> {
        let began = Instant::now();
        let (before, positions) = (run.replayed, self.config.prefix.topic(position::topic(self.map)?));
        let mut filled = Filled::default();
        // A second's worth of records where there is a rate: a burst is what it is to prevent.
        let most = self.rate.map_or(RECORDS_MAX, |rate| RECORDS_MAX.min(rate as usize));
        let mut decoder = Decoder::new(Arc::clone(&self.peers.schemas));
        let total =
            chosen.letters.values().filter(|(_, choice)| matches!(choice, Choice::Replay { .. })).count()
                as u64;
        Scanner::new(self.broker, true).scan(
            &self.config.prefix.topic(TOPIC),
            &spans(chosen),
            &mut |record| {
                let place = LetterPlace { partition: record.partition, offset: record.offset };
                if let Some((input, Choice::Replay { to })) = chosen.letters.get(&place)
                    && let Ok(letter) = read(&mut decoder, record)?.letter
                {
                    self.add(&mut filled, (place, input), (letter, to.as_ref()))?;
                    run.next.insert(place.partition, place.offset + 1);
                }
                if filled.is_full(most) {
                    self.commit(run, &mut filled, &positions)?;
                    progress(run.replayed - before, total);
                    self.keep_rate((run.replayed - before, began));
                }
                Ok(ControlFlow::Continue(()))
            },
        )?;
        run.next.clone_from(&run.ends);
        run.is_done = true;
        self.commit(run, &mut filled, &positions)?;
        progress(run.replayed - before, total);
        Ok(())
    }

    fn add(
        &self,
        filled: &mut Filled,
        (place, input): (LetterPlace, &LetterInput),
        (letter, to): (DigestDlq, Option<&(Vec<u8>, i32)>),
    ) -> Result<(), Error> {
        let group = group_of(self.config, self.map, &letter);
        let (key, value, own) = if names_what_was_left_out(&letter) {
            let gone = || {
                Error::Refused(format!("the input of {place} is gone: the same command goes on without it"))
            };
            let found = whole(self.config, self.broker, &letter)?.ok_or_else(gone)?;
            (found.key, found.value, found.headers)
        } else {
            (letter.key.clone(), letter.value.clone(), headers::own(&letter))
        };
        let (key, partition) = match to {
            Some((key, partition)) => (Some(key.clone()), *partition),
            None => (key, letter.partition),
        };
        let headers = headers::again(own, &letter, (place, &group));
        let record = OwnedRecord { partition, offset: -1, timestamp_ms: 0, key, value, headers };
        if filled.began.is_none() {
            self.producer.begin().map_err(failed)?;
            filled.began = Some(Instant::now());
        }
        self.producer.produce_as_is(&self.config.prefix.topic(&letter.topic), &record).map_err(failed)?;
        filled.bytes += record.value.as_ref().map_or(0, Vec::len);
        filled.letters.push((place, input.clone()));
        Ok(())
    }

    /// Ends the transaction with how far the run has come, then notes what became of its letters.
    fn commit(&self, run: &mut ReplayRun, filled: &mut Filled, positions: &str) -> Result<(), Error> {
        let Filled { began, letters, .. } = std::mem::take(filled);
        run.replayed += letters.len() as u64;
        let (places, inputs): (Vec<LetterPlace>, Vec<LetterInput>) = letters.into_iter().unzip();
        run.last = places;
        if began.is_none() {
            self.producer.begin().map_err(failed)?;
        }
        self.producer.produce(&run.record(positions)?).map_err(failed)?;
        self.producer.commit().map_err(failed)?;
        self.settle(&inputs, LetterState::Replayed)
    }

    pub(super) fn settle(&self, inputs: &[LetterInput], state: LetterState) -> Result<(), Error> {
        let reason = if state == LetterState::Parked { "written again too often" } else { "" };
        let settling = Settling { state, reason, actor: self.actor };
        Ok(self.peers.wait(self.peers.store.settle_letters(inputs, settling))?)
    }

    /// Waits until so many may have been written.
    fn keep_rate(&self, (written, began): (u64, Instant)) {
        let Some(rate) = self.rate.filter(|rate| *rate > 0) else { return };
        let due = Duration::from_secs_f64(written as f64 / f64::from(rate));
        while let Some(left) = due.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
            std::thread::park_timeout(left);
        }
    }
}

impl Filled {
    fn is_full(&self, most: usize) -> bool {
        self.letters.len() >= most.max(1)
            || self.bytes >= BYTES_MAX
            || self.began.is_some_and(|began| began.elapsed() >= AGE_MAX)
    }
}

/// From the first chosen letter of each partition to its last.
fn spans(chosen: &Chosen) -> BTreeMap<i32, Span> {
    let mut spans: BTreeMap<i32, Span> = BTreeMap::new();
    let replayed = chosen.letters.iter().filter(|(_, (_, choice))| matches!(choice, Choice::Replay { .. }));
    for (place, _) in replayed {
        let span = spans.entry(place.partition).or_insert(Span { from: place.offset, until: 0 });
        span.until = place.offset + 1;
    }
    spans
}
