//! Dead letters as `digest.dlq.v1` holds them: listed, and one of them with the bytes that could not be processed.

use super::{
    AnyValue, Bounds, DeadLetter, Decoded, Error, LetterPlace, LetterSelection, Tapped,
    newest_letters::Newest, peers::Peers, placed::misplaced, settled_letters::SettledLetters, tap::chosen,
};
use engine::{log::RecordView, wire_check::Misplaced};
use runtime::{
    Config,
    observe::{Broker, Partition, Scanner, Span},
};
use schemas::{Decoder, DigestDlq};
use state::LetterState;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};
use topology::{Map, TopicKind};

pub(super) const TOPIC: &str = "digest.dlq.v1";
/// Records between two words about progress.
const PROGRESS_EVERY: u64 = 1_000;

/// Which dead letters to list.
#[derive(Debug, Clone)]
pub struct LetterFilter {
    /// Which are meant.
    pub selection: LetterSelection,
    /// In these states only.
    pub states: BTreeSet<LetterState>,
    /// Most of them: the newest.
    pub limit: usize,
    /// Each letter of an input that was given up more than once, as after a reset. Default: the newest of them.
    pub each: bool,
}

/// The newest dead letters, oldest first, and how many there are in all.
#[derive(Debug, Clone, PartialEq)]
pub struct Letters {
    /// Those that are wanted, at most as many as asked for; each with how many letters its input has.
    pub newest: Vec<(DeadLetter, u64)>,
    /// How many are wanted in all.
    pub matching: u64,
    /// Why it is not known what became of them, if it is not: then all are taken for open.
    pub unsettled: Option<String>,
}

/// Lists dead letters; `progress` hears of offsets passed and to pass.
///
/// # Errors
/// A peer that is away, or a topic that is not on the broker.
pub fn dead_letters(
    config: &Config,
    filter: &LetterFilter,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Letters, Error> {
    let mut newest = Newest::new(filter.limit, filter.each);
    let looked = Walk { selection: &filter.selection, states: &filter.states, progress };
    let unsettled = walk(config, looked, &mut |letter| newest.add(letter))?;
    Ok(Letters { matching: newest.matching(), newest: newest.in_order(), unsettled })
}

/// A look at all letters.
pub(super) struct Walk<'a> {
    pub(super) selection: &'a LetterSelection,
    pub(super) states: &'a BTreeSet<LetterState>,
    pub(super) progress: &'a mut dyn FnMut(u64, u64),
}

/// Hands every letter that is meant to `visit`, in order within a partition. Without Postgres all are open, and why that is
/// so is returned; asked for others, it fails.
pub(super) fn walk(
    config: &Config,
    walk: Walk<'_>,
    visit: &mut dyn FnMut(DeadLetter),
) -> Result<Option<String>, Error> {
    let peers = Peers::new(config)?;
    let (settled, why) = match SettledLetters::read(&peers) {
        Ok(settled) => (settled, None),
        Err(error) if walk.states.contains(&LetterState::Open) => {
            (SettledLetters::default(), Some(error.to_string()))
        }
        Err(error) => return Err(error),
    };
    walk_with(config, (&peers, &settled), walk, &mut |letter| {
        visit(letter);
        Ok(())
    })?;
    Ok(why)
}

/// [`walk`] with what is known of them.
pub(super) fn walk_with(
    config: &Config,
    (peers, settled): (&Peers, &SettledLetters),
    Walk { selection, states, progress }: Walk<'_>,
    visit: &mut dyn FnMut(DeadLetter) -> Result<(), Error>,
) -> Result<(), Error> {
    let broker = Broker::connect(config)?;
    let partitions = broker.partitions(TOPIC)?;
    let bounds = broker.bounds(&partitions)?;
    let spans: BTreeMap<i32, Span> = bounds
        .iter()
        .map(|((_, partition), bounds)| (*partition, Span { from: bounds.low, until: bounds.stable }))
        .collect();
    let total = spans.values().map(|span| (span.until - span.from) as u64).sum();
    let mut decoder = Decoder::new(Arc::clone(&peers.schemas));
    let mut done = 0;
    Scanner::new(&broker, true).scan(&config.prefix.topic(TOPIC), &spans, &mut |record| {
        done += 1;
        if done % PROGRESS_EVERY == 0 {
            progress(done, total);
        }
        let mut letter = read(&mut decoder, record)?;
        letter.state = settled.state(&letter.letter);
        if states.contains(&letter.state) && selection.wants(&letter) {
            visit(letter)?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

pub(super) fn read(decoder: &mut Decoder<DigestDlq>, record: &RecordView<'_>) -> Result<DeadLetter, Error> {
    let letter = match decoder.decode(record.value) {
        Ok(letter) => Ok(letter),
        Err(error) if error.is_transient() => return Err(Error::no_schema(&error)),
        Err(error) => Err(engine::chain(&error)),
    };
    let place = LetterPlace { partition: record.partition, offset: record.offset };
    let state = LetterState::Open;
    Ok(DeadLetter { place, append_time_ms: record.timestamp_ms, letter, state })
}

/// A dead letter, its own headers, and what its raw value says now.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenedLetter {
    /// The letter.
    pub letter: DeadLetter,
    /// Headers of the dead letter itself, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// The raw value read as what its topic carries: decodable now if a schema was missing then.
    pub now: Decoded,
    /// What is wrong about the key or the partition of the input, if it can be read now.
    pub misplaced: Option<Misplaced>,
}

/// One dead letter.
///
/// # Errors
/// [`Error::Refused`] when none lies there; a peer that is away.
pub fn dead_letter(config: &Config, map: &Map, place: LetterPlace) -> Result<OpenedLetter, Error> {
    let peers = Peers::new(config)?;
    let broker = Broker::connect(config)?;
    let partition: Vec<Partition> = chosen(&broker, TOPIC, Some(place.partition))?;
    let bounds = broker.bounds(&partition)?;
    let none = || no_letter(place, bounds.values().next().copied());
    if !bounds.values().any(|bounds| (bounds.low..bounds.stable).contains(&place.offset)) {
        return Err(none());
    }
    let mut decoder = Decoder::new(Arc::clone(&peers.schemas));
    let mut found: Option<(DeadLetter, Tapped)> = None;
    let span = Span { from: place.offset, until: place.offset + 1 };
    let spans = BTreeMap::from([(place.partition, span)]);
    Scanner::new(&broker, true).scan(&config.prefix.topic(TOPIC), &spans, &mut |record| {
        let letter = read(&mut decoder, record)?;
        found = Some((letter, Tapped::of(record, Decoded::Tombstone, None)));
        Ok(ControlFlow::Break(()))
    })?;
    let (letter, tapped) = found.ok_or_else(none)?;
    let (now, misplaced) = match &letter.letter {
        Ok(content) => {
            let topic = map.topic(&content.topic).ok();
            let kind = topic.map_or(TopicKind::Event, |topic| topic.kind);
            let mut values = AnyValue::new(kind, Arc::clone(&peers.schemas));
            let now = values.decode(content.value.as_deref())?;
            let wrong =
                topic.and_then(|topic| misplaced(topic, &now, content.key.as_deref(), content.partition));
            (now, wrong)
        }
        Err(_) => (Decoded::Tombstone, None),
    };
    // Without Postgres what it says is still worth reading.
    let state = SettledLetters::read(&peers).map_or(LetterState::Open, |it| it.state(&letter.letter));
    Ok(OpenedLetter { letter: DeadLetter { state, ..letter }, headers: tapped.headers, now, misplaced })
}

/// Why there is nothing to open.
fn no_letter(place: LetterPlace, bounds: Option<Bounds>) -> Error {
    let partition = place.partition;
    let holds = match bounds {
        Some(bounds) if bounds.low < bounds.stable => {
            let (first, last) = (bounds.low, bounds.stable - 1);
            format!("holds offsets {first} to {last}, some of them transaction markers")
        }
        _ => "is empty".to_owned(),
    };
    Error::Refused(format!(
        "no dead letter at {place}: partition {partition} {holds}; `gistmill dlq ls` lists the letters"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_partition_is_called_so() {
        let place = LetterPlace { partition: 2, offset: 17 };
        let told = |low, stable| no_letter(place, Some(Bounds { low, stable })).to_string();
        let empty = "no dead letter at 2:17: partition 2 is empty; `gistmill dlq ls` lists the letters";
        assert_eq!(told(0, 0), empty);
        assert!(told(3, 9).contains("partition 2 holds offsets 3 to 8, some of them"), "{}", told(3, 9));
    }
}
