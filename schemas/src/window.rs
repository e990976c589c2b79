//! `group.window.ready`: a window of a group is complete, or complete anew.

use crate::{GroupSettings, identity, record::record};
use serde::{Deserialize, Serialize};

/// A window of a group is complete, or complete anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupWindowReady {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// Window size in hours.
    pub size_hours: i32,
    /// Start in ms, inclusive.
    pub window_start: i64,
    /// End in ms, exclusive.
    pub window_end: i64,
    /// Counts the window's contents, from 1.
    pub revision: i32,
    /// Lane whose close made this revision.
    pub lane: String,
    /// Messages that are not deleted.
    pub message_count: i32,
    /// Distinct authors of those messages.
    pub participant_count: i32,
    /// Scopes granted to the window's digest.
    pub scopes: Vec<String>,
    /// Settings in force when the window opened.
    pub settings: GroupSettings,
    /// Partition of `group.message.ingested` that holds the group.
    pub source_partition: i32,
    /// Last offset of that partition that belongs to this revision.
    pub source_offset: i64,
}

record!(GroupWindowReady, "group.window.ready.v1", "group.window.ready.v1",
    identity: |r| format!("{}/{}", r.window_id, r.revision),
    time: |r| r.window_end,
    trace: |r| identity::trace_id(&r.identity()));

/// The window that a digest is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowRef {
    /// Window size in hours.
    pub size_hours: i32,
    /// Start in ms, inclusive.
    pub window_start: i64,
    /// End in ms, exclusive.
    pub window_end: i64,
    /// Counts the window's contents, from 1.
    pub revision: i32,
    /// Lane whose close made this revision.
    pub lane: String,
    /// Messages that are not deleted.
    pub message_count: i32,
    /// Distinct authors of those messages.
    pub participant_count: i32,
    /// Settings in force when the window opened.
    pub settings: GroupSettings,
    /// Partition of `group.message.ingested` that holds the group.
    pub source_partition: i32,
    /// Last offset of that partition that belongs to this revision.
    pub source_offset: i64,
}

impl From<&GroupWindowReady> for WindowRef {
    fn from(ready: &GroupWindowReady) -> Self {
        Self {
            size_hours: ready.size_hours,
            window_start: ready.window_start,
            window_end: ready.window_end,
            revision: ready.revision,
            lane: ready.lane.clone(),
            message_count: ready.message_count,
            participant_count: ready.participant_count,
            settings: ready.settings.clone(),
            source_partition: ready.source_partition,
            source_offset: ready.source_offset,
        }
    }
}

/// Size of a window that somebody asked for: its bounds lie on no grid.
pub const ASKED_SIZE_HOURS: i32 = 0;
/// What the lane of such a window begins with; who asked follows.
const ASKED_LANE: &str = "asked:";

/// What the name of somebody begins with who asks by a command.
const BY_COMMAND: &str = "command:";

/// Who asks for a digest by a command, as its lane and request name them.
pub fn by_command(author_id: &str) -> String {
    format!("{BY_COMMAND}{author_id}")
}

impl WindowRef {
    /// A window from `start_ms` to `end_ms` that `asked_by` asks for, under these settings. What it holds is to be filled
    /// in.
    pub fn asked((start_ms, end_ms): (i64, i64), asked_by: &str, settings: GroupSettings) -> Self {
        Self {
            size_hours: ASKED_SIZE_HOURS,
            window_start: start_ms,
            window_end: end_ms,
            revision: 1,
            lane: format!("{ASKED_LANE}{asked_by}"),
            message_count: 0,
            participant_count: 0,
            settings,
            source_partition: 0,
            source_offset: 0,
        }
    }

    /// True where somebody asked for it. It is no window of the group's days: it is read as of one offset for ever, and
    /// stands beside windows that hold the same messages.
    pub fn is_asked(&self) -> bool {
        self.size_hours == ASKED_SIZE_HOURS
    }

    /// True where somebody asked for it by a command in the chat that its digest goes to, and waits for an answer there.
    pub fn is_asked_in_chat(&self) -> bool {
        self.is_asked() && self.lane.strip_prefix(ASKED_LANE).is_some_and(|by| by.starts_with(BY_COMMAND))
    }

    /// Who asked for it, by command or otherwise; nobody for a window of the group's days, or where who asked has no name.
    pub fn asked_by(&self) -> Option<&str> {
        let by = self.lane.strip_prefix(ASKED_LANE).filter(|_| self.is_asked())?;
        Some(by.strip_prefix(BY_COMMAND).unwrap_or(by)).filter(|by| !by.is_empty())
    }

    /// Its id: [`crate::window_id`]; of one that was asked for, `UUIDv5` of tenant, group, bounds, lane, the place that it
    /// is read as of, and where its digest goes. To ask for the same again is to ask for one thing.
    pub fn id(&self, tenant_id: &str, group_id: &str) -> String {
        if !self.is_asked() {
            return identity::window_id(tenant_id, group_id, self.size_hours, self.window_start);
        }
        let Self { window_start, window_end, source_partition, source_offset, settings, .. } = self;
        let numbers = [*window_start, *window_end, i64::from(*source_partition), *source_offset];
        let [start, end, partition, offset] = numbers.map(|number| number.to_string());
        let (channels, chat) = (settings.channels.join(","), settings.chat.as_deref().unwrap_or_default());
        let parts = [tenant_id, group_id, &start, &end, &partition, &offset, &self.lane, &channels, chat];
        identity::identity_hash("asked", &parts).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_is_known_of_a_window_that_somebody_asked_for() {
        let by = |asked_by: &str| WindowRef::asked((5, 8), asked_by, GroupSettings::default());
        assert_eq!(by("ann").asked_by(), Some("ann"));
        assert_eq!(by(&by_command("user7")).asked_by(), Some("user7"));
        assert_eq!(by(&by_command("")).asked_by(), None);
        assert_eq!(WindowRef { size_hours: 24, ..by("ann") }.asked_by(), None);
        assert_eq!(WindowRef { lane: "live".to_owned(), ..by("ann") }.asked_by(), None);
    }

    #[test]
    fn a_window_that_is_asked_for_has_an_id_of_all_that_makes_it() {
        let window =
            WindowRef { source_offset: 9, ..WindowRef::asked((5, 8), "ann", GroupSettings::default()) };
        let id = |window: &WindowRef| window.id("acme", "qa");
        assert_eq!(id(&window), id(&window.clone()));
        let others = [
            WindowRef { window_start: 4, ..window.clone() },
            WindowRef { window_end: 9, ..window.clone() },
            WindowRef { source_offset: 10, ..window.clone() },
            WindowRef { source_partition: 1, ..window.clone() },
            WindowRef { lane: "asked:bo".to_owned(), ..window.clone() },
            WindowRef::asked(
                (5, 8),
                "ann",
                GroupSettings { chat: Some("-1".to_owned()), ..GroupSettings::default() },
            ),
            WindowRef { size_hours: 24, ..window.clone() },
        ];
        assert!(others.iter().all(|other| id(other) != id(&window)));
        assert_ne!(window.id("acme", "dev"), id(&window));
        assert_eq!(id(&others[6]), identity::window_id("acme", "qa", 24, 5));
        assert_eq!(others.map(|other| other.is_asked()), [true, true, true, true, true, true, false]);
        // What it counts is what is found there, and no part of its name.
        assert_eq!(id(&WindowRef { message_count: 3, ..window.clone() }), id(&window));
    }
}
