//! Which groups' windows may be open, and when their live lane is next said to be complete.
//!
//! Invariant: pure. What is kept is a part of the source's position, so that it is taken up after a restart.

use crate::Group;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A mark is due this often while a group talks, in ms.
const MARK_EVERY_MS: i64 = 60 * 1000;
/// Marks go on until one lies this long after the last message, in ms: the longest day has 25 hours, and an hour more is
/// for clocks that are ahead. By then every window that the message can be in is closed.
const MARKED_FOR_MS: i64 = 26 * 60 * 60 * 1000;

/// A group that has talked in the last day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heard {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// When a message of it was read last.
    traffic_at: i64,
    /// When its lane was last said to be complete.
    marked_at: i64,
}

/// Notes that groups were heard at `now`; marks of a group begin a minute after its first message.
pub fn heard<'a>(all: &mut Vec<Heard>, groups: impl Iterator<Item = &'a Group>, now: i64) {
    let mut known: BTreeMap<(String, String), Heard> = std::mem::take(all)
        .into_iter()
        .map(|heard| ((heard.tenant_id.clone(), heard.group_id.clone()), heard))
        .collect();
    for group in groups {
        let key = (group.tenant_id().to_owned(), group.group_id().to_owned());
        let (tenant_id, group_id) = key.clone();
        let heard = known.entry(key);
        heard.or_insert(Heard { tenant_id, group_id, traffic_at: now, marked_at: now }).traffic_at = now;
    }
    *all = known.into_values().collect();
}

/// Groups of which a mark is due at `now`; they count as marked, and those marked for the last time are forgotten.
pub fn take_due(all: &mut Vec<Heard>, now: i64) -> Vec<Group> {
    let mut due = Vec::new();
    for heard in &mut *all {
        if now - heard.marked_at >= MARK_EVERY_MS {
            heard.marked_at = now;
            due.extend(Group::new(&heard.tenant_id, &heard.group_id).ok());
        }
    }
    all.retain(|heard| heard.marked_at < heard.traffic_at + MARKED_FOR_MS);
    due
}

/// How long in ms until the next mark is due; none where no group has talked.
pub fn until_due(all: &[Heard], now: i64) -> Option<i64> {
    all.iter().map(|heard| (heard.marked_at + MARK_EVERY_MS - now).max(0)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> Group {
        Group::new("acme", name).expect("names")
    }

    #[test]
    fn a_group_is_marked_every_minute_for_a_day_after_it_was_heard() {
        let mut all = Vec::new();
        assert_eq!(until_due(&all, 0), None);
        heard(&mut all, [group("qa"), group("dev")].iter(), 1_000);
        assert_eq!((until_due(&all, 11_000), take_due(&mut all, 60_000)), (Some(50_000), vec![]));
        assert_eq!(take_due(&mut all, 61_000), [group("dev"), group("qa")]);
        heard(&mut all, [group("qa")].iter(), 90_000);
        assert_eq!(until_due(&all, 100_000), Some(21_000));
        assert_eq!(take_due(&mut all, 1_000 + MARKED_FOR_MS), [group("dev"), group("qa")]);
        let left: Vec<&str> = all.iter().map(|heard| heard.group_id.as_str()).collect();
        assert_eq!(left, ["qa"], "the other one's windows are closed");
    }
}
