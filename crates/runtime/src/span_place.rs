//! Where a span stands: its trace, and its id, which others name as their parent.
//!
//! Invariant: a function of the unit and the record, so that whoever writes the next event knows it without being told.

use processor::AnyRecord;
use schemas::{
    DigestBlocked, DigestDelivered, DigestPersisted, DigestReadyForDelivery, Version, digest_id, span_id,
};

/// The sink that says that it has kept a digest.
const KEEPER: &str = "postgres_sink";

/// Ids of a span, in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// 32 digits.
    pub(crate) trace: String,
    /// 16 digits.
    pub(crate) span: String,
}

impl Place {
    fn new(trace: String, unit: &str, identity: &str) -> Self {
        Self { span: span_id(&trace, unit, identity), trace }
    }

    /// Of the work that made `output`: the one that its `traceparent` names.
    pub(crate) fn of_output(unit: &str, output: &dyn AnyRecord) -> Self {
        Self::new(output.trace_id(), unit, &output.identity())
    }

    /// Of a sink's work on `record`: by the digest, where it is of one.
    pub(crate) fn in_sink(sink: &str, record: &dyn AnyRecord) -> Self {
        let any = record.as_any();
        let ready = any.downcast_ref::<DigestReadyForDelivery>().map(|ready| ready.digest_id.clone());
        let blocked = || {
            any.downcast_ref::<DigestBlocked>().map(|blocked| digest_id(&blocked.window_id, &blocked.version))
        };
        let identity = ready.or_else(blocked).unwrap_or_else(|| record.identity());
        Self::new(record.trace_id(), sink, &identity)
    }

    /// Of the sink's work that an announcement tells of: what a sink has to say goes through the outbox, which keeps no
    /// headers. None for other records, and for what is no digest.
    pub(crate) fn of_teller(record: &dyn AnyRecord) -> Option<Self> {
        let any = record.as_any();
        if let Some(persisted) = any.downcast_ref::<DigestPersisted>() {
            return Some(Self::new(record.trace_id(), KEEPER, &persisted.digest_id));
        }
        let delivered = any.downcast_ref::<DigestDelivered>()?;
        let is_digest = delivered.version.parse() != Ok(Version::NO_DIGEST);
        let sink = format!("{}_sink", delivered.channel);
        is_digest.then(|| Self::new(record.trace_id(), &sink, &delivered.digest_id))
    }
}
