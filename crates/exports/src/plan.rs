//! A chat of an export as a maker's own code finds it, and how it is read.

use crate::{
    Reader,
    error::Error,
    guard::Tally,
    store::{Part, Store},
};
use jiff::tz::TimeZone;
use std::fmt::Debug;

/// A chat of an export, before it is read.
#[derive(Debug, Clone)]
pub(crate) struct Chat {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    /// In the order in which they are read.
    pub(crate) parts: Vec<Part>,
}

/// What a first reading found out about one chat of an export, so that it can be read.
pub(crate) trait Plan: Debug + Send + Sync {
    /// Begins to read; `zone` is that of local times.
    fn open(&self, store: &Store, zone: &TimeZone, tally: &Tally) -> Result<Box<dyn Reader>, Error>;

    /// What beside the bytes decides what is read.
    fn identity(&self) -> String;

    /// What was decided, for people.
    fn notes(&self) -> Vec<String>;
}
