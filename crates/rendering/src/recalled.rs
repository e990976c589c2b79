//! What was talked about before, as lines: `Release date — as on Tuesday (2026-03-03), the third time in 30 days`.

use crate::{View, wording::Wording};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemas::{ANSWER_MARK, Recall};

/// Up to so many days ago a day is called by its name.
const NAMED_DAYS: i32 = 6;
/// Days in which times are counted.
const COUNTED_DAYS: i32 = 30;
/// So many times in them are worth telling.
const TIMES_MIN: usize = 3;

/// A line and the ids of its messages: that of this window, then the earlier ones, for each recall of a digest.
pub(crate) fn recalled(view: &View<'_>, words: &Wording) -> Vec<(String, Vec<i64>)> {
    view.digest.recalls.iter().filter_map(|recall| line(view, words, recall)).collect()
}

fn line(view: &View<'_>, words: &Wording, recall: &Recall) -> Option<(String, Vec<i64>)> {
    let zone = TimeZone::get(&view.window.settings.time_zone).unwrap_or(TimeZone::UTC);
    let date = |ms| Timestamp::from_millisecond(ms).ok().map(|at| at.to_zoned(zone.clone()).date());
    let today = date(view.window.window_start)?;
    let ago = |day: &Date| (today - *day).get_days();
    let mut days: Vec<Date> = recall.earlier.iter().filter_map(|earlier| date(earlier.sent_at)).collect();
    days.dedup();
    let told: Vec<String> = days.iter().map(|day| words.day(*day, ago(day) <= NAMED_DAYS)).collect();
    let times = days.iter().filter(|day| ago(day) <= COUNTED_DAYS).count() + 1;
    let times = if times >= TIMES_MIN { words.times(times, COUNTED_DAYS) } else { String::new() };
    let ids =
        std::iter::once(recall.message_id).chain(recall.earlier.iter().map(|earlier| earlier.message_id));
    (!told.is_empty())
        .then(|| (format!("{}{ANSWER_MARK}{}{times}", recall.title, words.as_on(&told)), ids.collect()))
}

#[cfg(test)]
mod tests;
