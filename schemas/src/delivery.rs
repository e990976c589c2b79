//! The end of a digest's way: ready, blocked, persisted, delivered.

use crate::{Digest, StageRun, WindowRef, identity, record::record};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A digest passed its gates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestReadyForDelivery {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of window id, version.
    pub digest_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Trace id of this digest: 32 hex digits.
    pub trace_id: String,
    /// The window.
    pub window: WindowRef,
    /// Score in [0, 1].
    pub quality_score: f64,
    /// The digest.
    pub delivery_payload: Digest,
    /// Channels to deliver to.
    pub channels: Vec<String>,
    /// Runs of all stages, in order.
    pub runs: Vec<StageRun>,
}

record!(DigestReadyForDelivery, "digest.ready_for_delivery.v1", "digest.ready_for_delivery.v1",
    identity: |r| r.digest_id.clone(),
    time: |r| r.window.window_end,
    trace: |r| r.trace_id.clone());

/// No digest will be delivered for this version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestBlocked {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Trace id of this digest: 32 hex digits.
    pub trace_id: String,
    /// Why, as a metric label.
    pub reason: String,
    /// Score in [0, 1], once there is a digest.
    pub quality_score: Option<f64>,
    /// Scopes the group lacks.
    pub missing_scopes: Vec<String>,
    /// The window.
    pub window: WindowRef,
    /// What the score holds against the digest, by name, worst first; empty where it was not its quality, and in records
    /// of the first revision.
    #[serde(default)]
    pub weaknesses: Vec<String>,
}

record!(DigestBlocked, "digest.blocked.v1", "digest.blocked.v1",
    identity: |r| format!("{}/{}", r.window_id, r.version),
    time: |r| r.window.window_end,
    trace: |r| r.trace_id.clone());

/// A digest is in Postgres.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestPersisted {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of window id, version.
    pub digest_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Measures of the digest by name.
    pub metrics: BTreeMap<String, f64>,
    /// Titles of its topics.
    pub topics: Vec<String>,
    /// End of the window in ms, exclusive.
    pub window_end: i64,
}

record!(DigestPersisted, "digest.persisted.v1", "digest.persisted.v1",
    identity: |r| r.digest_id.clone(),
    time: |r| r.window_end,
    trace: |r| identity::trace_id(&format!("{}/{}", r.window_id, r.version)));

/// A delivery succeeded, failed for good, or was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestDelivered {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of window id, version.
    pub digest_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// `success`, `failed`, or `withdrawn`: the channel holds the digest no more, since a newer version was blocked.
    pub status: String,
    /// Channel delivered to.
    pub channel: String,
    /// When the channel accepted it, or no longer held it, in ms.
    pub delivered_at: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// Version of the window that was blocked, for `withdrawn`. Absent from the first revision.
    #[serde(default)]
    pub withdrawn_by: Option<String>,
}

record!(DigestDelivered, "digest.delivered.v1", "digest.delivered.v1",
    identity: |r| format!("{}/{}/{}", r.digest_id, r.channel, r.status),
    time: |r| r.delivered_at,
    trace: |r| identity::trace_id(&format!("{}/{}", r.window_id, r.version)));
