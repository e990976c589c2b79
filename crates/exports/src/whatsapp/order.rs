//! Which number of a date is the day: decided from all dates of an export, or refused.
//!
//! Invariant: an order that some date contradicts is never taken, and where two orders fit as well as each other none
//! is.

use super::head::Stamp;
use jiff::civil::{Date, DateTime};

/// How local dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// Day, month, year.
    DayMonthYear,
    /// Month, day, year.
    MonthDayYear,
    /// Year, month, day.
    YearMonthDay,
}

use DateOrder::{DayMonthYear, MonthDayYear, YearMonthDay};

impl DateOrder {
    const ALL: [Self; 3] = [DayMonthYear, MonthDayYear, YearMonthDay];

    /// The order of a name: `dmy`, `mdy` or `ymd`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            DayMonthYear => "dmy",
            MonthDayYear => "mdy",
            YearMonthDay => "ymd",
        }
    }

    /// The option that gives it.
    pub(crate) fn option(self) -> &'static str {
        match self {
            DayMonthYear => "--date-order dmy",
            MonthDayYear => "--date-order mdy",
            YearMonthDay => "--date-order ymd",
        }
    }

    /// As people say it.
    pub(super) fn words(self) -> &'static str {
        match self {
            DayMonthYear => "day, month, year",
            MonthDayYear => "month, day, year",
            YearMonthDay => "year, month, day",
        }
    }

    fn date(self, stamp: &Stamp) -> Option<Date> {
        let [first, second, third] = stamp.numbers;
        let (year, month, day, year_index) = match self {
            DayMonthYear => (third, second, first, 2),
            MonthDayYear => (third, first, second, 2),
            YearMonthDay => (first, second, third, 0),
        };
        let year = match stamp.year_at {
            Some(at) if at == year_index => year,
            Some(_) => return None,
            None => 2000 + year,
        };
        Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    }

    /// The local time of a stamp; `None` where the order does not fit it.
    pub(super) fn time(self, stamp: &Stamp) -> Option<DateTime> {
        let Stamp { hour, minute, second, .. } = *stamp;
        Some(self.date(stamp)?.at(hour, minute, second, 0))
    }
}

/// Days that a line may lie before the one above it: phones write late what came late.
const LATE_DAYS: i32 = 2;
/// Of two orders the one with so many times fewer breaks in time is taken, if those are so many at least.
const BREAKS_TIMES: u64 = 5;

/// How an order fits what was read so far.
#[derive(Debug, Clone, Default)]
struct Fit {
    /// First line that contradicts it.
    misfit: Option<(u64, String)>,
    last: Option<Date>,
    /// How often time ran back.
    breaks: u64,
}

/// Dates of an export, as far as it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Dates {
    fits: [Fit; 3],
    example: Option<String>,
    has_dots: bool,
    /// Some date means two days.
    is_double: bool,
}

/// Why no order is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undecided {
    /// Two fit.
    Both(String),
    /// The given one, or the best one, does not fit this line and date.
    Misfit(DateOrder, u64, String),
}

impl Dates {
    /// Takes the date of a line; `text` is how it is written.
    pub(super) fn take(&mut self, line: u64, stamp: &Stamp, text: &str) {
        self.example.get_or_insert_with(|| text.to_owned());
        self.has_dots |= stamp.separator == '.';
        self.is_double |= DayMonthYear.date(stamp) != MonthDayYear.date(stamp);
        for (order, fit) in DateOrder::ALL.into_iter().zip(&mut self.fits) {
            let Some(date) = order.date(stamp) else {
                fit.misfit.get_or_insert_with(|| (line, text.to_owned()));
                continue;
            };
            let is_break =
                fit.last.is_some_and(|last| last.since(date).is_ok_and(|span| span.get_days() > LATE_DAYS));
            fit.breaks += u64::from(is_break);
            fit.last = Some(date);
        }
    }

    fn fit(&self, order: DateOrder) -> &Fit {
        &self.fits[order as usize]
    }

    fn fits(&self, order: DateOrder) -> bool {
        self.fit(order).misfit.is_none()
    }

    /// The order, and why it is that one.
    pub(super) fn decide(&self, given: Option<DateOrder>) -> Result<(DateOrder, &'static str), Undecided> {
        if let Some(given) = given {
            return self.checked(given, "as you said");
        }
        let breaks = |order| self.fit(order).breaks;
        let is_year_first = self.fits(YearMonthDay) && breaks(YearMonthDay) == 0;
        match (self.fits(DayMonthYear), self.fits(MonthDayYear)) {
            (false, false) => self.checked(YearMonthDay, "no other order fits every date"),
            (true, false) if breaks(DayMonthYear) > 0 && is_year_first => {
                Ok((YearMonthDay, "the dates go on so"))
            }
            (false, true) if breaks(MonthDayYear) > 0 && is_year_first => {
                Ok((YearMonthDay, "the dates go on so"))
            }
            (true, false) => Ok((DayMonthYear, "some days are above 12")),
            (false, true) => Ok((MonthDayYear, "some days are above 12")),
            (true, true) if self.has_dots => Ok((DayMonthYear, "dates with dots begin with the day")),
            (true, true) if !self.is_double => Ok((DayMonthYear, "days and months are the same numbers")),
            (true, true) => self.by_breaks(breaks(DayMonthYear), breaks(MonthDayYear)),
        }
    }

    fn by_breaks(&self, day_first: u64, month_first: u64) -> Result<(DateOrder, &'static str), Undecided> {
        let why = "the other way the dates would run back";
        if month_first > day_first * BREAKS_TIMES {
            Ok((DayMonthYear, why))
        } else if day_first > month_first * BREAKS_TIMES {
            Ok((MonthDayYear, why))
        } else {
            Err(Undecided::Both(self.example.clone().unwrap_or_default()))
        }
    }

    fn checked(&self, order: DateOrder, why: &'static str) -> Result<(DateOrder, &'static str), Undecided> {
        match &self.fit(order).misfit {
            None => Ok((order, why)),
            Some((line, text)) => Err(Undecided::Misfit(order, *line, text.clone())),
        }
    }
}
