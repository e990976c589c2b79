//! Mood and participation of a group over time, as charts with a table each. Filled by `Store::digest_page` and
//! `Store::digest_show`.

use crate::{Page, Section, context::Context, locale::Words};
use serde::{Deserialize, Serialize};

/// The mood of a window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MoodPoint {
    /// Id of its digest.
    pub digest_id: String,
    /// Start of the window in ms.
    pub window_start_ms: i64,
    /// Share of positive messages, in [0, 1].
    pub positive: f64,
    /// Share of negative messages, in [0, 1].
    pub negative: f64,
    /// Messages in the window.
    pub message_count: i32,
    /// People in the window.
    pub participant_count: i32,
}

/// How much somebody wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participation {
    /// Name.
    pub name: String,
    /// Messages, over the windows of the page.
    pub messages: i64,
    /// Windows in which they wrote.
    pub windows: i64,
    /// Role that they had most often, as events have it.
    pub role: String,
}

/// Mood and participation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Mood {
    /// Group.
    pub group_id: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Windows of one size that follow each other, by start.
    pub points: Vec<MoodPoint>,
    /// People, who wrote most first.
    pub people: Vec<Participation>,
}

/// Height of half a chart, in its units.
const HALF: f64 = 60.0;
/// Units from one window to the next.
const STEP: usize = 24;
/// Most days that are named below a chart.
const LABELS_MAX: usize = 10;
/// Most windows that are drawn: the newest.
const POINTS_MAX: usize = 31;

/// A window as bars: positive upwards, negative downwards from the middle.
pub(crate) struct Bar<'a> {
    pub(crate) point: &'a MoodPoint,
    pub(crate) x: usize,
    pub(crate) up: i64,
    pub(crate) up_y: i64,
    pub(crate) down: i64,
    /// Height of the column of messages.
    pub(crate) count: i64,
    pub(crate) count_y: i64,
    pub(crate) day: String,
    /// Whether there is room for its day.
    pub(crate) has_label: bool,
}

impl Mood {
    fn shown(&self) -> &[MoodPoint] {
        &self.points[self.points.len().saturating_sub(POINTS_MAX)..]
    }

    /// The share that a bar of full height stands for: the next tenth above all.
    fn scale(&self) -> f64 {
        let most = self.shown().iter().map(|it| it.positive.max(it.negative)).fold(0.0, f64::max);
        ((most * 10.0).ceil() / 10.0).clamp(0.1, 1.0)
    }

    fn scale_told(&self, c: &Context<'_>) -> String {
        c.percent(self.scale())
    }

    fn width(&self) -> usize {
        self.shown().len().max(4) * STEP + 8
    }

    fn bars(&self, c: &Context<'_>) -> Vec<Bar<'_>> {
        let shown = self.shown();
        let most = shown.iter().map(|it| it.message_count).max().unwrap_or_default().max(1);
        let height = |share: f64| (share.clamp(0.0, 1.0) * HALF).round() as i64;
        let scale = self.scale();
        let every = shown.len().div_ceil(LABELS_MAX).max(1);
        let bars = shown.iter().enumerate().map(|(at, point)| {
            let (up, count) =
                (height(point.positive / scale), height(f64::from(point.message_count) / f64::from(most)));
            let date = c.dates().zoned(point.window_start_ms).date();
            Bar {
                point,
                x: at * STEP + 8,
                up,
                up_y: HALF as i64 - up,
                down: height(point.negative / scale),
                count,
                count_y: HALF as i64 - count,
                day: format!("{}.{:02}", date.day(), date.month()),
                has_label: at.is_multiple_of(every),
            }
        });
        bars.collect()
    }

    /// The charts in one sentence, for who does not see them.
    fn told(&self, c: &Context<'_>) -> String {
        let shown = self.shown();
        let total = shown.len().max(1) as f64;
        let mean = |of: fn(&MoodPoint) -> f64| c.percent(shown.iter().map(of).sum::<f64>() / total);
        format!(
            "{}: {} {}, {} {}",
            c.count(shown.len(), &c.w.n_windows),
            c.w.positive,
            mean(|it| it.positive),
            c.w.negative,
            mean(|it| it.negative)
        )
    }

    fn most(&self) -> i64 {
        self.people.iter().map(|it| it.messages).max().unwrap_or_default().max(1)
    }
}

impl Page for Mood {
    fn title(&self, words: &'static Words) -> String {
        words.mood.to_owned()
    }

    fn section(&self) -> Section {
        Section::Groups
    }

    fn time_zone(&self) -> Option<&str> {
        Some(&self.time_zone)
    }

    html!(Mood, "mood.html");
}
