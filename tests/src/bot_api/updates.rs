//! The queue of updates: what is kept for how long, and what `getUpdates` gives of it or a webhook is brought.
//!
//! As in Telegram's own server: an offset confirms everything before it; one that lies far past the end, or far before
//! the beginning, counts as none; ids go on by one, but after a week without an update the next one is drawn anew.

use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Unread updates are kept this long.
const KEPT: Duration = Duration::from_hours(24);
/// After so long without one, the next update's id is drawn anew.
pub(crate) const QUIET: Duration = Duration::from_hours(7 * 24);
/// An offset further past the last id than this is not of this sequence.
const FUTURE: i64 = 10;
/// An offset further before the first id than this is not of this sequence.
const PAST: i64 = 100_000;
const FIRST_ID: i64 = 700_000_001;
/// Kinds that are given only to those who ask for them.
const ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

#[derive(Debug, Clone)]
struct Update {
    id: i64,
    came_at: Duration,
    body: Value,
}

/// Updates that are not confirmed yet.
#[derive(Debug)]
pub(crate) struct Updates {
    queue: VecDeque<Update>,
    next: i64,
    last_at: Option<Duration>,
    drawn: Option<i64>,
    /// Kinds that are wanted; empty: all but those on request.
    allowed: Vec<String>,
    /// Those that were brought to a webhook: whether they are still on their way, or were refused.
    offered: BTreeMap<i64, bool>,
}

impl Default for Updates {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            next: FIRST_ID,
            last_at: None,
            drawn: None,
            allowed: Vec::new(),
            offered: BTreeMap::new(),
        }
    }
}

impl Updates {
    /// The next id after a quiet week.
    pub(crate) fn draw(&mut self, id: i64) {
        self.drawn = Some(id);
    }

    /// Remembers which kinds are wanted, where a call says so.
    pub(crate) fn allow(&mut self, kinds: &Value) {
        if let Value::Array(kinds) = kinds {
            self.allowed = kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
    }

    pub(crate) fn allowed(&self) -> &[String] {
        &self.allowed
    }

    fn is_wanted(&self, kind: &str) -> bool {
        match self.allowed.as_slice() {
            [] => !ON_REQUEST.contains(&kind),
            allowed => allowed.iter().any(|wanted| wanted == kind),
        }
    }

    /// Adds an update; `None` where its kind is not wanted.
    pub(crate) fn push(&mut self, kind: &str, payload: Value, now: Duration) -> Option<i64> {
        if !self.is_wanted(kind) {
            return None;
        }
        self.expire(now);
        let was_quiet = self.last_at.is_none_or(|last| last + QUIET <= now);
        if let Some(id) = self.drawn.take_if(|_| was_quiet) {
            self.next = id;
        }
        let id = self.next;
        self.next += 1;
        self.last_at = Some(now);
        let mut body = json!({ "update_id": id });
        body[kind] = payload;
        self.queue.push_back(Update { id, came_at: now, body });
        Some(id)
    }

    /// Updates from an offset on, after what is before it was confirmed.
    pub(crate) fn get(&mut self, offset: i64, limit: usize, now: Duration) -> Vec<Value> {
        self.expire(now);
        if offset < 0 {
            let kept = usize::try_from(-offset).unwrap_or(usize::MAX);
            self.queue.drain(..self.queue.len().saturating_sub(kept));
        } else if offset <= self.next + FUTURE && self.first().is_none_or(|first| first - PAST <= offset) {
            self.queue.retain(|update| update.id >= offset);
        }
        self.queue.iter().take(limit).map(|update| update.body.clone()).collect()
    }

    /// Updates to bring to a webhook, the newest first, as long as fewer than `limit` are on their way.
    pub(crate) fn offer(&mut self, limit: usize, now: Duration) -> Vec<(i64, Value)> {
        self.expire(now);
        let room =
            limit.saturating_sub(self.offered.values().filter(|is_on_its_way| **is_on_its_way).count());
        let new = self.queue.iter().rev().filter(|update| !self.offered.contains_key(&update.id)).take(room);
        let new: Vec<_> = new.map(|update| (update.id, update.body.clone())).collect();
        self.offered.extend(new.iter().map(|(id, _)| (*id, true)));
        new
    }

    /// What a webhook said to an update that was brought.
    pub(crate) fn answered(&mut self, id: i64, is_taken: bool) {
        self.offered.insert(id, false);
        if is_taken {
            self.queue.retain(|update| update.id != id);
            self.offered.remove(&id);
        }
    }

    /// Lets what was refused be brought again.
    pub(crate) fn offer_again(&mut self) {
        self.offered.retain(|_, is_on_its_way| *is_on_its_way);
    }

    pub(crate) fn pending(&self) -> Vec<i64> {
        self.queue.iter().map(|update| update.id).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    fn first(&self) -> Option<i64> {
        self.queue.front().map(|update| update.id)
    }

    fn expire(&mut self, now: Duration) {
        self.queue.retain(|update| update.came_at + KEPT > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(count: u64) -> Updates {
        let mut updates = Updates::default();
        for at in 0..count {
            updates.push("message", json!({ "message_id": at }), Duration::from_secs(at));
        }
        updates
    }

    fn ids(given: &[Value]) -> Vec<i64> {
        given.iter().filter_map(|update| update["update_id"].as_i64()).collect()
    }

    fn from_first(numbers: &[i64]) -> Vec<i64> {
        numbers.iter().map(|number| FIRST_ID + number).collect()
    }

    #[test]
    fn an_offset_confirms_what_is_before_it() {
        let (mut updates, now) = (filled(5), Duration::from_secs(9));
        assert_eq!(ids(&updates.get(0, 2, now)), from_first(&[0, 1]));
        assert_eq!(ids(&updates.get(0, 100, now)), from_first(&[0, 1, 2, 3, 4]), "nothing was confirmed");
        assert_eq!(ids(&updates.get(FIRST_ID + 3, 100, now)), from_first(&[3, 4]));
        assert_eq!(updates.pending(), from_first(&[3, 4]));
        assert_eq!(
            ids(&updates.get(FIRST_ID, 100, now)),
            from_first(&[3, 4]),
            "confirmed ones never come back"
        );
        assert_eq!(ids(&updates.get(-1, 100, now)), from_first(&[4]));
        assert_eq!(updates.get(FIRST_ID + 5, 100, now), [] as [Value; 0]);
    }

    #[test]
    fn unread_updates_are_kept_for_a_day() {
        let mut updates = filled(3);
        let day = KEPT + Duration::from_secs(1);
        assert_eq!(ids(&updates.get(0, 100, day)), from_first(&[2]));
    }

    #[test]
    fn after_a_quiet_week_an_id_may_be_smaller_and_an_old_offset_counts_as_none() {
        let mut updates = filled(2);
        let old = FIRST_ID + 2;
        updates.draw(500);
        let soon = Duration::from_secs(10);
        assert_eq!(updates.push("message", json!({}), soon), Some(old), "the week is not over");
        assert_eq!(updates.get(old + 1, 100, soon), [] as [Value; 0]);
        updates.draw(500);
        let late = soon + QUIET;
        assert_eq!(updates.push("message", json!({}), late), Some(500));
        assert_eq!(ids(&updates.get(old + 1, 100, late)), [500], "an offset of the sequence before");
        assert_eq!(updates.get(501, 100, late), [] as [Value; 0]);
        assert_eq!(updates.push("message", json!({}), late), Some(501));
    }

    #[test]
    fn kinds_are_given_to_those_who_want_them() {
        let mut updates = Updates::default();
        let came =
            |updates: &mut Updates, kind: &str| updates.push(kind, json!({}), Duration::ZERO).is_some();
        assert!(came(&mut updates, "message") && came(&mut updates, "kind_of_tomorrow"));
        assert!(!came(&mut updates, "message_reaction"));
        updates.allow(&json!(["message_reaction"]));
        assert!(came(&mut updates, "message_reaction") && !came(&mut updates, "message"));
        updates.allow(&Value::Null);
        assert!(came(&mut updates, "message_reaction"), "a call that does not say keeps what was said");
        updates.allow(&json!([]));
        assert!(!came(&mut updates, "message_reaction") && came(&mut updates, "message"));
    }
}
