//! What every wire type tells the runtime: its type name, schema, key, identity and event time.

use crate::Invalid;
use serde::{Serialize, de::DeserializeOwned};

/// A record type of the event contract.
pub trait Record:
    Serialize + DeserializeOwned + Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static
{
    /// Versioned type name, as in `ce_type` and in the map.
    const TYPE: &'static str;
    /// Newest Avro schema of the type, as JSON.
    const AVSC: &'static str;

    /// Tenant that owns the record.
    fn tenant_id(&self) -> &str;
    /// Group inside the tenant.
    fn group_id(&self) -> &str;
    /// What makes two records the same event; equal on every replay.
    fn identity(&self) -> String;
    /// Event time in ms since the epoch (`ce_time`), never the time of processing.
    fn event_time_ms(&self) -> i64;
    /// W3C trace id: 32 hex digits, a function of the identity.
    fn trace_id(&self) -> String;

    /// Refuses a record that no reader of its topic can use, beyond what Avro can say; `appended_at_ms` is when the
    /// broker took it, 0 when that is not known. Default: takes all.
    fn check(&self, appended_at_ms: i64) -> Result<(), Invalid> {
        let _ = appended_at_ms;
        Ok(())
    }

    /// Kafka key: `tenant_id/group_id` on every event topic, so that order holds per group.
    fn key(&self) -> String {
        format!("{}/{}", self.tenant_id(), self.group_id())
    }

    /// True when `key` is [`Record::key`]; told without making one.
    fn is_keyed(&self, key: &[u8]) -> bool {
        let group = key.strip_prefix(self.tenant_id().as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
        group == Some(self.group_id().as_bytes())
    }
}

/// A record type as data, for the map, the registry and the contract tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordType {
    /// Versioned type name.
    pub name: &'static str,
    /// Newest Avro schema, as JSON.
    pub avsc: &'static str,
    /// Its identity, with the paths of fields in braces: `{window_id}/{revision}`, `{messages.0.id}`.
    pub identity: &'static str,
}

const fn of<R: Record>(identity: &'static str) -> RecordType {
    RecordType { name: R::TYPE, avsc: R::AVSC, identity }
}

/// Every record type of the contract. A record of messages without any, which says how far its lane is whole, is known by
/// its `ingest_trace_id`.
pub const RECORD_TYPES: [RecordType; 12] = [
    of::<crate::GroupMessageIngested>("{tenant_id}/{group_id}/{messages.0.id}/{messages.0.revision}"),
    of::<crate::GroupWindowReady>("{window_id}/{revision}"),
    of::<crate::DigestGenerateRequested>("{window_id}/{version}"),
    of::<crate::DigestContextPrepared>("{window_id}/{version}"),
    of::<crate::DigestStageStarted>("{window_id}/{stage}/{run_id}"),
    of::<crate::DigestStageCompleted>("{window_id}/{stage}/{run_id}"),
    of::<crate::DigestReadyForDelivery>("{digest_id}"),
    of::<crate::DigestBlocked>("{window_id}/{version}"),
    of::<crate::DigestPersisted>("{digest_id}"),
    of::<crate::DigestDelivered>("{digest_id}/{channel}/{status}"),
    of::<crate::DigestDlq>("{topic}/{partition}/{offset}/{stage}"),
    of::<crate::GroupCommandAnswered>("{command_id}"),
];

/// Looks a record type up by its versioned name.
pub fn record_type(name: &str) -> Option<RecordType> {
    RECORD_TYPES.into_iter().find(|record| record.name == name)
}

/// Implements [`Record`] for a type whose tenant, group and (where it has one) trace are plain fields.
macro_rules! record {
    ($type:ty, $name:literal, $avsc:literal, identity: |$i:ident| $identity:expr, time: |$t:ident| $time:expr, trace: |$r:ident| $trace:expr $(, check: $check:path)?) => {
        impl $crate::Record for $type {
            const TYPE: &'static str = $name;
            const AVSC: &'static str = include_str!(concat!("../avro/", $avsc, ".avsc"));
            fn tenant_id(&self) -> &str {
                &self.tenant_id
            }
            fn group_id(&self) -> &str {
                &self.group_id
            }
            fn identity(&self) -> String {
                let $i = self;
                $identity
            }
            fn event_time_ms(&self) -> i64 {
                let $t = self;
                $time
            }
            fn trace_id(&self) -> String {
                let $r = self;
                $trace
            }
            $(fn check(&self, appended_at_ms: i64) -> Result<(), $crate::Invalid> {
                $check(self, appended_at_ms)
            })?
        }
    };
}
pub(crate) use record;
