//! How far back somebody asks: `3h`, `90 min`, `2 дня`.
//!
//! Invariant: total over any text.

const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Shortest and longest time that a digest is made of for who asks.
const BOUNDS_MS: std::ops::RangeInclusive<i64> = 5 * MINUTE_MS..=7 * DAY_MS;
const UNITS: [(&[&str], i64); 3] = [
    (&["m", "min", "minute", "minutes", "м", "мин", "минут", "минуты"], MINUTE_MS),
    (&["h", "hour", "hours", "ч", "час", "часа", "часов"], HOUR_MS),
    (&["d", "day", "days", "д", "день", "дня", "дней"], DAY_MS),
];

/// The length of time that a command's arguments ask for, in ms: a day where they say nothing. None for what is no length
/// of time, or one that is too short or too long.
pub fn span_ms(arguments: &str) -> Option<i64> {
    let arguments = arguments.trim();
    if arguments.is_empty() {
        return Some(DAY_MS);
    }
    length_ms(arguments, &BOUNDS_MS)
}

/// The length of time that a text names, in ms; none for what is none within the bounds.
pub(crate) fn length_ms(text: &str, bounds: &std::ops::RangeInclusive<i64>) -> Option<i64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = unit.trim().to_lowercase();
    let (_, unit_ms) = UNITS.iter().find(|(names, _)| names.contains(&unit.as_str()))?;
    let length = number.parse::<i64>().ok()?.checked_mul(*unit_ms)?;
    Some(length).filter(|length| bounds.contains(length))
}

/// The bounds in ms of the time that ends with the minute of `asked_at_ms`, and is that long: to ask twice within a minute
/// is to ask for the same.
pub fn until_asked(asked_at_ms: i64, span_ms: i64) -> (i64, i64) {
    let end_ms = asked_at_ms.div_euclid(MINUTE_MS).saturating_add(1).saturating_mul(MINUTE_MS);
    (end_ms.saturating_sub(span_ms), end_ms)
}

/// The bounds in ms of what somebody missed who wrote last at `last_ms`, and asks: the newest week of it at most.
pub fn missed_since(last_ms: i64, asked_at_ms: i64) -> (i64, i64) {
    let (earliest, end_ms) = until_asked(asked_at_ms, *BOUNDS_MS.end());
    (last_ms.saturating_add(1).clamp(earliest, end_ms - 1), end_ms)
}

/// The target of what nobody but this author sees in this chat; none for who is no person.
pub fn to_person(chat: &str, author_id: &str) -> Option<String> {
    let person = author_id.strip_prefix("user").filter(|id| id.parse::<i64>().is_ok_and(|id| id > 0))?;
    Some(format!("{chat}+{person}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_of_time_is_read_in_both_languages() {
        for (text, minutes) in [
            ("", Some(24 * 60)),
            ("3h", Some(180)),
            (" 90 min ", Some(90)),
            ("2 ДНЯ", Some(2 * 24 * 60)),
            ("1ч", Some(60)),
            ("5m", Some(5)),
            ("4m", None),
            ("7d", Some(7 * 24 * 60)),
            ("8d", None),
            ("3", None),
            ("h", None),
            ("-3h", None),
            ("3 weeks", None),
            ("99999999999999999999h", None),
            ("9223372036854775807d", None),
            ("everything", None),
        ] {
            assert_eq!(span_ms(text), minutes.map(|minutes| minutes * MINUTE_MS), "{text:?}");
        }
    }

    #[test]
    fn it_ends_with_the_minute_that_it_is_asked_in() {
        let hour = |asked_at| until_asked(asked_at, HOUR_MS);
        assert_eq!(hour(0), (MINUTE_MS - HOUR_MS, MINUTE_MS));
        assert_eq!(hour(59_999), hour(0));
        assert_eq!(hour(60_000), (2 * MINUTE_MS - HOUR_MS, 2 * MINUTE_MS));
    }

    #[test]
    fn what_was_missed_begins_after_the_last_message_and_is_a_week_at_most() {
        let asked_at = 30 * DAY_MS;
        let end = asked_at + MINUTE_MS;
        assert_eq!(missed_since(asked_at - HOUR_MS, asked_at), (asked_at - HOUR_MS + 1, end));
        assert_eq!(missed_since(0, asked_at), (end - 7 * DAY_MS, end));
        assert_eq!(missed_since(asked_at + DAY_MS, asked_at), (end - 1, end), "by a clock that is ahead");
    }

    #[test]
    fn a_person_is_told_alone_and_a_channel_is_nobody() {
        assert_eq!(to_person("-1001/45", "user7").as_deref(), Some("-1001/45+7"));
        let others = ["channel7", "user", "user-7", "user0", "userx", ""].map(|id| to_person("-1", id));
        assert!(others.iter().all(Option::is_none), "{others:?}");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text: String) {
            prop_assert!(span_ms(&text).is_none_or(|length| BOUNDS_MS.contains(&length)));
        }
    }
}
