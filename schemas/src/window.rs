//! `group.window.ready`: a window of a group is complete, or complete anew.

use crate::{GroupSettings, identity, record::record};
use serde::{Deserialize, Serialize};

/// A window of a group is complete, or complete anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupWindowReady {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// Window size in hours.
    pub size_hours: i32,
    /// Start in ms, inclusive.
    pub window_start: i64,
    /// End in ms, exclusive.
    pub window_end: i64,
    /// Counts the window's contents, from 1.
    pub revision: i32,
    /// Lane whose close made this revision.
    pub lane: String,
    /// Messages that are not deleted.
    pub message_count: i32,
    /// Distinct authors of those messages.
    pub participant_count: i32,
    /// Scopes granted to the window's digest.
    pub scopes: Vec<String>,
    /// Settings in force when the window opened.
    pub settings: GroupSettings,
    /// Partition of `group.message.ingested` that holds the group.
    pub source_partition: i32,
    /// Last offset of that partition that belongs to this revision.
    pub source_offset: i64,
}

record!(GroupWindowReady, "group.window.ready.v1", "group.window.ready.v1",
    identity: |r| format!("{}/{}", r.window_id, r.revision),
    time: |r| r.window_end,
    trace: |r| identity::trace_id(&r.identity()));

/// The window that a digest is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowRef {
    /// Window size in hours.
    pub size_hours: i32,
    /// Start in ms, inclusive.
    pub window_start: i64,
    /// End in ms, exclusive.
    pub window_end: i64,
    /// Counts the window's contents, from 1.
    pub revision: i32,
    /// Lane whose close made this revision.
    pub lane: String,
    /// Messages that are not deleted.
    pub message_count: i32,
    /// Distinct authors of those messages.
    pub participant_count: i32,
    /// Settings in force when the window opened.
    pub settings: GroupSettings,
    /// Partition of `group.message.ingested` that holds the group.
    pub source_partition: i32,
    /// Last offset of that partition that belongs to this revision.
    pub source_offset: i64,
}

impl From<&GroupWindowReady> for WindowRef {
    fn from(ready: &GroupWindowReady) -> Self {
        Self {
            size_hours: ready.size_hours,
            window_start: ready.window_start,
            window_end: ready.window_end,
            revision: ready.revision,
            lane: ready.lane.clone(),
            message_count: ready.message_count,
            participant_count: ready.participant_count,
            settings: ready.settings.clone(),
            source_partition: ready.source_partition,
            source_offset: ready.source_offset,
        }
    }
}
