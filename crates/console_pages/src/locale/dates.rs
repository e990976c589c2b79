//! Times in a time zone, as a language writes them.

use super::{Language, decimal, numbers::NARROW};
use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Of a day: 12 мая.
const RUSSIAN_OF_MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
const RUSSIAN_MONTHS: [&str; 12] = [
    "Январь",
    "Февраль",
    "Март",
    "Апрель",
    "Май",
    "Июнь",
    "Июль",
    "Август",
    "Сентябрь",
    "Октябрь",
    "Ноябрь",
    "Декабрь",
];
const ENGLISH_DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const RUSSIAN_DAYS: [&str; 7] = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How times are told.
#[derive(Debug, Clone)]
pub(crate) struct Dates {
    language: Language,
    zone: TimeZone,
}

impl Dates {
    /// In this language and the time zone of this name; UTC where there is none.
    pub(crate) fn new(language: Language, zone: &str) -> Self {
        Self { language, zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC) }
    }

    /// Name of the time zone.
    pub(crate) fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The moment in the zone; the first that there is for one that no calendar has.
    pub(crate) fn zoned(&self, ms: i64) -> Zoned {
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MIN).to_zoned(self.zone.clone())
    }

    /// `2026-05-11T06:00:00Z`, for machines.
    pub(crate) fn iso(ms: i64) -> String {
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MIN).to_string()
    }

    /// `11 May 2026`.
    pub(crate) fn date(&self, date: Date) -> String {
        let at = usize::try_from(date.month() - 1).unwrap_or_default();
        let month = match self.language {
            Language::English => ENGLISH_MONTHS[at],
            Language::Russian => RUSSIAN_OF_MONTHS[at],
        };
        format!("{}\u{a0}{month} {}", date.day(), date.year())
    }

    /// `May 2026`.
    pub(crate) fn month(&self, first: Date) -> String {
        let at = usize::try_from(first.month() - 1).unwrap_or_default();
        let month = match self.language {
            Language::English => ENGLISH_MONTHS[at],
            Language::Russian => RUSSIAN_MONTHS[at],
        };
        format!("{month} {}", first.year())
    }

    /// Short names of the days of a week, from Monday.
    pub(crate) const fn weekdays(&self) -> [&'static str; 7] {
        match self.language {
            Language::English => ENGLISH_DAYS,
            Language::Russian => RUSSIAN_DAYS,
        }
    }

    /// `14:05`.
    pub(crate) fn clock(&self, ms: i64) -> String {
        let at = self.zoned(ms);
        format!("{:02}:{:02}", at.hour(), at.minute())
    }

    /// `14:05:09.250`, where milliseconds matter.
    pub(crate) fn exact_clock(&self, ms: i64) -> String {
        let at = self.zoned(ms);
        format!("{:02}:{:02}:{:02}.{:03}", at.hour(), at.minute(), at.second(), at.millisecond())
    }

    /// `11 May 2026, 14:05`.
    pub(crate) fn when(&self, ms: i64) -> String {
        format!("{}, {}", self.date(self.zoned(ms).date()), self.clock(ms))
    }

    /// `11 May 2026` for a whole day, else with the clock times at both ends; the end is exclusive.
    pub(crate) fn period(&self, start_ms: i64, end_ms: i64) -> String {
        let (start, end) = (self.zoned(start_ms), self.zoned(end_ms));
        let midnight = |time: &Zoned| time.hour() == 0 && time.minute() == 0;
        let next_day = start.date().tomorrow().is_ok_and(|day| day == end.date());
        let (first, from, to) = (self.date(start.date()), self.clock(start_ms), self.clock(end_ms));
        if midnight(&start) && midnight(&end) && next_day {
            first
        } else if start.date() == end.date() || (next_day && midnight(&end)) {
            format!("{first}, {from}–{to}")
        } else {
            format!("{first}, {from} – {}, {to}", self.date(end.date()))
        }
    }

    /// `6 ms`, `1.25 s`, `4 min`, `3 h`, `2 d`.
    pub(crate) fn span(&self, seconds: f64) -> String {
        let whole = seconds.max(0.0) as i64;
        let russian = self.language == Language::Russian;
        let unit = |english: &'static str, own: &'static str| if russian { own } else { english };
        let (number, name) = match whole {
            _ if seconds <= 0.0 => ("0".to_owned(), unit("s", "с")),
            _ if seconds < 1.0 => (decimal(self.language, (seconds * 1000.0).ceil(), 0), unit("ms", "мс")),
            _ if seconds < 10.0 => (decimal(self.language, seconds, 2), unit("s", "с")),
            ..MINUTE => (whole.to_string(), unit("s", "с")),
            MINUTE..HOUR => ((whole / MINUTE).to_string(), unit("min", "мин")),
            HOUR..DAY => ((whole / HOUR).to_string(), unit("h", "ч")),
            _ => ((whole / DAY).to_string(), unit("d", "д")),
        };
        format!("{number}{NARROW}{name}")
    }

    /// How long ago a moment was; none of one that is to come.
    pub(crate) fn ago(&self, ms: i64, now_ms: i64) -> Option<String> {
        let seconds = now_ms.checked_sub(ms).filter(|it| *it >= 0)? / 1000;
        let russian = self.language == Language::Russian;
        if seconds < MINUTE {
            return Some(if russian { "только что" } else { "just now" }.to_owned());
        }
        let span = self.span(seconds as f64);
        Some(if russian { format!("{span} назад") } else { format!("{span} ago") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAY_11: i64 = 1_778_457_600_000;
    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn a_period_is_told_in_the_zone_of_its_group() {
        let english = Dates::new(Language::English, "UTC");
        assert_eq!(english.period(MAY_11, MAY_11 + 24 * HOUR_MS), "11\u{a0}May 2026");
        assert_eq!(
            english.period(MAY_11 + 18 * HOUR_MS, MAY_11 + 24 * HOUR_MS),
            "11\u{a0}May 2026, 18:00–00:00"
        );
        let russian = Dates::new(Language::Russian, "Europe/Moscow");
        assert_eq!(
            russian.period(MAY_11, MAY_11 + 24 * HOUR_MS),
            "11\u{a0}мая 2026, 03:00 – 12\u{a0}мая 2026, 03:00"
        );
        assert_eq!(russian.zone_name(), "Europe/Moscow");
        assert_eq!(Dates::new(Language::English, "Mars/Olympus").zone_name(), "UTC");
    }

    #[test]
    fn spans_grow_coarse_as_they_grow_long() {
        let english = Dates::new(Language::English, "UTC");
        let told = [0.0, 0.25, 1.5, 12.9, 61.0, 7_200.0, 200_000.0].map(|it| english.span(it));
        let fine = ["0\u{202f}s", "250\u{202f}ms", "1.50\u{202f}s"];
        assert_eq!(told[..3], fine);
        assert_eq!(told[3..], ["12\u{202f}s", "1\u{202f}min", "2\u{202f}h", "2\u{202f}d"]);
        let russian = Dates::new(Language::Russian, "UTC");
        assert_eq!(russian.ago(0, 600_000).as_deref(), Some("10\u{202f}мин назад"));
        assert_eq!(russian.ago(10, 0), None);
    }

    #[test]
    fn a_moment_beyond_every_calendar_is_shown_anyhow() {
        let english = Dates::new(Language::English, "UTC");
        assert!(!english.when(i64::MAX).is_empty() && !Dates::iso(i64::MIN).is_empty());
        assert_eq!(english.ago(i64::MIN, i64::MAX), None);
    }
}
