//! For how long a chat gets no digests: `/mute`, `/mute 8h`, `/unmute`.
//!
//! Invariant: pure. Times are those of commands, so that what holds is the same whenever it is read again.

use crate::{Name, span::length_ms};
use jiff::{Timestamp, tz::TimeZone};

/// The end of what is muted until somebody ends it.
pub const UNTIL_ENDED: i64 = i64::MAX;
const MINUTE_MS: i64 = 60 * 1000;
/// Shortest and longest time that a chat is muted for by a command that names one.
const BOUNDS_MS: std::ops::RangeInclusive<i64> = 5 * MINUTE_MS..=30 * 24 * 60 * MINUTE_MS;

/// Until when a command mutes its chat, in ms: its own time where it ends that. None for commands of another kind, and for
/// what names no time.
pub fn muted_until(name: Name, arguments: &str, asked_at_ms: i64) -> Option<i64> {
    match name {
        Name::Unmute => Some(asked_at_ms),
        Name::Mute if arguments.trim().is_empty() => Some(UNTIL_ENDED),
        Name::Mute => length_ms(arguments, &BOUNDS_MS).map(|length| asked_at_ms.saturating_add(length)),
        _ => None,
    }
}

/// True for a command that only those may give who run the chat.
pub fn is_for_administrators(name: Name) -> bool {
    matches!(name, Name::Mute | Name::Unmute)
}

/// The chat of a target, without the topic.
pub fn chat_of(target: &str) -> &str {
    target.split(['/', '+']).next().unwrap_or_default()
}

/// A time as it is told in a group's time zone; none for [`UNTIL_ENDED`], and what no calendar has.
pub(crate) fn told(until_ms: i64, time_zone: &str) -> Option<String> {
    let at = Timestamp::from_millisecond(until_ms).ok()?;
    let (zone, name) = match TimeZone::get(time_zone) {
        Ok(zone) => (zone, time_zone),
        Err(_) => (TimeZone::UTC, "UTC"),
    };
    Some(format!("{} ({name})", at.to_zoned(zone).strftime("%Y-%m-%d %H:%M")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 60 * MINUTE_MS;

    #[test]
    fn a_chat_is_muted_for_a_time_or_until_that_is_ended() {
        for (name, arguments, until) in [
            (Name::Mute, "", Some(UNTIL_ENDED)),
            (Name::Mute, "8h", Some(1_000 + 8 * HOUR_MS)),
            (Name::Mute, "3д", Some(1_000 + 72 * HOUR_MS)),
            (Name::Mute, "30d", Some(1_000 + 720 * HOUR_MS)),
            (Name::Mute, "31d", None),
            (Name::Mute, "1m", None),
            (Name::Mute, "for good", None),
            (Name::Unmute, "", Some(1_000)),
            (Name::Unmute, "8h", Some(1_000)),
            (Name::Digest, "8h", None),
        ] {
            assert_eq!(muted_until(name, arguments, 1_000), until, "{name:?} {arguments:?}");
        }
    }

    #[test]
    fn a_time_is_told_in_the_zone_of_the_group() {
        let at = 1_772_467_979_000;
        assert_eq!(told(at, "Europe/Berlin").as_deref(), Some("2026-03-02 17:12 (Europe/Berlin)"));
        assert_eq!(told(at, "Nowhere/Land").as_deref(), Some("2026-03-02 16:12 (UTC)"));
        assert_eq!(told(UNTIL_ENDED, "UTC"), None);
    }

    #[test]
    fn a_chat_is_the_same_in_each_of_its_topics() {
        assert_eq!(["-1001", "-1001/45", "-1001/45+7", ""].map(chat_of), ["-1001", "-1001", "-1001", ""]);
    }
}
