//! What readers look at: groups, their digests, and the messages that these rest on.

pub(super) mod away;
pub(super) mod calendar;
pub(super) mod digest;
pub(super) mod groups;
mod lines;
pub(super) mod message;
pub(super) mod mood;
pub(super) mod search;
pub(super) mod versions;
