//! Looks at what lies before every unit, which take a while: one serves all who ask within a moment.
//!
//! Invariant: of two looks at most are kept, and rates are what two looks differ in.

use crate::{app::App, blocking::look, problem::Problem};
use operate::{Lag, PartitionLag};
use std::sync::{Arc, Mutex, PoisonError};

/// How long a look is shown again, in ms.
const HOLDS_MS: i64 = 2_000;
/// Looks that lie further apart, in ms, say nothing of how fast it goes now.
const APART_MAX_MS: i64 = 10 * 60_000;

#[derive(Debug, Default)]
struct Seen {
    last: Option<Arc<Lag>>,
    before: Option<Arc<Lag>>,
}

/// The last two looks.
#[derive(Debug, Default)]
pub(in super::super) struct Looks(Mutex<Seen>);

/// What was seen now, and before.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) lag: Arc<Lag>,
    before: Option<Arc<Lag>>,
}

impl Looks {
    fn get(&self, now_ms: i64) -> Option<Look> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lag = seen.last.clone().filter(|lag| now_ms - lag.measured_at_ms < HOLDS_MS)?;
        Some(Look { lag, before: seen.before.clone() })
    }

    fn put(&self, lag: Lag) -> Look {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lag = Arc::new(lag);
        let is_near = |last: &Arc<Lag>| {
            let apart = lag.measured_at_ms - last.measured_at_ms;
            (HOLDS_MS..=APART_MAX_MS).contains(&apart)
        };
        seen.before = seen.last.take().filter(is_near).or_else(|| seen.before.take().filter(is_near));
        seen.last = Some(Arc::clone(&lag));
        Look { lag, before: seen.before.clone() }
    }
}

/// What lies before every unit.
pub(super) async fn looked(app: &App, now_ms: i64) -> Result<Look, Problem> {
    if let Some(look) = app.0.console.looks.get(now_ms) {
        return Ok(look);
    }
    let lag = look(app, operate::lag).await?;
    Ok(app.0.console.looks.put(lag))
}

impl Look {
    /// Offsets a second by which a unit came on in a topic; none before two looks.
    pub(super) fn per_second(&self, unit: &str, topic: &str) -> Option<f64> {
        let before = self.before.as_ref()?;
        let seconds = (self.lag.measured_at_ms - before.measured_at_ms) as f64 / 1_000.0;
        let (now, then) = (position(&self.lag, unit, topic)?, position(before, unit, topic)?);
        (seconds > 0.0).then(|| (now - then).max(0) as f64 / seconds)
    }
}

/// The sum of a unit's positions in a topic.
fn position(lag: &Lag, unit: &str, topic: &str) -> Option<i64> {
    let unit = lag.units.iter().find(|it| it.unit == unit)?;
    let of_topic = |it: &&PartitionLag| it.topic == topic;
    unit.partitions.iter().filter(of_topic).map(|it| it.position).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use operate::UnitLag;

    fn lag(measured_at_ms: i64, position: i64) -> Lag {
        let partition = PartitionLag {
            topic: "t.v1".to_owned(),
            partition: 0,
            position: Some(position),
            consumable: operate::Records::default(),
            to_stable: 0,
            to_end: 0,
            seconds: 0.0,
            open_transaction_seconds: None,
            tenants: std::collections::BTreeMap::new(),
            problem: None,
        };
        let unit = UnitLag {
            unit: "topic".to_owned(),
            kind: "processor",
            members: 1,
            consumable: operate::Records::default(),
            to_stable: 0,
            to_end: 0,
            seconds: 0.0,
            open_transaction_seconds: None,
            tenants: std::collections::BTreeMap::new(),
            partitions: vec![partition],
        };
        Lag { measured_at_ms, units: vec![unit], ..Lag::default() }
    }

    #[test]
    fn how_fast_it_goes_is_what_two_looks_differ_in() {
        let looks = Looks::default();
        assert_eq!(looks.put(lag(10_000, 5)).per_second("topic", "t.v1"), None);
        let second = looks.put(lag(15_000, 25));
        assert_eq!(second.per_second("topic", "t.v1"), Some(4.0));
        assert_eq!(second.per_second("topic", "u.v1"), Some(0.0));
        assert_eq!(looks.get(16_000).map(|it| it.lag.measured_at_ms), Some(15_000));
        assert!(looks.get(17_000).is_none());
        assert_eq!(looks.put(lag(10_000_000, 30)).per_second("topic", "t.v1"), None);
    }
}
