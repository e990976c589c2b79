//! What stages tell of their work themselves: how long it took, and how much of that they waited for answers.
//!
//! Invariant: durations, measured where the work was done, so that no two clocks are compared; who tells nothing is shown
//! without.

use super::TraceStep;
use engine::{
    cloud_events::{LOOKUP_MS, MODEL_MS, WORK_MS},
    log::RecordView,
};
use std::collections::BTreeMap;

/// Times of a piece of work, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Told {
    work: f64,
    lookup: f64,
    model: f64,
}

impl Told {
    /// What the record of a stage's beginning tells; nothing where an older release wrote it.
    pub(super) fn of(record: &RecordView<'_>) -> Option<Self> {
        let headers = record.headers.to_vec();
        let seconds = |wanted: &str| {
            let (_, value) = headers.iter().find(|(name, _)| name == wanted)?;
            let ms: u32 = std::str::from_utf8(value.as_deref()?).ok()?.parse().ok()?;
            Some(f64::from(ms) / 1000.0)
        };
        Some(Self { work: seconds(WORK_MS)?, lookup: seconds(LOOKUP_MS)?, model: seconds(MODEL_MS)? })
    }
}

/// Sets what each unit has told on the steps that it wrote. No wait is one of whoever asks nobody.
pub(super) fn set(steps: &mut [TraceStep], told: &BTreeMap<String, Told>) {
    for step in steps {
        let Some(told) = step.unit.as_ref().and_then(|unit| told.get(unit)) else { continue };
        let waited = |seconds: f64| (seconds > 0.0).then_some(seconds);
        step.work_seconds = Some(told.work);
        step.lookup_seconds = waited(told.lookup);
        step.model_seconds = waited(told.model);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{cloud_events, shapes::Took};
    use std::time::Duration;

    fn told(headers: &[(String, Option<Vec<u8>>)]) -> Option<Told> {
        let headers = headers.to_vec();
        let (key, value) = (None, None);
        Told::of(&RecordView { partition: 0, offset: 7, timestamp_ms: 0, key, value, headers: &headers })
    }

    #[test]
    fn what_the_runtime_writes_is_read_and_older_records_tell_nothing() {
        let ms = Duration::from_millis;
        let took = Took { work: ms(1_500), lookup: ms(20), model: ms(1_400) };
        let written: Vec<_> = cloud_events::times(took)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Some(value)))
            .collect();
        assert_eq!(told(&written), Some(Told { work: 1.5, lookup: 0.02, model: 1.4 }));
        assert_eq!((told(&written[..2]), told(&[])), (None, None));
    }
}
