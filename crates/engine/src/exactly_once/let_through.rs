//! An operator's order to let some inputs past the guard: those of one kind, in one partition, before an offset.
//!
//! Invariant: an order lies beside the partition's committed offset, as its metadata, so that it is read with it, moved on in
//! the transaction that moves it, and gone once that has passed its end. Outside an order the guard stands as it was.

use super::guard::Rejected;
use schemas::Fingerprint;
use std::fmt;

/// What begins the metadata of an offset that has orders.
const MARK: &str = "gistmill lets through";
/// Most orders of a partition: metadata may have 4 KiB.
const ORDERS_MAX: usize = 64;

/// Inputs of one kind before an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetThrough {
    /// The kind.
    pub fingerprint: Fingerprint,
    /// The first offset that it does not reach.
    pub until: i64,
}

impl fmt::Display for LetThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.fingerprint, self.until)
    }
}

/// Orders for one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orders(Vec<LetThrough>);

impl Orders {
    /// What an offset's metadata orders; nothing where somebody else wrote it.
    pub fn read(metadata: &str) -> Self {
        let order = |text: &str| {
            let (fingerprint, until) = text.split_once(':')?;
            Some(LetThrough { fingerprint: fingerprint.parse().ok()?, until: until.parse().ok()? })
        };
        let orders = metadata.strip_prefix(MARK).unwrap_or_default();
        Self(orders.split_whitespace().filter_map(order).take(ORDERS_MAX).collect())
    }

    /// The metadata of an offset; none where nothing is ordered beyond it.
    pub fn metadata(&self, next_offset: i64) -> Option<String> {
        let live: Vec<String> =
            self.0.iter().filter(|it| it.until > next_offset).map(ToString::to_string).collect();
        (!live.is_empty()).then(|| format!("{MARK} {}", live.join(" ")))
    }

    /// Adds an order, in place of an earlier one for the same kind. False where there are too many.
    pub fn add(&mut self, order: LetThrough) -> bool {
        self.0.retain(|it| it.fingerprint != order.fingerprint);
        self.0.push(order);
        self.0.len() <= ORDERS_MAX
    }

    /// Whether a rejected input is one of those.
    pub fn cover(&self, rejected: &Rejected) -> bool {
        let Rejected { offset, kind, .. } = rejected;
        self.0.iter().any(|it| *offset < it.until && it.fingerprint == kind.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letter::FailureKind;

    fn fingerprint(message: &str) -> Fingerprint {
        Fingerprint::of("topic", "t.v1", "bad", message)
    }

    fn rejected(offset: i64, message: &str) -> Rejected {
        Rejected {
            partition: 0,
            offset,
            kind: FailureKind { reason: "bad", fingerprint: fingerprint(message) },
        }
    }

    #[test]
    fn an_order_is_for_one_kind_and_ends() {
        let mut orders = Orders::default();
        assert!(!orders.cover(&rejected(1, "a")));
        assert!(orders.add(LetThrough { fingerprint: fingerprint("a"), until: 10 }));
        assert!(orders.cover(&rejected(9, "a")));
        assert!(!orders.cover(&rejected(10, "a")) && !orders.cover(&rejected(9, "b")));
        assert!(orders.add(LetThrough { fingerprint: fingerprint("b"), until: 5 }));
        assert!(orders.add(LetThrough { fingerprint: fingerprint("a"), until: 20 }), "in place of the first");
        assert!(orders.cover(&rejected(19, "a")) && orders.cover(&rejected(4, "b")));
        let metadata = orders.metadata(0).expect("two orders");
        assert_eq!(Orders::read(&metadata), orders);
        assert_eq!(metadata.split_whitespace().count(), 3 + 2);
        assert_eq!(orders.metadata(5).map(|it| Orders::read(&it).0.len()), Some(1));
        assert_eq!(orders.metadata(20), None);
    }

    #[test]
    fn what_others_wrote_orders_nothing() {
        let none = Orders::default();
        for metadata in ["", "a:1", "gistmill", "gistmill lets through", "gistmill lets through x:1 0:2"] {
            assert_eq!(Orders::read(metadata), none, "{metadata}");
        }
        let mut many = Orders::default();
        let added = (0..70_i64).filter(|it| {
            many.add(LetThrough { fingerprint: fingerprint(&"x".repeat(*it as usize)), until: 1 })
        });
        assert_eq!(added.count(), ORDERS_MAX);
    }
}
