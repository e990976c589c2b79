//! What is known beside an element when it is read.

use ingest::Topics;
use jiff::tz::TimeZone;

/// Forum topics met so far, and the zone of dates that tell none.
#[derive(Debug)]
pub(crate) struct Context {
    pub(super) topics: Topics,
    pub(super) zone: TimeZone,
}

impl Context {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { topics: Topics::default(), zone }
    }
}
