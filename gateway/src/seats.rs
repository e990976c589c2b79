//! Places that tenants share: each may take half of them, so that none keeps the others out.
//!
//! Invariant: a place is free again once whoever took it is gone, however that came.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How many places each tenant has taken; none of whoever has none.
type Taken = HashMap<Arc<str>, usize>;

/// Places, and who has them.
#[derive(Debug)]
pub(crate) struct Seats {
    max: usize,
    taken: Arc<Mutex<Taken>>,
}

/// A place that is taken.
#[derive(Debug)]
pub(crate) struct Seat {
    tenant_id: Arc<str>,
    taken: Arc<Mutex<Taken>>,
}

impl Seats {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, taken: Arc::default() }
    }

    /// Takes a place for a tenant; none where all are taken, or half of them by this tenant.
    pub(crate) fn take(&self, tenant_id: &Arc<str>) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (taken.values().sum::<usize>(), taken.get(tenant_id).copied().unwrap_or_default());
        if all >= self.max || own >= self.max.div_ceil(2) {
            return None;
        }
        taken.insert(Arc::clone(tenant_id), own + 1);
        Some(Seat { tenant_id: Arc::clone(tenant_id), taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.tenant_id).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.tenant_id);
        } else {
            taken.insert(Arc::clone(&self.tenant_id), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_takes_half_of_the_places_and_leaves_the_rest_to_others() {
        let seats = Seats::new(5);
        let [acme, beta, gamma] = ["acme", "beta", "gamma"].map(Arc::<str>::from);
        let mut own: Vec<Seat> = (0..5).map_while(|_| seats.take(&acme)).collect();
        assert_eq!(own.len(), 3);
        let others: Vec<Seat> = (0..5).map_while(|_| seats.take(&beta)).collect();
        assert_eq!(others.len(), 2);
        assert!(seats.take(&gamma).is_none(), "all are taken");
        own.pop();
        assert!(seats.take(&gamma).is_some());
        assert!(seats.take(&acme).is_some(), "gamma is gone");
        drop((own, others));
        assert!(seats.taken.lock().unwrap().is_empty());
    }
}
