//! Tells pauses inside a talk from pauses between talks by the window's own rhythm.
//!
//! Invariant: a function of the pauses alone; a window whose pauses are not clearly of two kinds says nothing.

/// Fewer pauses show no rhythm.
const PAUSES_MIN: usize = 20;
/// Pauses are counted from a second to a night: beyond that their length says no more.
const PAUSE_S: std::ops::RangeInclusive<f64> = 1.0..=10_800.0;
/// Ashman's D from which two kinds are clearly apart (Ashman, Bird and Zepf 1994).
const APART_MIN: f64 = 2.0;
/// Smallest deviation of log pauses: clocks are no finer than this for short ones.
const DEVIATION_MIN: f64 = 0.2;
/// Steps of expectation maximisation; the last ones change nothing that matters.
const STEPS: usize = 40;
/// Highest evidence of a pause for or against a new talk, as a natural logarithm of odds (about 150 to 1): some
/// answers come after a break, and some talks start in the middle of another. Any bound from 3 to 7 finds the forum topics
/// of the Telegram group about as well (ARI .455 to .461; .428 without).
const EVIDENCE_MAX: f64 = 5.0;

/// Two kinds of pauses as normal distributions of their logarithms, as in Halfaker et al., "User Session
/// Identification Based on Strong Regularities in Inter-activity Time" (WWW 2015).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rhythm {
    within: Normal,
    between: Normal,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Normal {
    share: f64,
    mean: f64,
    deviation: f64,
}

impl Normal {
    /// Weighted mean and deviation; `None` where there is next to no weight.
    fn fit(weighted: impl Iterator<Item = (f64, f64)> + Clone, total: f64) -> Option<Self> {
        let weight: f64 = weighted.clone().map(|(_, weight)| weight).sum();
        if weight < 1.0 {
            return None;
        }
        let mean = weighted.clone().map(|(value, weight)| value * weight).sum::<f64>() / weight;
        let square = |(value, weight): (f64, f64)| (value - mean).powi(2) * weight;
        let deviation = (weighted.map(square).sum::<f64>() / weight).sqrt().max(DEVIATION_MIN);
        Some(Self { share: weight / total, mean, deviation })
    }

    fn log_density(&self, value: f64) -> f64 {
        -0.5 * ((value - self.mean) / self.deviation).powi(2) - self.deviation.ln()
    }
}

impl Rhythm {
    /// The rhythm of pauses in seconds.
    pub(crate) fn of(pauses_s: &[f64]) -> Option<Self> {
        let mut logs: Vec<f64> = pauses_s.iter().copied().map(log).collect();
        if logs.len() < PAUSES_MIN {
            return None;
        }
        logs.sort_by(f64::total_cmp);
        let mut rhythm = Self::split(&logs)?;
        for _ in 0..STEPS {
            rhythm = rhythm.refit(&logs)?;
        }
        rhythm.is_clear().then_some(rhythm)
    }

    /// The two groups of sorted values with the least variance inside (Otsu 1979).
    fn split(logs: &[f64]) -> Option<Self> {
        let total: f64 = logs.iter().sum();
        let mut best = (0.0, 0);
        let mut sum = 0.0;
        for at in 1..logs.len() {
            sum += logs[at - 1];
            let (left, right) = (at as f64, (logs.len() - at) as f64);
            let spread = left * right * (sum / left - (total - sum) / right).powi(2);
            if spread > best.0 {
                best = (spread, at);
            }
        }
        let fit = |part: &[f64]| Normal::fit(part.iter().map(|&value| (value, 1.0)), logs.len() as f64);
        Some(Self { within: fit(&logs[..best.1])?, between: fit(&logs[best.1..])? })
    }

    fn refit(&self, logs: &[f64]) -> Option<Self> {
        let odds = |value: f64| {
            let within = self.within.share.ln() + self.within.log_density(value);
            let between = self.between.share.ln() + self.between.log_density(value);
            1.0 / (1.0 + (within - between).exp())
        };
        let shares: Vec<f64> = logs.iter().map(|&value| odds(value)).collect();
        let pairs = logs.iter().zip(&shares);
        let total = logs.len() as f64;
        Some(Self {
            within: Normal::fit(pairs.clone().map(|(&value, share)| (value, 1.0 - share)), total)?,
            between: Normal::fit(pairs.map(|(&value, &share)| (value, share)), total)?,
        })
    }

    fn is_clear(&self) -> bool {
        let spread = self.within.deviation.hypot(self.between.deviation);
        2.0_f64.sqrt() * (self.between.mean - self.within.mean) > APART_MIN * spread
    }

    /// Evidence that a pause parts two talks, in natural logarithms of odds; negative for pauses inside talks.
    pub(crate) fn evidence(&self, pause_s: f64) -> f64 {
        // Between the means the ratio only rises; outside, the wider of the two would win again.
        let value = log(pause_s).clamp(self.within.mean, self.between.mean);
        let ratio = self.between.log_density(value) - self.within.log_density(value);
        ratio.clamp(-EVIDENCE_MAX, EVIDENCE_MAX)
    }
}

fn log(pause_s: f64) -> f64 {
    pause_s.clamp(*PAUSE_S.start(), *PAUSE_S.end()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Eight talks of six messages: pauses of about two minutes, and half an hour between.
    fn bursts() -> Vec<f64> {
        let pause = |at: u8| match at % 6 {
            5 => 1500.0 + 30.0 * f64::from(at),
            place => 80.0 + 25.0 * f64::from(place),
        };
        (0..48).map(pause).collect()
    }

    #[test]
    fn bursts_have_two_kinds_of_pauses() {
        let rhythm = Rhythm::of(&bursts()).unwrap();
        assert!((60.0..200.0).contains(&rhythm.within.mean.exp()), "{rhythm:?}");
        assert!((1500.0..6000.0).contains(&rhythm.between.mean.exp()), "{rhythm:?}");
        assert!(rhythm.evidence(100.0) <= -EVIDENCE_MAX && rhythm.evidence(2400.0) >= EVIDENCE_MAX);
        assert!(rhythm.evidence(90.0) <= rhythm.evidence(300.0));
        assert!(rhythm.evidence(300.0) < rhythm.evidence(900.0));
    }

    #[test]
    fn an_even_flow_has_no_rhythm() {
        // Quantiles of a log-logistic distribution: one hump.
        let quantile = |at: u8| 120.0 * (f64::from(at) / (60.0 - f64::from(at))).sqrt();
        let even: Vec<f64> = (1..60).map(quantile).collect();
        assert_eq!(Rhythm::of(&even), None);
        assert_eq!(Rhythm::of(&[60.0; 40]), None);
    }

    #[test]
    fn few_pauses_show_no_rhythm() {
        assert_eq!(Rhythm::of(&bursts()[..PAUSES_MIN - 1]), None);
    }

    #[test]
    fn two_normals_of_equal_width_by_hand() {
        let normal = |mean| Normal { share: 0.5, mean, deviation: 0.5 };
        let rhythm = Rhythm { within: normal(4.0), between: normal(6.0) };
        // ((x − 4)² − (x − 6)²) / (2 · .25) = (4x − 20) / .5.
        assert!(rhythm.evidence(5.0_f64.exp()).abs() < 1e-9);
        assert!((rhythm.evidence(5.25_f64.exp()) - 2.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn evidence_is_bounded_and_rises(pauses in proptest::collection::vec(0.0..90_000.0, 0..80),
                                         a in 0.0..90_000.0, b in 0.0..90_000.0) {
            if let Some(rhythm) = Rhythm::of(&pauses) {
                let (low, high) = (rhythm.evidence(f64::min(a, b)), rhythm.evidence(f64::max(a, b)));
                prop_assert!(-EVIDENCE_MAX <= low && low <= high && high <= EVIDENCE_MAX);
            }
        }
    }
}
