//! Cited messages, read again where the database says that they lie.
//!
//! Invariant: each record is read once, however many digests cite it; what the topic no longer holds is told as taken.

use crate::{Error, Peers};
use runtime::{
    Config,
    observe::{Broker, MESSAGES_TOPIC, Scanner, Span},
};
use schemas::{Decoder, END_OF_LANE, GroupMessageIngested, LIVE_LANE, MessageKind};
use state::StatedMessage;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::ControlFlow,
    sync::Arc,
};

/// A partition and an offset.
pub(super) type Offset = (i32, i64);

/// What a record says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// What is stored.
    Same,
    /// Another text, or that it was deleted where it is not, or the other way round.
    Differs,
    /// Nothing: it is not in there.
    Missing,
    /// The topic no longer holds the record.
    Taken,
}

impl Said {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::Missing => "missing",
            Self::Taken => "taken",
        }
    }
}

/// A record that is needed: when it was made, in which lane, and states of messages by id and revision.
#[derive(Debug)]
struct Record {
    lane: String,
    observed_at: i64,
    states: BTreeMap<(i64, i64), (String, bool)>,
}

/// The records that digests rest on, and how far each lane has come.
#[derive(Debug, Default)]
pub(super) struct Sources {
    records: HashMap<Offset, Record>,
    /// Newest clock of each group's live lane, by key.
    clocks: HashMap<String, i64>,
    /// Lanes that ended, by key and lane: where.
    ended: HashMap<(String, String), Offset>,
    lows: BTreeMap<i32, i64>,
}

impl Sources {
    /// Reads the records at these places, and what came after the first of them.
    pub(super) fn read(
        config: &Config,
        (broker, peers): (&Broker<'_>, &Peers),
        wanted: &BTreeSet<Offset>,
    ) -> Result<Self, Error> {
        let partitions = broker.partitions(MESSAGES_TOPIC)?;
        let bounds = broker.bounds(&partitions)?;
        let lows = bounds.iter().map(|((_, partition), bounds)| (*partition, bounds.low)).collect();
        let mut sources = Self { lows, ..Self::default() };
        let spans: BTreeMap<i32, Span> = bounds
            .iter()
            .filter_map(|((_, partition), bounds)| {
                let (_, first) = wanted.range((*partition, 0)..=(*partition, i64::MAX)).next()?;
                Some((*partition, Span { from: bounds.low.max(*first), until: bounds.stable }))
            })
            .collect();
        let mut decoder = Decoder::<GroupMessageIngested>::new(Arc::clone(&peers.schemas));
        Scanner::new(broker, true).scan(&config.prefix.topic(MESSAGES_TOPIC), &spans, &mut |record| {
            match decoder.read(record.value, record.timestamp_ms) {
                Ok(said) => sources.hear((record.partition, record.offset), &said, wanted),
                Err(error) if error.is_transient() => return Err(Error::no_schema(&error)),
                Err(_) => {}
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(sources)
    }

    fn hear(&mut self, place: Offset, said: &GroupMessageIngested, wanted: &BTreeSet<Offset>) {
        let key = format!("{}/{}", said.tenant_id, said.group_id);
        if said.complete_until == Some(END_OF_LANE) {
            self.ended.insert((key.clone(), said.lane.clone()), place);
        }
        if said.lane == LIVE_LANE {
            let promised = said.complete_until.filter(|until| *until != END_OF_LANE).unwrap_or_default();
            let clock = self.clocks.entry(key).or_default();
            *clock = (*clock).max(said.observed_at).max(promised);
        }
        if wanted.contains(&place) {
            let states = said.messages.iter().map(|message| {
                let is_deleted = MessageKind::parse(&message.kind) == Some(MessageKind::Deleted);
                ((message.id, message.revision), (message.text.replace('\0', "\u{FFFD}"), is_deleted))
            });
            let (lane, observed_at) = (said.lane.clone(), said.observed_at);
            self.records.insert(place, Record { lane, observed_at, states: states.collect() });
        }
    }

    /// Records that were found.
    pub(super) fn count(&self) -> u64 {
        self.records.len() as u64
    }

    /// What its record says of a stored state. At an equal revision what is known is not erased by what is absent: a record
    /// without text leaves the text that an earlier one told.
    pub(super) fn said(&self, state: &StatedMessage) -> Said {
        let place = (state.partition, state.offset);
        let Some(record) = self.records.get(&place) else {
            let low = self.lows.get(&state.partition).copied().unwrap_or_default();
            return if state.offset < low { Said::Taken } else { Said::Missing };
        };
        match record.states.get(&(state.id, state.revision)) {
            None => Said::Missing,
            Some((text, is_deleted)) => {
                let is_same = text.is_empty() || *text == state.text;
                if is_same && *is_deleted == state.deleted { Said::Same } else { Said::Differs }
            }
        }
    }

    /// Whether a change at a place must have become a revision of a window by now; none where that is still to come, or
    /// cannot be told any more.
    pub(super) fn is_due(
        &self,
        key: &str,
        place: Offset,
        (window_end, grace_and_horizon_ms): (i64, (i64, i64)),
    ) -> Due {
        let Some(record) = self.records.get(&place) else { return Due::Unknown };
        if record.lane != LIVE_LANE {
            let end = self.ended.get(&(key.to_owned(), record.lane.clone()));
            return if end.is_some_and(|end| *end >= place) { Due::Yes } else { Due::Later };
        }
        let (grace_ms, horizon_ms) = grace_and_horizon_ms;
        if record.observed_at > window_end.saturating_add(horizon_ms) {
            return Due::TooLate;
        }
        // Revisions of a closed window are a grace apart, and a clock trails its source by another.
        let clock = self.clocks.get(key).copied().unwrap_or_default();
        let settled = record.observed_at.max(window_end).saturating_add(3 * grace_ms);
        if clock > settled { Due::Yes } else { Due::Later }
    }
}

/// Whether a change must have become a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Yes,
    Later,
    /// It came after the horizon: such a change makes none.
    TooLate,
    /// Its record is gone.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Message;

    const MINUTE: i64 = 60_000;
    const PACE: (i64, i64) = (5 * MINUTE, 1_000 * MINUTE);

    fn sources(records: &[(i64, GroupMessageIngested)]) -> Sources {
        let wanted = records.iter().map(|(offset, _)| (0, *offset)).collect();
        let mut sources = Sources { lows: BTreeMap::from([(0, 5)]), ..Sources::default() };
        for (offset, record) in records {
            sources.hear((0, *offset), record, &wanted);
        }
        sources
    }

    fn record(lane: &str, observed_at: i64, messages: Vec<Message>) -> GroupMessageIngested {
        GroupMessageIngested {
            tenant_id: "a".to_owned(),
            group_id: "b".to_owned(),
            lane: lane.to_owned(),
            observed_at,
            messages,
            ..GroupMessageIngested::default()
        }
    }

    fn state(offset: i64, text: &str) -> StatedMessage {
        StatedMessage { id: 1, revision: 0, deleted: false, text: text.to_owned(), partition: 0, offset }
    }

    #[test]
    fn a_state_is_what_its_record_says_or_is_not() {
        let sources = sources(&[
            (7, record(LIVE_LANE, 1, vec![Message::plain(1, 1, "a\0b")])),
            (8, record(LIVE_LANE, 1, vec![Message::plain(2, 1, "other")])),
            (9, record(LIVE_LANE, 1, vec![Message::plain(1, 1, "")])),
        ]);
        assert_eq!(sources.said(&state(7, "a\u{FFFD}b")), Said::Same);
        assert_eq!(sources.said(&state(7, "by hand")), Said::Differs);
        assert_eq!(sources.said(&StatedMessage { deleted: true, ..state(7, "a\u{FFFD}b") }), Said::Differs);
        assert_eq!(sources.said(&StatedMessage { revision: 4, ..state(7, "x") }), Said::Missing);
        assert_eq!(sources.said(&state(8, "x")), Said::Missing);
        assert_eq!(sources.said(&state(9, "known before")), Said::Same, "what is absent erases nothing");
        assert_eq!(sources.said(&state(4, "x")), Said::Taken);
        assert_eq!(sources.said(&state(6, "x")), Said::Missing);
    }

    #[test]
    fn a_change_is_due_once_the_clock_has_passed_it_and_never_beyond_the_horizon() {
        let end = 100 * MINUTE;
        let at = |changed, clock| {
            let live = |at| record(LIVE_LANE, at, Vec::new());
            sources(&[(7, live(changed)), (8, live(clock))]).is_due("a/b", (0, 7), (end, PACE))
        };
        assert_eq!(at(110 * MINUTE, 111 * MINUTE), Due::Later);
        assert_eq!(at(110 * MINUTE, 126 * MINUTE), Due::Yes);
        assert_eq!(at(1_101 * MINUTE, 2_000 * MINUTE), Due::TooLate);
        let ended =
            GroupMessageIngested { complete_until: Some(END_OF_LANE), ..record("import", 0, Vec::new()) };
        let import = || record("import", 110 * MINUTE, Vec::new());
        assert_eq!(sources(&[(7, import())]).is_due("a/b", (0, 7), (end, PACE)), Due::Later);
        assert_eq!(
            sources(&[(7, import()), (8, ended.clone())]).is_due("a/b", (0, 7), (end, PACE)),
            Due::Yes
        );
        assert_eq!(sources(&[(6, ended), (7, import())]).is_due("a/b", (0, 7), (end, PACE)), Due::Later);
        assert_eq!(sources(&[]).is_due("a/b", (0, 7), (end, PACE)), Due::Unknown);
    }
}
