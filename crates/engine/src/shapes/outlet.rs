//! From the outcome of a step to records on topics: ports bound, values encoded, headers set.

use super::Took;
use crate::{
    cloud_events,
    dead_letter::{self, Cause, Origin},
    exactly_once::{
        log::{OutRecord, RecordView},
        shape::Fate,
    },
    replayed::{FOR_ANOTHER, is_for_another},
    wire_check::{Placement, WireFault},
};
use processor::{AnyRecord, DropReason, Emission, Outcome, RecordEncoder, Reject};
use schemas::DigestStageStarted;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A port bound to a topic.
pub struct Bound {
    /// Physical topic.
    pub topic: Arc<str>,
    /// Encoder of its record type.
    pub encoder: Box<dyn RecordEncoder>,
    /// Where records of a key lie.
    pub placement: Placement,
    /// Largest record that client and topic take, in bytes: key, value and headers.
    pub record_bytes_max: usize,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bound").finish_non_exhaustive()
    }
}

impl Bound {
    /// A record in the partition of its key. Said here and not left to the client's partitioner, which goes by the
    /// partitions that the broker has now: the map's are those that are read.
    pub fn keyed(&self, key: Vec<u8>, value: Vec<u8>, headers: Vec<(&'static str, Vec<u8>)>) -> OutRecord {
        let partition = Some(self.placement.partition(&key));
        OutRecord { topic: Arc::clone(&self.topic), partition, key, value: Some(value), headers }
    }
}

/// The output side of one processor.
pub struct Outlet {
    /// Who writes, and what is read.
    pub origin: Origin,
    /// Ports by name.
    pub ports: BTreeMap<&'static str, Bound>,
    /// Where dead letters go.
    pub dead_letters: Bound,
    /// True when input that fails the wire check is ours to dead-letter.
    pub is_dlq_owner: bool,
    /// Who is told.
    pub witness: Arc<dyn Witness>,
}

/// Who is told of work, and measures it: metrics and traces are the host's, and so is the clock.
pub trait Witness: Send + Sync {
    /// Time since any fixed moment.
    fn now(&self) -> Duration;
    /// A stage has read a record and passed it on to its code; said again of what it reads again.
    fn read(&self, _stage: &'static str, _input: &RecordView<'_>, _record: &dyn AnyRecord) {}
    /// A stage has made these of an input, in the time `took` up to now.
    fn made(&self, stage: &'static str, input: &RecordView<'_>, made: &[Emission], took: Took);
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").finish_non_exhaustive()
    }
}

impl Outlet {
    /// [`Self::fate`], of which the witness is told, with the time that the work took.
    pub fn measured(&self, result: Result<Outcome, Reject>, input: &RecordView<'_>, took: Took) -> Fate {
        if let Ok(Outcome::Emit(emissions)) = &result {
            self.witness.made(self.origin.stage, input, emissions, took);
        }
        self.fate_of(result, input, Some(took))
    }

    /// [`Self::measured`] of work that began at `began` and has just ended.
    pub fn ended(&self, result: Result<Outcome, Reject>, input: &RecordView<'_>, began: Duration) -> Fate {
        let has_made = matches!(&result, Ok(Outcome::Emit(emissions)) if !emissions.is_empty());
        if !has_made {
            return self.fate(result, input);
        }
        self.measured(result, input, Took::working(self.witness.now().saturating_sub(began)))
    }

    /// What becomes of an input that was written again for another reader of its topic.
    pub fn for_another(&self, input: &RecordView<'_>) -> Option<Fate> {
        is_for_another(input, &self.origin.group).then_some(Fate::Drop(FOR_ANOTHER))
    }

    /// What becomes of an input that was decoded.
    pub fn fate(&self, result: Result<Outcome, Reject>, input: &RecordView<'_>) -> Fate {
        self.fate_of(result, input, None)
    }

    fn fate_of(&self, result: Result<Outcome, Reject>, input: &RecordView<'_>, took: Option<Took>) -> Fate {
        match result {
            Ok(Outcome::Drop(DropReason(reason))) => Fate::Drop(reason),
            Ok(Outcome::Emit(emissions)) => match self.records(&emissions, took) {
                Ok(records) => Fate::Emit(records),
                Err(reject) => self.dead_letter(&reject.into(), input),
            },
            Err(reject) => self.dead_letter(&reject.into(), input),
        }
    }

    /// What becomes of an input that failed the wire check.
    pub fn unfit(&self, fault: &WireFault, input: &RecordView<'_>) -> Fate {
        if !self.is_dlq_owner {
            return Fate::LeftToOwner(Cause::of_fault(fault).kind(&self.origin));
        }
        self.dead_letter(&Cause::of_fault(fault), input)
    }

    /// Emissions as records on topics, in order; of work that was measured, its beginning says how long it took.
    fn records(&self, emissions: &[Emission], took: Option<Took>) -> Result<Vec<OutRecord>, Reject> {
        emissions.iter().map(|emission| self.record(emission, took)).collect()
    }

    fn record(&self, emission: &Emission, took: Option<Took>) -> Result<OutRecord, Reject> {
        let record = emission.record.as_ref();
        let bound = self.ports.get(emission.port).ok_or_else(|| {
            Reject::new("unbound_port", format!("port {} is not in the map", emission.port))
        })?;
        let mut value = Vec::new();
        bound
            .encoder
            .encode(record, &mut value)
            .map_err(|error| Reject::new("unencodable_output", chain(&error)))?;
        let mut headers = cloud_events::headers(self.origin.stage, record);
        // Telemetry, and the one record of a stage of which a replay does not have to give the same bytes.
        if let Some(took) = took.filter(|_| record.as_any().is::<DigestStageStarted>()) {
            headers.extend(cloud_events::times(took));
        }
        let out = bound.keyed(record.key().into_bytes(), value, headers);
        if out.bytes() > bound.record_bytes_max {
            let (name, bytes, limit) = (record.type_name(), out.bytes(), bound.record_bytes_max);
            return Err(Reject::new("output_too_large", format!("{name} of {bytes} bytes, limit {limit}")));
        }
        Ok(out)
    }

    fn dead_letter(&self, cause: &Cause, input: &RecordView<'_>) -> Fate {
        match dead_letter::letter(&self.dead_letters, (&self.origin, cause), input) {
            Ok((_, record)) => Fate::DeadLetter(Box::new(record), cause.kind(&self.origin)),
            Err(_) => Fate::Drop("unencodable_dead_letter"),
        }
    }
}

/// An error with its causes on one line; what an error says of its cause already is not repeated.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}
