//! Labels that others choose, as tenants and failures do: a bounded number of them, so that a scrape stays small however
//! many there are.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// Tenants that have series of their own.
pub(super) const TENANTS_MAX: usize = 1_000;
/// Kinds of failure that have series of their own.
pub(super) const FINGERPRINTS_MAX: usize = 200;
/// Stands for all others.
pub(super) const OTHER: &str = "(other)";

/// The labels seen first.
#[derive(Debug)]
pub(super) struct Labels {
    most: usize,
    seen: Mutex<BTreeSet<String>>,
}

impl Labels {
    pub(super) fn at_most(most: usize) -> Self {
        Self { most, seen: Mutex::default() }
    }

    /// The label itself, or that of all that came too late.
    pub(super) fn label<'a>(&self, label: &'a str) -> &'a str {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(label) {
            return label;
        }
        if seen.len() >= self.most {
            return OTHER;
        }
        seen.insert(label.to_owned());
        label
    }
}
