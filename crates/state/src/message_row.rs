//! A message state on its way into the table.

use schemas::Message;

/// A message state and its place in the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MessageRow<'a> {
    /// Tenant.
    pub tenant_id: &'a str,
    /// Group.
    pub group_id: &'a str,
    /// Partition of `group.message.ingested`.
    pub source_partition: i32,
    /// Offset of the record that holds the state.
    pub source_offset: i64,
    /// The state.
    pub message: &'a Message,
}

impl<'a> MessageRow<'a> {
    /// What the states of one revision of a message share.
    pub(crate) fn state(&self) -> (&'a str, &'a str, i64, i64) {
        (self.tenant_id, self.group_id, self.message.id, self.message.revision)
    }

    pub(crate) fn key(&self) -> ((&'a str, &'a str, i64, i64), i64) {
        (self.state(), self.source_offset)
    }
}
