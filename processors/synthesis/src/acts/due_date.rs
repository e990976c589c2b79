//! The day that a time phrase means: "by Friday", "завтра утром", "13 March", seen from the day it was said.
//!
//! Invariant: pure; a phrase that names no day ("this week", "later") has none.

use jiff::{Timestamp, ToSpan, Zoned, civil::Date, tz::TimeZone};

/// Beginnings of weekdays by number, Monday first: both languages.
const WEEKDAYS: [[&str; 2]; 7] = [
    ["monday", "понедельник"],
    ["tuesday", "вторник"],
    ["wednesday", "сред"],
    ["thursday", "четверг"],
    ["friday", "пятниц"],
    ["saturday", "суббот"],
    ["sunday", "воскресен"],
];
/// Beginnings of months by number, January first.
const MONTHS: [[&str; 2]; 12] = [
    ["january", "январ"],
    ["february", "феврал"],
    ["march", "март"],
    ["april", "апрел"],
    ["may", "мая"],
    ["june", "июн"],
    ["july", "июл"],
    ["august", "август"],
    ["september", "сентябр"],
    ["october", "октябр"],
    ["november", "ноябр"],
    ["december", "декабр"],
];
const TODAY: &[&str] = &[
    "today",
    "tonight",
    "eod",
    "сегодня",
    "вечером",
    "вечеру",
    "вечера",
    "ночью",
    "midnight",
    "hour",
    "час",
    "часа",
];

/// The day that `phrase` means, said at `sent_at_ms` in the IANA zone `time_zone`; an unknown zone counts as UTC.
pub(crate) fn due_date(phrase: &str, sent_at_ms: i64, time_zone: &str) -> Option<Date> {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let said = Zoned::new(Timestamp::from_millisecond(sent_at_ms).ok()?, zone).date();
    let words = text::tokens(phrase);
    let is = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if let Some(date) = calendar_day(&words, said) {
        return Some(date);
    }
    if is(&["послезавтра"]) || phrase.contains("day after tomorrow") {
        return said.checked_add(2.days()).ok();
    }
    if is(&["tomorrow", "завтра", "завтрашнего"]) {
        return said.checked_add(1.day()).ok();
    }
    let weekday = (0_i8..7).find(|day| words.iter().any(|word| begins(word, &WEEKDAYS[*day as usize])));
    if let Some(weekday) = weekday {
        // The next day of that name; the same day only when it is said to be today.
        let today = said.weekday().to_monday_zero_offset();
        let ahead = (weekday - today).rem_euclid(7);
        return said.checked_add(i64::from(if ahead == 0 && !is(TODAY) { 7 } else { ahead }).days()).ok();
    }
    if is(&["weekend", "выходных", "выходным"]) {
        let ahead = (4 - said.weekday().to_monday_zero_offset()).rem_euclid(7);
        return said.checked_add(i64::from(ahead).days()).ok();
    }
    is(TODAY).then_some(said)
}

fn begins(word: &str, names: &[&str]) -> bool {
    names.iter().any(|name| word.starts_with(name))
}

/// A day and a month by name, in this year, or the next where it has long gone by.
fn calendar_day(words: &[String], said: Date) -> Option<Date> {
    let month = |word: &str| (1_i8..=12).find(|month| begins(word, &MONTHS[*month as usize - 1]));
    let day = |word: &str| {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        digits.parse::<i8>().ok().filter(|day| (1..=31).contains(day))
    };
    words.windows(2).find_map(|pair| {
        let named = day(&pair[0]).zip(month(&pair[1]));
        let (day, month) = named.or_else(|| day(&pair[1]).zip(month(&pair[0])))?;
        let date = Date::new(said.year(), month, day).ok()?;
        let long_ago = said.checked_sub(1.month()).is_ok_and(|bound| date < bound);
        if long_ago { Date::new(said.year() + 1, month, day).ok() } else { Some(date) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-02, a Monday, 23:30 UTC: already Tuesday in Moscow.
    const SAID: i64 = 1_772_494_200_000;

    fn day(phrase: &str, zone: &str) -> Option<String> {
        due_date(phrase, SAID, zone).map(|date| date.to_string())
    }

    #[test]
    fn days_are_counted_from_the_day_it_was_said_in_the_zone() {
        assert_eq!(day("by tomorrow evening", "UTC").as_deref(), Some("2026-03-03"));
        assert_eq!(day("завтра утром", "Europe/Moscow").as_deref(), Some("2026-03-04"));
        assert_eq!(day("today", "UTC").as_deref(), Some("2026-03-02"));
        assert_eq!(day("today", "Nowhere/Here").as_deref(), Some("2026-03-02"));
    }

    #[test]
    fn weekdays_are_the_next_of_that_name() {
        assert_eq!(day("by Wednesday noon", "UTC").as_deref(), Some("2026-03-04"));
        assert_eq!(day("до пятницы", "UTC").as_deref(), Some("2026-03-06"));
        assert_eq!(day("by Monday", "UTC").as_deref(), Some("2026-03-09"));
        assert_eq!(day("до выходных", "UTC").as_deref(), Some("2026-03-06"));
    }

    #[test]
    fn dates_by_name() {
        assert_eq!(day("13 March", "UTC").as_deref(), Some("2026-03-13"));
        assert_eq!(day("до 5 января", "UTC").as_deref(), Some("2027-01-05"));
        assert_eq!(day("March 13th", "UTC").as_deref(), Some("2026-03-13"));
        assert_eq!(day("30 February", "UTC"), None);
    }

    #[test]
    fn what_names_no_day_has_none() {
        for phrase in ["this week", "later", "на этой неделе", "in April", ""] {
            assert_eq!(day(phrase, "UTC"), None, "{phrase}");
        }
    }
}
