//! Which letters a replay writes again, and which it cannot or must not.
//!
//! Invariant: of an input that has several letters the newest is taken, once; what would fail again is left out and said.

use super::{
    super::{
        DeadLetter, Error, LetterPlace, Peers,
        dead_letters::{Walk, walk_with},
        settled_letters::{SettledLetters, input_of},
        wire_checker::{Lying, WireChecker},
    },
    ReplayRun, headers,
};
use engine::{
    dead_letter::names_what_was_left_out,
    log::OwnedRecord,
    replayed::{EVERY_GROUP, replays},
    wire_check::{WireFault, is_of_placement},
};
use runtime::{
    Config,
    observe::{Broker, Scanner, Span},
};
use schemas::{DigestDlq, is_of_all_readers};
use state::{LetterInput, LetterState};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::ControlFlow,
};
use topology::Map;

/// What a replay does about a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// Writes its input again, under this key and into this partition where it has to be another one.
    Replay { to: Option<(Vec<u8>, i32)> },
    /// Parks it: it was written again too often.
    Park,
    /// Leaves it: it would fail again so.
    Unfit(&'static str),
    /// Leaves it: this is gone.
    Gone(String),
}

/// Letters and what is done about each, by place.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) letters: BTreeMap<LetterPlace, (LetterInput, Choice)>,
    /// Letters of the last transaction of a run that goes on.
    pub(super) last: Vec<LetterInput>,
}

/// Looks through all letters for those of a run.
pub(super) fn choose(
    config: &Config,
    map: &Map,
    (peers, broker): (&Peers, &Broker<'_>),
    run: &ReplayRun,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Chosen, Error> {
    let settled = SettledLetters::read(peers)?;
    let wanted: BTreeSet<LetterState> = run.states.iter().filter_map(|state| state.parse().ok()).collect();
    let last: BTreeSet<LetterPlace> = run.last.iter().copied().collect();
    let mut judge = Judge { config, map, broker, peers, run, checkers: HashMap::new() };
    let mut chosen = Chosen::default();
    let mut newest: HashMap<LetterInput, LetterPlace> = HashMap::new();
    let mut visit = |dead: DeadLetter| -> Result<(), Error> {
        let Ok(letter) = &dead.letter else { return Ok(()) };
        if last.contains(&dead.place) {
            chosen.last.push(input_of(letter));
        }
        if !wanted.contains(&dead.state) || !run.covers(dead.place) || run.has_passed(dead.place) {
            return Ok(());
        }
        let input = input_of(letter);
        if let Some(before) = newest.insert(input.clone(), dead.place) {
            chosen.letters.remove(&before);
        }
        let choice = judge.choice(letter)?;
        chosen.letters.insert(dead.place, (input, choice));
        Ok(())
    };
    let states = LetterState::ALL.into();
    let walk = Walk { selection: &run.selection, states: &states, progress };
    walk_with(config, (peers, &settled), walk, &mut visit)?;
    // Written already, by an earlier letter of the same input: the row that says so is about to come.
    let done: BTreeSet<&LetterInput> = chosen.last.iter().collect();
    chosen.letters.retain(|_, (input, _)| !done.contains(input));
    Ok(chosen)
}

struct Judge<'a> {
    config: &'a Config,
    map: &'a Map,
    broker: &'a Broker<'a>,
    peers: &'a Peers,
    run: &'a ReplayRun,
    checkers: HashMap<String, Option<WireChecker>>,
}

impl Judge<'_> {
    fn choice(&mut self, letter: &DigestDlq) -> Result<Choice, Error> {
        let gone = |what: String| Ok(Choice::Gone(what));
        if replays(&headers::own(letter)) >= self.run.attempts_max {
            return Ok(Choice::Park);
        }
        let DigestDlq { topic: name, stage, .. } = letter;
        let Ok(topic) = self.map.topic(name) else {
            return gone(format!("topic {name} is not in the map"));
        };
        if self.broker.partitions(name).is_err() {
            return gone(format!("topic {name} is not on the broker"));
        }
        if !reads(self.map, stage, name) {
            return gone(format!("{stage} does not read {name}"));
        }
        let input;
        let (mut key, mut value) = (letter.key.as_deref(), letter.value.as_deref());
        if names_what_was_left_out(letter) {
            match whole(self.config, self.broker, letter)? {
                Some(found) => input = found,
                None => {
                    return gone(format!("input is no longer in {name}, and was too large for its letter"));
                }
            }
            (key, value) = (input.key.as_deref(), input.value.as_deref());
        }
        let appended_at_ms = jiff::Timestamp::now().as_millisecond();
        let lying = Lying { key, value, partition: letter.partition, appended_at_ms };
        let peers = self.peers;
        let checker = self.checkers.entry(name.clone()).or_insert_with(|| WireChecker::of(topic, peers));
        let Some(checker) = checker else { return gone(format!("topic {name} carries no records")) };
        match checker.check(lying)? {
            Ok(()) => Ok(Choice::Replay { to: None }),
            Err(WireFault::Misplaced(misplaced)) if self.run.rekey => {
                let place = misplaced.place();
                Ok(Choice::Replay { to: Some((place.key.clone().into_bytes(), place.partition)) })
            }
            Err(fault) => Ok(Choice::Unfit(fault.reason())),
        }
    }
}

/// Whether a unit reads a topic.
fn reads(map: &Map, unit: &str, topic: &str) -> bool {
    let processor = map.processor(unit).is_ok_and(|processor| processor.input == topic);
    processor
        || map.connector(unit).is_ok_and(|connector| connector.inputs.values().any(|input| input == topic))
}

/// Which group the input is written again for. What every reader refused has been taken by none: it is for all of them.
pub(super) fn group_of(config: &Config, map: &Map, letter: &DigestDlq) -> String {
    let DigestDlq { stage, topic, error_class, .. } = letter;
    let is_of_all = is_of_all_readers(error_class) || is_of_placement(error_class);
    if is_of_all && map.is_dlq_owner(stage, topic) {
        return EVERY_GROUP.to_owned();
    }
    config.prefix.group(stage)
}

/// The input itself, where its topic still has it.
pub(super) fn whole(
    config: &Config,
    broker: &Broker<'_>,
    letter: &DigestDlq,
) -> Result<Option<OwnedRecord>, Error> {
    let DigestDlq { topic, partition, offset, .. } = letter;
    let partitions = broker.partitions(topic)?;
    let Some(place) = partitions.into_iter().find(|(_, found)| found == partition) else { return Ok(None) };
    let bounds = broker.bounds(&[place])?;
    if !bounds.values().any(|bounds| (bounds.low..bounds.stable).contains(offset)) {
        return Ok(None);
    }
    let spans = BTreeMap::from([(*partition, Span { from: *offset, until: offset + 1 })]);
    let mut found = None;
    Scanner::new(broker, true).scan(&config.prefix.topic(topic), &spans, &mut |record| {
        found = (record.offset == *offset).then(|| record.detach());
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{super::headers::tests::letter, *};

    #[test]
    fn what_all_readers_refused_is_for_all_and_what_one_refused_is_for_that_one() {
        let (config, map) = (Config::default(), Map::embedded().expect("the built-in map"));
        let of = |stage: &str, reason: &str| {
            let letter = DigestDlq { stage: stage.to_owned(), error_class: reason.to_owned(), ..letter(&[]) };
            group_of(&config, &map, &letter)
        };
        assert_eq!(of("window_builder", "wrong_magic"), "*");
        assert_eq!(of("window_builder", "wrong_partition"), "*");
        assert_eq!(of("window_builder", "too_many"), config.prefix.group("window_builder"));
        assert_eq!(of("postgres_sink", "wrong_magic"), config.prefix.group("postgres_sink"), "not the owner");
    }

    #[test]
    fn a_unit_reads_its_inputs_and_no_other() {
        let map = Map::embedded().expect("the built-in map");
        assert!(reads(&map, "window_builder", "group.message.ingested.v1"));
        assert!(reads(&map, "postgres_sink", "group.message.ingested.v1"));
        assert!(!reads(&map, "topic", "group.message.ingested.v1"));
        assert!(!reads(&map, "gone", "group.message.ingested.v1"));
    }
}
