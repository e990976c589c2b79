//! The way of a window as a waterfall: stages against time. Filled by `operate::trace`.

use crate::{Page, Section, context::Context, locale::Words};
use serde::{Deserialize, Serialize};

/// An event of the way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Logical topic.
    pub topic: String,
    /// Who wrote it; empty where it does not say.
    pub unit: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// When the broker appended it, in ms.
    pub appended_at_ms: i64,
    /// Seconds before its append that its input was in the queue and in work; none where nobody knows.
    pub queue_and_work_seconds: Option<f64>,
    /// Seconds of them that were work, as the unit tells; none where it does not.
    pub work_seconds: Option<f64>,
    /// Seconds of the work that waited for lookups.
    pub lookup_seconds: Option<f64>,
    /// Seconds of the work that waited for a language model.
    pub model_seconds: Option<f64>,
    /// Seconds after its append until its transaction was ended and it could be read.
    pub transaction_seconds: Option<f64>,
    /// What it says, name and value: outcome, model, tokens, cost.
    pub details: Vec<(String, String)>,
}

/// The way of one version of a window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TracePage {
    /// Group.
    pub group_id: String,
    /// The window.
    pub window_id: String,
    /// The digest, whether there is one or not.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Id of its spans.
    pub trace_id: String,
    /// Start of the window in ms.
    pub window_start_ms: i64,
    /// End of the window in ms.
    pub window_end_ms: i64,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// Topics that are still to come.
    pub missing: Vec<String>,
    /// Whether the digest is stored.
    pub has_digest: bool,
}

/// Units of length of the whole time, and height of a row.
pub(crate) const WIDTH: f64 = 600.0;
const ROW: usize = 26;
/// Rows lie below the scale.
const TOP: usize = 24;

/// An event as bars.
pub(crate) struct Bar<'a> {
    pub(crate) step: &'a Step,
    pub(crate) y: usize,
    /// Where each part begins and how long it is: queue and work, of it the model, transaction.
    pub(crate) work: (i64, i64),
    pub(crate) model: (i64, i64),
    pub(crate) transaction: (i64, i64),
    pub(crate) after: String,
}

/// A mark of the scale.
pub(crate) struct Mark {
    pub(crate) x: i64,
    pub(crate) label: String,
}

/// Bars of events, and the scale that they stand on.
pub(crate) struct Waterfall<'a> {
    pub(crate) bars: Vec<Bar<'a>>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) height: usize,
    pub(crate) seconds: f64,
    /// From the last event until now, where it still goes on: where it begins, how long it is, where it lies.
    pub(crate) waits: Option<(i64, i64, usize)>,
}

impl Step {
    /// Its first and last moment, in ms.
    fn bounds(&self) -> (f64, f64) {
        let at = self.appended_at_ms as f64;
        let before = self.queue_and_work_seconds.unwrap_or_default().max(0.0) * 1000.0;
        (at - before, at + self.transaction_seconds.unwrap_or_default().max(0.0) * 1000.0)
    }
}

/// Lays events out against time; one that still goes on runs until `until_ms`.
pub(crate) fn waterfall<'a>(steps: &'a [Step], until_ms: Option<i64>, c: &Context<'_>) -> Waterfall<'a> {
    let first = steps.iter().map(|it| it.bounds().0).fold(f64::INFINITY, f64::min);
    let last = steps.iter().map(|it| it.bounds().1).fold(f64::NEG_INFINITY, f64::max);
    let last = until_ms.map_or(last, |until| last.max(until as f64));
    let (first, length) = if first.is_finite() { (first, (last - first).max(1.0)) } else { (0.0, 1.0) };
    let x = |ms: f64| (((ms - first) / length).clamp(0.0, 1.0) * WIDTH).round() as i64;
    let bar = |(at, step): (usize, &'a Step)| {
        let (begin, end) = step.bounds();
        let appended = step.appended_at_ms as f64;
        let model = step.model_seconds.unwrap_or_default().max(0.0) * 1000.0;
        let part = |from: f64, to: f64| (x(from), x(to) - x(from));
        let work = part(begin, appended);
        Bar {
            step,
            y: TOP + at * ROW,
            work: (work.0, work.1.max(2)),
            model: part((appended - model).max(begin), appended),
            transaction: part(appended, end),
            after: c.span(&((appended - first) / 1000.0)),
        }
    };
    let seconds = length / 1000.0;
    let told = steps.iter().map(|it| it.bounds().1).fold(first, f64::max);
    let waits = until_ms.filter(|_| !steps.is_empty());
    let waits = waits.map(|until| (x(told), (x(until as f64) - x(told)).max(0), TOP + steps.len() * ROW));
    Waterfall {
        bars: steps.iter().enumerate().map(bar).collect(),
        marks: marks(seconds, c),
        height: TOP + (steps.len().max(1) + usize::from(waits.is_some())) * ROW,
        seconds,
        waits,
    }
}

/// Up to six marks at round distances.
fn marks(seconds: f64, c: &Context<'_>) -> Vec<Mark> {
    const ROUND: [f64; 24] = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
        600.0, 1800.0, 3600.0, 7200.0, 21_600.0, 43_200.0, 86_400.0,
    ];
    let step = ROUND.into_iter().find(|it| seconds / it <= 5.0).unwrap_or(seconds / 5.0);
    (0..=5)
        .map(|at| f64::from(at) * step)
        .take_while(|at| *at <= seconds)
        .map(|at| Mark { x: (at / seconds * WIDTH).round() as i64, label: c.span(&at) })
        .collect()
}

impl TracePage {
    fn waterfall(&self, c: &Context<'_>) -> Waterfall<'_> {
        let until = (!self.missing.is_empty()).then_some(*c.now_ms());
        waterfall(&self.steps, until, c)
    }

    fn period(&self, c: &Context<'_>) -> String {
        c.dates().period(self.window_start_ms, self.window_end_ms)
    }
}

impl Page for TracePage {
    fn title(&self, words: &'static Words) -> String {
        words.trace.to_owned()
    }

    fn section(&self) -> Section {
        Section::Windows
    }

    html!(TracePage, "trace.html");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    #[test]
    fn parts_of_an_event_lie_beside_its_append() {
        let frame = Frame::default();
        let page = TracePage::default();
        let c = Context::of(&frame, &page);
        let step = Step {
            appended_at_ms: 3_000,
            queue_and_work_seconds: Some(3.0),
            model_seconds: Some(1.0),
            transaction_seconds: Some(1.0),
            ..Step::default()
        };
        let steps = [step];
        let drawn = waterfall(&steps, Some(6_000), &c);
        let bar = &drawn.bars[0];
        assert_eq!((bar.work, bar.model, bar.transaction), ((0, 300), (200, 100), (300, 100)));
        assert_eq!(drawn.marks.iter().map(|it| it.x).collect::<Vec<_>>(), [0, 200, 400, 600]);
        assert_eq!(drawn.waits, Some((400, 200, TOP + ROW)));
        assert_eq!(waterfall(&[], None, &c).bars.len(), 0);
    }
}
