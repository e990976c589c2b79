//! The digests of a group in a month. Filled by `Store::window_page`.
//!
//! Invariant: every digest of the view stands on exactly one day, that on which its window begins in the group's zone.

use super::DigestLine;
use crate::{Page, Section, context::Context, locale::Words, routes};
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// A window that got no digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedLine {
    /// Id of the window.
    pub window_id: String,
    /// Start in ms, inclusive.
    pub window_start_ms: i64,
    /// End in ms, exclusive.
    pub window_end_ms: i64,
    /// Reason, as events have it.
    pub reason: String,
    /// Messages in the window.
    pub message_count: i32,
}

/// A month of a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    /// Group.
    pub group_id: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Year.
    pub year: i16,
    /// Month, from 1.
    pub month: i8,
    /// Digests whose windows begin in the month, in any order.
    pub digests: Vec<DigestLine>,
    /// Windows of the month that got none.
    pub blocked: Vec<BlockedLine>,
    /// Whether digests of earlier months are stored.
    pub has_earlier: bool,
    /// Whether digests of later months are stored.
    pub has_later: bool,
}

/// A day of the calendar.
pub(crate) struct Day<'a> {
    /// Its number; none outside the month.
    pub(crate) number: Option<i8>,
    /// Whether it is today in the group's zone.
    pub(crate) is_today: bool,
    /// Its digests, by start.
    pub(crate) digests: Vec<&'a DigestLine>,
    /// Messages of its largest windows, which hold those of smaller ones.
    pub(crate) messages: i64,
    /// How dark it is, 0 to 4.
    pub(crate) shade: u8,
}

impl Calendar {
    /// Its first day; that of the epoch where the numbers are those of no month.
    fn first(&self) -> Date {
        Date::new(self.year, self.month, 1).unwrap_or(Date::constant(1970, 1, 1))
    }

    fn name(&self, c: &Context<'_>) -> String {
        c.dates().month(self.first())
    }

    fn earlier(&self) -> Option<String> {
        self.has_earlier.then(|| self.first().checked_sub(1.month()).ok()).flatten().map(|it| self.link(it))
    }

    fn later(&self) -> Option<String> {
        self.has_later.then(|| self.first().checked_add(1.month()).ok()).flatten().map(|it| self.link(it))
    }

    fn link(&self, first: Date) -> String {
        routes::month(&self.group_id, first.year(), first.month())
    }

    /// Its weeks from Monday, each of seven days.
    fn weeks(&self, c: &Context<'_>) -> Vec<Vec<Day<'_>>> {
        let first = self.first();
        let days = first.days_in_month();
        let today = c.dates().zoned(*c.now_ms()).date();
        let mut all: Vec<Day<'_>> =
            (0..first.weekday().to_monday_zero_offset()).map(|_| Day::empty()).collect();
        for number in 1..=days {
            let date = Date::new(first.year(), first.month(), number).unwrap_or(first);
            let mut digests: Vec<&DigestLine> =
                self.digests.iter().filter(|it| c.dates().zoned(it.window_start_ms).date() == date).collect();
            digests.sort_by_key(|it| (it.window_start_ms, -it.size_hours));
            all.push(Day {
                number: Some(number),
                is_today: date == today,
                messages: messages(&digests),
                digests,
                shade: 0,
            });
        }
        while all.len() % 7 != 0 {
            all.push(Day::empty());
        }
        let most = all.iter().map(|day| day.messages).max().unwrap_or_default();
        for day in &mut all {
            day.shade = shade(day.messages, most);
        }
        let mut weeks = Vec::new();
        while !all.is_empty() {
            let rest = all.split_off(7);
            weeks.push(std::mem::replace(&mut all, rest));
        }
        weeks
    }

    /// Its digests, the newest first; the first of each day with the day's number.
    fn anchored(&self, c: &Context<'_>) -> Vec<(Option<i8>, &DigestLine)> {
        let mut lines: Vec<&DigestLine> = self.digests.iter().collect();
        lines.sort_by_key(|it| (Reverse(it.window_start_ms), it.size_hours));
        let mut last = None;
        let anchored = lines.into_iter().map(|line| {
            let date = c.dates().zoned(line.window_start_ms).date();
            let is_first = last.replace(date) != Some(date);
            (is_first.then_some(date.day()), line)
        });
        anchored.collect()
    }
}

impl Day<'_> {
    const fn empty() -> Self {
        Self { number: None, is_today: false, digests: Vec::new(), messages: 0, shade: 0 }
    }
}

/// Messages of the windows of the largest size.
fn messages(digests: &[&DigestLine]) -> i64 {
    let largest = digests.iter().map(|it| it.size_hours).max().unwrap_or_default();
    digests.iter().filter(|it| it.size_hours == largest).map(|it| i64::from(it.message_count)).sum()
}

/// Quarters of the most, rounded up.
fn shade(messages: i64, most: i64) -> u8 {
    if messages <= 0 || most <= 0 {
        return 0;
    }
    u8::try_from((messages * 4 + most - 1) / most).unwrap_or(4).min(4)
}

impl Page for Calendar {
    fn title(&self, _: &'static Words) -> String {
        self.group_id.clone()
    }

    fn section(&self) -> Section {
        Section::Groups
    }

    fn time_zone(&self) -> Option<&str> {
        Some(&self.time_zone)
    }

    html!(Calendar, "calendar.html");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    #[test]
    fn a_window_stands_on_the_day_on_which_it_begins_where_the_group_lives() {
        let line = |start: i64, size_hours, message_count| DigestLine {
            window_start_ms: start,
            size_hours,
            message_count,
            ..DigestLine::default()
        };
        // 2026-05-31 22:00 UTC is 1 June in Moscow.
        let at = 1_780_264_800_000;
        let calendar = Calendar {
            time_zone: "Europe/Moscow".to_owned(),
            year: 2026,
            month: 6,
            digests: vec![line(at, 24, 100), line(at, 4, 30), line(at + 14_400_000, 4, 10)],
            ..Calendar::default()
        };
        let frame = Frame { now_ms: at, ..Frame::default() };
        let context = Context::of(&frame, &calendar);
        let weeks = calendar.weeks(&context);
        let first = &weeks[0][0];
        assert_eq!((first.number, first.digests.len(), first.messages), (Some(1), 3, 100));
        assert!(first.is_today && first.shade == 4);
        assert!(weeks.iter().all(|week| week.len() == 7));
        assert_eq!(weeks.iter().flatten().filter(|day| day.number.is_some()).count(), 30);
    }

    #[test]
    fn a_month_that_is_none_is_shown_anyhow() {
        let calendar = Calendar { year: 2026, month: 13, has_earlier: true, ..Calendar::default() };
        assert!(calendar.html(&Frame::default()).is_ok());
    }
}
