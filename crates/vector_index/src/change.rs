//! What is done to the index, in order. Invariant: a deletion names tenant and group, whatever it selects by.

use crate::point::{Kind, Point, id};
use qdrant_client::qdrant::{
    Condition, Filter, PointsIdsList, PointsSelector, PointsUpdateOperation, Range,
    points_selector::PointsSelectorOneOf,
    points_update_operation::{DeletePoints, Operation, PointStructList},
};
use std::collections::BTreeMap;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Puts a point, unless one of a greater revision is there.
    Put(Point),
    /// Deletes the point of a message.
    DeleteMessage {
        /// Tenant that owns the group.
        tenant_id: String,
        /// Group inside the tenant.
        group_id: String,
        /// The message.
        id: i64,
    },
    /// Deletes the points of a window that are of a kind and below a revision.
    DeleteOlder {
        /// Tenant that owns the group.
        tenant_id: String,
        /// Group inside the tenant.
        group_id: String,
        /// The window.
        window_id: String,
        /// Threads or digests.
        kind: Kind,
        /// Points of this revision stay.
        below: i64,
    },
}

/// The points of a tenant that are of a time before another, in ms: what retention takes.
pub(crate) fn before(tenant_id: &str, before_ms: i64) -> Filter {
    Filter::must([
        Condition::matches("tenant_id", tenant_id.to_owned()),
        Condition::range("sent_at", Range { lt: Some(before_ms as f64), ..Range::default() }),
    ])
}

/// The field `revision` against a bound, which is exact below 2^53.
fn revision(range: Range) -> Condition {
    Condition::range("revision", range)
}

/// The point that is there may be replaced.
fn replaceable(by: i64, equal_too: bool) -> Filter {
    let bound = Some(by as f64);
    let range = if equal_too {
        Range { lte: bound, ..Range::default() }
    } else {
        Range { lt: bound, ..Range::default() }
    };
    Filter::must([revision(range)])
}

fn delete(selector: PointsSelectorOneOf) -> PointsUpdateOperation {
    let points = Some(PointsSelector { points_selector_one_of: Some(selector) });
    PointsUpdateOperation {
        operation: Some(Operation::DeletePoints(DeletePoints { points, ..DeletePoints::default() })),
    }
}

/// The operations that make the changes. Puts between two deletions go together where one guard serves them: the last put
/// of a point alone counts, and originals, which are most messages, share revision 0.
pub(crate) fn operations(changes: &[Change]) -> Vec<PointsUpdateOperation> {
    let mut operations = Vec::new();
    let mut puts = Vec::new();
    for change in changes {
        match change {
            Change::Put(point) => puts.push(point),
            Change::DeleteMessage { tenant_id, group_id, id: message } => {
                flush(&mut puts, &mut operations);
                let point = id(Kind::Message, tenant_id, group_id, &message.to_string());
                let ids = vec![point.to_string().into()];
                operations.push(delete(PointsSelectorOneOf::Points(PointsIdsList { ids })));
            }
            Change::DeleteOlder { tenant_id, group_id, window_id, kind, below } => {
                flush(&mut puts, &mut operations);
                let filter = Filter::must([
                    Condition::matches("tenant_id", tenant_id.clone()),
                    Condition::matches("group_id", group_id.clone()),
                    Condition::matches("window_id", window_id.clone()),
                    Condition::matches("kind", kind.as_str().to_owned()),
                    revision(Range { lt: Some(*below as f64), ..Range::default() }),
                ]);
                operations.push(delete(PointsSelectorOneOf::Filter(filter)));
            }
        }
    }
    flush(&mut puts, &mut operations);
    operations
}

fn flush(puts: &mut Vec<&Point>, operations: &mut Vec<PointsUpdateOperation>) {
    let mut by_id = BTreeMap::new();
    for point in puts.drain(..) {
        let newest = by_id.entry(point.id()).or_insert(point);
        let replaces = if point.replaces_equal {
            point.revision >= newest.revision
        } else {
            point.revision > newest.revision
        };
        if replaces {
            *newest = point;
        }
    }
    let mut by_guard = BTreeMap::<_, Vec<_>>::new();
    for point in by_id.into_values() {
        by_guard.entry((point.revision, point.replaces_equal)).or_default().push(point.to_wire());
    }
    for ((revision, equal_too), points) in by_guard {
        let update_filter = Some(replaceable(revision, equal_too));
        let list = PointStructList { points, update_filter, ..PointStructList::default() };
        operations.push(PointsUpdateOperation { operation: Some(Operation::Upsert(list)) });
    }
}
