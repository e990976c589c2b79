//! Where the sources stand that this process leads, for who measures what they have still to give.

use crate::source::Position;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Where a source stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// None for one that has given nothing yet.
    pub(super) position: Option<Position>,
}

/// Places of sources by their names.
#[derive(Debug, Default)]
pub(crate) struct Leading(Mutex<BTreeMap<&'static str, Place>>);

impl Leading {
    /// The source leads and stands there.
    pub(super) fn stands_at(&self, source: &'static str, position: Option<&Position>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(source, Place { position: position.cloned() });
    }

    /// The source does not lead any more.
    pub(super) fn ended(&self, source: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(source);
    }

    /// Where a source stands, if this process leads it.
    pub(super) fn place(&self, source: &str) -> Option<Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(source).cloned()
    }
}
