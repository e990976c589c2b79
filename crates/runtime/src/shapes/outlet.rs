//! From the outcome of a step to records on topics: ports bound, values encoded, headers set.

use crate::{
    cloud_events,
    dead_letter::{self, Cause, Origin},
    engine::{
        log::{OutRecord, RecordView},
        shape::Fate,
    },
    metrics::Metrics,
    telemetry::Tracer,
};
use processor::{Drop, Emission, Outcome, RecordEncoder, Reject};
use schemas::DecodeError;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A port bound to a topic.
pub(crate) struct Bound {
    /// Physical topic.
    pub(crate) topic: Arc<str>,
    pub(crate) encoder: Box<dyn RecordEncoder>,
    /// Largest value the topic takes, in bytes, with room for key and headers.
    pub(crate) value_bytes_max: usize,
}

/// The output side of one processor.
pub(crate) struct Outlet {
    pub(crate) origin: Origin,
    pub(crate) ports: BTreeMap<&'static str, Bound>,
    pub(crate) dead_letters: Bound,
    /// True when undecodable input is ours to dead-letter.
    pub(crate) owns_undecodable: bool,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tracer: Option<Tracer>,
}

impl Outlet {
    /// [`Self::fate`], with the time the work took told to metrics and traces.
    pub(crate) fn measured(
        &self,
        result: Result<Outcome, Reject>,
        input: &RecordView<'_>,
        took: Duration,
    ) -> Fate {
        if let Ok(Outcome::Emit(emissions)) = &result {
            for emission in emissions {
                self.metrics.emitted(emission.record.as_ref(), took);
            }
            if let (Some(tracer), Some(last)) = (&self.tracer, emissions.last()) {
                tracer.record(self.origin.stage, input, last.record.as_ref(), took);
            }
        }
        self.fate(result, input)
    }

    /// What becomes of an input that was decoded.
    pub(crate) fn fate(&self, result: Result<Outcome, Reject>, input: &RecordView<'_>) -> Fate {
        match result {
            Ok(Outcome::Drop(Drop(reason))) => Fate::Drop(reason),
            Ok(Outcome::Emit(emissions)) => match self.records(&emissions) {
                Ok(records) => Fate::Emit(records),
                Err(reject) => self.dead_letter(reject, "investigate", input),
            },
            Err(reject) => self.dead_letter(reject, "investigate", input),
        }
    }

    /// What becomes of an input that was not.
    pub(crate) fn undecodable(&self, error: &DecodeError, input: &RecordView<'_>) -> Fate {
        if !self.owns_undecodable {
            return Fate::LeftToOwner;
        }
        let next_action = match error {
            DecodeError::Schema(_) | DecodeError::WriterSchema { .. } => "fix_schema",
            _ => "investigate",
        };
        self.dead_letter(Reject::new(error.reason(), chain(error)), next_action, input)
    }

    /// Emissions as records on topics, in order.
    pub(crate) fn records(&self, emissions: &[Emission]) -> Result<Vec<OutRecord>, Reject> {
        emissions.iter().map(|emission| self.record(emission)).collect()
    }

    fn record(&self, emission: &Emission) -> Result<OutRecord, Reject> {
        let record = emission.record.as_ref();
        let bound = self.ports.get(emission.port).ok_or_else(|| {
            Reject::new("unbound_port", format!("port {} is not in the map", emission.port))
        })?;
        let mut value = Vec::new();
        bound
            .encoder
            .encode(record, &mut value)
            .map_err(|error| Reject::new("unencodable_output", chain(&error)))?;
        if value.len() > bound.value_bytes_max {
            let detail =
                format!("{} of {} bytes, limit {}", record.type_name(), value.len(), bound.value_bytes_max);
            return Err(Reject::new("output_too_large", detail));
        }
        Ok(OutRecord {
            topic: Arc::clone(&bound.topic),
            partition: None,
            key: record.key().into_bytes(),
            value: Some(value),
            headers: cloud_events::headers(self.origin.stage, record),
        })
    }

    fn dead_letter(&self, reject: Reject, next_action: &'static str, input: &RecordView<'_>) -> Fate {
        let cause = Cause { reason: reject.reason, detail: reject.detail, next_action };
        let letter = |input: &RecordView<'_>| {
            let bound = &self.dead_letters;
            let fits = input.value.is_none_or(|value| value.len() * 2 <= bound.value_bytes_max);
            // One that no topic can hold leaves its place in the log, where it still is.
            let input = if fits { *input } else { RecordView { value: None, ..*input } };
            dead_letter::record(&bound.topic, bound.encoder.as_ref(), (&self.origin, &cause), &input)
        };
        match letter(input) {
            Ok(record) => Fate::DeadLetter(Box::new(record), cause.reason),
            Err(_) => Fate::Drop("unencodable_dead_letter"),
        }
    }
}

/// An error with its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
