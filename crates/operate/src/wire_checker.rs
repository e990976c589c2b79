//! The wire check of any topic's records, as its readers make it.
//!
//! Invariant: it says of a record what every reader would say now; only a registry that is away says nothing.

use super::{Error, Peers};
use engine::wire_check::{Placement, WireFault};
use runtime::{AnyDecoder, InputSpec};
use schemas::{
    DecodeError, DigestBlocked, DigestContextPrepared, DigestDelivered, DigestDlq, DigestGenerateRequested,
    DigestPersisted, DigestReadyForDelivery, DigestStageCompleted, DigestStageStarted, GroupCommandAnswered,
    GroupMessageIngested, GroupWindowReady, SchemaSourceError, frame_schema_id,
};
use std::{collections::BTreeSet, sync::Arc};
use topology::Topic;

/// Inputs of every type, by which a decoder is found.
const INPUTS: [InputSpec; 12] = [
    InputSpec::of::<GroupMessageIngested>(""),
    InputSpec::of::<GroupWindowReady>(""),
    InputSpec::of::<DigestGenerateRequested>(""),
    InputSpec::of::<DigestContextPrepared>(""),
    InputSpec::of::<DigestStageStarted>(""),
    InputSpec::of::<DigestStageCompleted>(""),
    InputSpec::of::<DigestReadyForDelivery>(""),
    InputSpec::of::<DigestBlocked>(""),
    InputSpec::of::<DigestPersisted>(""),
    InputSpec::of::<DigestDelivered>(""),
    InputSpec::of::<DigestDlq>(""),
    InputSpec::of::<GroupCommandAnswered>(""),
];

/// Where a record lies and what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lying<'a> {
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) partition: i32,
    /// The broker's append time in ms.
    pub(super) appended_at_ms: i64,
}

/// The check of one topic.
pub(super) struct WireChecker {
    decoder: AnyDecoder,
    placement: Placement,
    /// Ids that the registry does not have: asked for once.
    missing: BTreeSet<u32>,
}

impl WireChecker {
    /// That of a topic of the map; none where it carries no records.
    pub(super) fn of(topic: &Topic, peers: &Peers) -> Option<Self> {
        let input = INPUTS.iter().find(|input| Some(input.record_type) == topic.record.as_deref())?;
        Some(Self {
            decoder: (input.decoder)(Arc::clone(&peers.schemas)),
            placement: Placement { partitions: topic.partitions },
            missing: BTreeSet::new(),
        })
    }

    /// What is wrong about a record, if anything is.
    pub(super) fn check(&mut self, it: Lying<'_>) -> Result<Result<(), WireFault>, Error> {
        let id = it.value.and_then(|value| frame_schema_id(value).ok());
        if let Some(id) = id.filter(|id| self.missing.contains(id)) {
            return Ok(Err(DecodeError::from(SchemaSourceError::NotFound(id)).into()));
        }
        match (self.decoder)(it.value, it.appended_at_ms) {
            Ok(record) => {
                Ok(self.placement.check(record.as_ref(), it.key, it.partition).map_err(WireFault::from))
            }
            Err(error) if error.is_transient() => Err(Error::no_schema(&error)),
            Err(error) => {
                if let DecodeError::Schema(SchemaSourceError::NotFound(id)) = &error {
                    self.missing.insert(*id);
                }
                Ok(Err(error.into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_can_be_checked() {
        let known: BTreeSet<&str> = INPUTS.iter().map(|input| input.record_type).collect();
        assert_eq!(known, schemas::RECORD_TYPES.iter().map(|record| record.name).collect());
    }
}
