//! What every reader of `group.message.ingested` refuses beyond what Avro can say, so that all refuse the same.
//!
//! Invariant: a record is taken or refused as a whole, and the answer depends on the record and on when the broker took
//! it, not on who reads it or how that is configured: a window's counts equal what the store holds because both asked
//! here.

use crate::{
    DAY_MINUTES, END_OF_LANE, GroupCommandAnswered, GroupMessageIngested, GroupSettings, LANGUAGES,
    LIVE_LANE, Message, MessageKind, WINDOW_HOURS,
};
use jiff::tz::TimeZone;
use std::ops::RangeInclusive;

/// Event times that can be: after the epoch (0 means that the source did not know), up to the year 9999.
const EVENT_TIME_MS: RangeInclusive<i64> = 1..=253_402_300_799_999;
/// Longest tenant or group in bytes: stores index by both.
const NAME_BYTES_MAX: usize = 512;
/// How far the clock of a live source may lie ahead of the broker's. A wrong time zone is taken, a wrong year is not.
const CLOCK_AHEAD_MS: i64 = 24 * 60 * 60 * 1000;

/// Why a record is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Invalid {
    /// As a metric label.
    pub reason: &'static str,
    /// For the operator; never message text.
    pub detail: String,
}

fn refuse(reason: &'static str, detail: String) -> Result<(), Invalid> {
    Err(Invalid { reason, detail })
}

/// Refuses a record that no reader can use: a tenant or group that makes no key, or another group's (`bad_name`), a
/// clock that no source has (`bad_observed_at`) or that ran far ahead of the broker's (`clock_ahead`, in the live lane,
/// which would never come back from there), a live promise that lies as far ahead (`promise_ahead`), a control value that is no event time (`bad_complete_until`,
/// `bad_set_back_to`), settings that no window can be cut by (`bad_settings`), a kind that this version does not know
/// (`unknown_kind`), a send time that is missing or absurd (`bad_sent_at`; edits and deletions carry the original's, or
/// their window could not be found), a negative revision (`bad_revision`).
pub(crate) fn ingested(record: &GroupMessageIngested, appended_at_ms: i64) -> Result<(), Invalid> {
    check_name("tenant_id", &record.tenant_id)?;
    check_name("group_id", &record.group_id)?;
    if record.tenant_id.contains('/') {
        return refuse("bad_name", "tenant_id contains a slash, which ends it in the key".to_owned());
    }
    check_clock(record, appended_at_ms)?;
    if let Some(until) = record.complete_until
        && until != END_OF_LANE
        && !EVENT_TIME_MS.contains(&until)
    {
        return refuse("bad_complete_until", format!("complete_until {until} is no event time"));
    }
    check_promise(record, appended_at_ms)?;
    if let Some(to) = record.set_back_to.filter(|to| !EVENT_TIME_MS.contains(to)) {
        return refuse("bad_set_back_to", format!("set_back_to {to} is no event time"));
    }
    record.settings.as_ref().map_or(Ok(()), check_settings)?;
    record.messages.iter().try_for_each(check_message)
}

/// Refuses an answer that no ledger can hold: without a name, or with a character in it that Postgres cannot store
/// (`bad_name`).
pub(crate) fn answered(record: &GroupCommandAnswered, _: i64) -> Result<(), Invalid> {
    let GroupCommandAnswered { tenant_id, group_id, command_id, chat, .. } = record;
    for (what, name) in
        [("tenant_id", tenant_id), ("group_id", group_id), ("command_id", command_id), ("chat", chat)]
    {
        check_name(what, name)?;
    }
    Ok(())
}

fn check_name(what: &str, name: &str) -> Result<(), Invalid> {
    let problem = if name.is_empty() {
        "is empty"
    } else if name.len() > NAME_BYTES_MAX {
        "is longer than 512 bytes"
    } else if name.contains('\0') {
        "contains a NUL character"
    } else {
        return Ok(());
    };
    refuse("bad_name", format!("{what} {problem}"))
}

fn check_clock(record: &GroupMessageIngested, appended_at_ms: i64) -> Result<(), Invalid> {
    let observed_at = record.observed_at;
    // An import that has read nothing yet has no clock.
    if observed_at != 0 && !EVENT_TIME_MS.contains(&observed_at) {
        return refuse("bad_observed_at", format!("observed_at {observed_at} is no event time"));
    }
    let ahead_ms = observed_at.saturating_sub(appended_at_ms);
    if record.lane == LIVE_LANE && appended_at_ms > 0 && ahead_ms > CLOCK_AHEAD_MS {
        let hours = ahead_ms / 3_600_000;
        let detail = format!(
            "observed_at is {hours} hours ahead of the broker's clock: set the clock of the source's host, and send the \
             record again"
        );
        return refuse("clock_ahead", detail);
    }
    Ok(())
}

fn check_promise(record: &GroupMessageIngested, appended_at_ms: i64) -> Result<(), Invalid> {
    let promised_ms = record.complete_until.filter(|until| *until != END_OF_LANE).unwrap_or_default();
    let ahead_ms = promised_ms.saturating_sub(appended_at_ms);
    if record.lane == LIVE_LANE && appended_at_ms > 0 && ahead_ms > CLOCK_AHEAD_MS {
        let hours = ahead_ms / 3_600_000;
        let detail = format!(
            "complete_until is {hours} hours ahead of the broker's clock, and nobody can promise what is still to come: \
             each later message would be late; send the record again with a time that has gone by"
        );
        return refuse("promise_ahead", detail);
    }
    Ok(())
}

fn check_settings(settings: &GroupSettings) -> Result<(), Invalid> {
    let GroupSettings { window_hours: sizes, time_zone, language, .. } = settings;
    let is_choice = sizes.iter().all(|size| WINDOW_HOURS.contains(size)) && sizes.is_sorted_by(|a, b| a < b);
    if sizes.is_empty() || !is_choice {
        let detail = format!("window_hours {sizes:?} is not an ascending choice of {WINDOW_HOURS:?}");
        return refuse("bad_settings", detail);
    }
    if !(0..DAY_MINUTES).contains(&settings.day_start_minutes) {
        let detail = format!("day_start_minutes {} is no minute of a day", settings.day_start_minutes);
        return refuse("bad_settings", detail);
    }
    if !LANGUAGES.contains(&language.as_str()) {
        return refuse("bad_settings", format!("language {language:?} is none of {LANGUAGES:?}"));
    }
    match TimeZone::get(time_zone) {
        Ok(_) => Ok(()),
        Err(_) => refuse("bad_settings", format!("time zone {time_zone:?} is unknown")),
    }
}

fn check_message(message: &Message) -> Result<(), Invalid> {
    let id = message.id;
    if MessageKind::parse(&message.kind).is_none() {
        return refuse("unknown_kind", format!("kind {:?} of message {id} is unknown", message.kind));
    }
    if !EVENT_TIME_MS.contains(&message.sent_at) {
        return refuse(
            "bad_sent_at",
            format!("sent_at {} of message {id} is no event time", message.sent_at),
        );
    }
    if message.revision < 0 {
        return refuse("bad_revision", format!("revision {} of message {id} is negative", message.revision));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;

    const NOW: i64 = 1_700_000_000_000;

    fn record(change: impl FnOnce(&mut GroupMessageIngested)) -> GroupMessageIngested {
        let message = Message::plain(1, NOW, "");
        let mut record = GroupMessageIngested {
            tenant_id: "acme".to_owned(),
            group_id: "a/b".to_owned(),
            lane: LIVE_LANE.to_owned(),
            observed_at: NOW,
            messages: vec![message],
            ..GroupMessageIngested::default()
        };
        change(&mut record);
        record
    }

    fn reason(change: impl FnOnce(&mut GroupMessageIngested)) -> Option<&'static str> {
        record(change).check(NOW).map_err(|invalid| invalid.reason).err()
    }

    #[test]
    fn each_reason_is_given() {
        assert_eq!(reason(|_| ()), None);
        assert_eq!(reason(|r| r.complete_until = Some(END_OF_LANE)), None);
        assert_eq!(reason(|r| r.tenant_id = "a/b".to_owned()), Some("bad_name"));
        assert_eq!(reason(|r| r.tenant_id = "a\0b".to_owned()), Some("bad_name"));
        assert_eq!(reason(|r| r.group_id.clear()), Some("bad_name"));
        assert_eq!(reason(|r| r.group_id = "x".repeat(513)), Some("bad_name"));
        assert_eq!(reason(|r| r.observed_at = 0), None);
        assert_eq!(reason(|r| r.observed_at = -1), Some("bad_observed_at"));
        assert_eq!(reason(|r| r.complete_until = Some(-1)), Some("bad_complete_until"));
        assert_eq!(reason(|r| r.complete_until = Some(END_OF_LANE - 1)), Some("bad_complete_until"));
        assert_eq!(reason(|r| r.set_back_to = Some(NOW)), None);
        assert_eq!(reason(|r| r.set_back_to = Some(0)), Some("bad_set_back_to"));
        assert_eq!(reason(|r| r.messages[0].kind = "pinned".to_owned()), Some("unknown_kind"));
        assert_eq!(reason(|r| r.messages[0].sent_at = 0), Some("bad_sent_at"));
        assert_eq!(reason(|r| r.messages[0].sent_at = i64::MIN), Some("bad_sent_at"));
        assert_eq!(reason(|r| r.messages[0].sent_at = 253_402_300_800_000), Some("bad_sent_at"));
        assert_eq!(reason(|r| r.messages[0].revision = -1), Some("bad_revision"));
    }

    #[test]
    fn an_absurd_clock_of_a_live_source_is_refused_and_a_wrong_time_zone_is_not() {
        let day = 24 * 3_600_000;
        assert_eq!(reason(|r| r.observed_at = NOW + day), None);
        assert_eq!(reason(|r| r.observed_at = NOW + day + 1), Some("clock_ahead"));
        assert_eq!(reason(|r| (r.observed_at, r.lane) = (NOW + 9 * day, "july".to_owned())), None);
        let ahead = record(|r| r.observed_at = NOW + 400 * day);
        assert_eq!(ahead.check(0), Ok(()), "without the broker's time nothing is known");
        let detail = ahead.check(NOW).map_err(|invalid| invalid.detail);
        assert!(detail.is_err_and(|detail| detail.starts_with("observed_at is 9600 hours ahead")));
    }

    #[test]
    fn a_live_promise_of_what_is_still_to_come_is_refused() {
        let day = 24 * 3_600_000;
        assert_eq!(reason(|r| r.complete_until = Some(NOW + day)), None);
        assert_eq!(reason(|r| r.complete_until = Some(7_452_518_400_000)), Some("promise_ahead"));
        let import = |r: &mut GroupMessageIngested| {
            (r.complete_until, r.lane) = (Some(NOW + 9 * day), "july".to_owned());
        };
        assert_eq!(reason(import), None, "an import ends, and what comes behind its promise is not late");
    }

    #[test]
    fn a_day_begins_at_one_of_its_minutes() {
        let reason = |day_start_minutes| {
            let settings = GroupSettings { day_start_minutes, ..GroupSettings::default() };
            record(|r| r.settings = Some(settings)).check(NOW).err().map(|invalid| invalid.reason)
        };
        assert_eq!([0, 540, 1439].map(reason), [None, None, None]);
        assert_eq!([-1, 1440, i32::MAX].map(reason), [Some("bad_settings"); 3]);
    }

    #[test]
    fn settings_are_checked() {
        let detail = |sizes: &[i32], time_zone: &str, language: &str| {
            let settings = GroupSettings {
                window_hours: sizes.to_vec(),
                time_zone: time_zone.to_owned(),
                language: language.to_owned(),
                ..GroupSettings::default()
            };
            let refused = record(|r| r.settings = Some(settings)).check(NOW).err();
            refused.map(|invalid| format!("{}: {}", invalid.reason, invalid.detail))
        };
        assert_eq!(detail(&[24], "UTC", "auto"), None);
        assert_eq!(detail(&[1, 2, 4, 6, 12, 24], "Asia/Kolkata", "ru"), None);
        for sizes in [&[][..], &[0], &[-4], &[5], &[24, 4], &[4, 4]] {
            let refused = detail(sizes, "UTC", "ru").expect("refused");
            assert!(refused.starts_with("bad_settings: window_hours"), "{refused}");
        }
        assert_eq!(
            detail(&[4], "Mars/Olympus", "en").as_deref(),
            Some("bad_settings: time zone \"Mars/Olympus\" is unknown")
        );
        assert!(detail(&[4], "UTC", "tlh").is_some_and(|refused| refused.contains("tlh")));
    }
}
