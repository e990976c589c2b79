//! Events of digests, as their topics hold them.
//!
//! Invariant: every committed event of the partitions is seen once.

use super::content::Content;
use crate::{Error, Peers};
use runtime::{
    Config,
    observe::{Broker, Partition, Scanner, Span},
};
use schemas::{Decoder, DigestPersisted, DigestReadyForDelivery, GroupWindowReady, Record, WindowRef};
use std::{
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
    sync::Arc,
};

/// Events of one digest.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) tenant_id: String,
    pub(super) group_id: String,
    pub(super) window_id: String,
    pub(super) version: String,
    pub(super) window: WindowRef,
    pub(super) content: Content,
    /// Partition and offset of each.
    pub(super) places: Vec<(i32, i64)>,
}

/// What a topic holds, and since when.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Append time of the first record of each partition, in ms; none where there is none.
    first_ms: BTreeMap<i32, i64>,
    /// Partitions of which nothing was ever taken.
    whole: BTreeMap<i32, bool>,
}

impl Held {
    /// Whether a record of this partition that was appended before a time may be gone.
    pub(super) fn may_lack(&self, partition: i32, before_ms: i64) -> bool {
        let is_whole = self.whole.get(&partition).copied().unwrap_or_default();
        !is_whole && self.first_ms.get(&partition).is_none_or(|first| *first > before_ms)
    }
}

/// What is on the topics.
pub(super) struct Events<'a> {
    pub(super) config: &'a Config,
    pub(super) broker: &'a Broker<'a>,
    pub(super) peers: &'a Peers,
}

impl Events<'_> {
    /// Events of digests that passed their gates, by digest.
    pub(super) fn ready(&self) -> Result<(HashMap<String, Ready>, Held), Error> {
        let mut found: HashMap<String, Ready> = HashMap::new();
        let held = self.each(&mut |event: DigestReadyForDelivery, place| {
            if let Some(known) = found.get_mut(&event.digest_id) {
                known.places.push(place);
                return;
            }
            let content = Content::of_event(&event);
            let DigestReadyForDelivery { tenant_id, group_id, digest_id, window_id, version, window, .. } =
                event;
            let places = vec![place];
            found.insert(
                digest_id,
                Ready { tenant_id, group_id, window_id, version, window, content, places },
            );
        })?;
        Ok((found, held))
    }

    /// How often each digest was announced as stored.
    pub(super) fn persisted(&self) -> Result<(HashMap<String, u64>, Held), Error> {
        let mut found: HashMap<String, u64> = HashMap::new();
        let held = self.each(&mut |event: DigestPersisted, _| {
            *found.entry(event.digest_id).or_default() += 1;
        })?;
        Ok((found, held))
    }

    /// The newest revision of each window that was told.
    pub(super) fn revisions(&self) -> Result<HashMap<String, i32>, Error> {
        let mut found: HashMap<String, i32> = HashMap::new();
        self.each(&mut |event: GroupWindowReady, _| {
            let newest = found.entry(event.window_id).or_default();
            *newest = event.revision.max(*newest);
        })?;
        Ok(found)
    }

    /// Hands every event of a type to `visit`; what cannot be read has its dead letter.
    fn each<R: Record>(&self, visit: &mut dyn FnMut(R, (i32, i64))) -> Result<Held, Error> {
        let partitions = self.broker.partitions(R::TYPE)?;
        let bounds = self.broker.bounds(&partitions)?;
        let spans: BTreeMap<i32, Span> = bounds
            .iter()
            .map(|((_, partition), bounds)| (*partition, Span { from: bounds.low, until: bounds.stable }))
            .collect();
        let whole = |((_, partition), bounds): (&Partition, &crate::Bounds)| (*partition, bounds.low == 0);
        let mut held = Held { first_ms: BTreeMap::new(), whole: bounds.iter().map(whole).collect() };
        let mut decoder = Decoder::<R>::new(Arc::clone(&self.peers.schemas));
        Scanner::new(self.broker, true).scan(&self.config.prefix.topic(R::TYPE), &spans, &mut |record| {
            held.first_ms.entry(record.partition).or_insert(record.timestamp_ms);
            match decoder.read(record.value, record.timestamp_ms) {
                Ok(event) => visit(event, (record.partition, record.offset)),
                Err(error) if error.is_transient() => return Err(Error::no_schema(&error)),
                Err(_) => {}
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(held)
    }
}
