//! Tenants as labels: a bounded number of them, so that a scrape stays small however many there are.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// Tenants that have series of their own.
const TENANTS_MAX: usize = 1_000;
/// Stands for all others.
const OTHER: &str = "(other)";

/// The tenants seen first.
#[derive(Debug, Default)]
pub(super) struct Tenants(Mutex<BTreeSet<String>>);

impl Tenants {
    /// The label of a tenant: its name, or that of all that came too late.
    pub(super) fn label<'a>(&self, tenant: &'a str) -> &'a str {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(tenant) {
            return tenant;
        }
        if seen.len() >= TENANTS_MAX {
            return OTHER;
        }
        seen.insert(tenant.to_owned());
        tenant
    }
}
