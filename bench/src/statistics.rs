//! Medians, and how far the values lie apart. Pure.

use serde::Serialize;

/// Median, least and greatest of several runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of an even number the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// The spread of some values; `None` without any, or when one is no number.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        if sorted.iter().any(|value| value.is_nan()) {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let upper = sorted.len() / 2;
        let lower = (sorted.len() - 1) / 2;
        Some(Self { median: f64::midpoint(sorted[lower], sorted[upper]), min, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_median_is_the_middle_one_or_the_mean_of_two() {
        let of = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[1.0, f64::NAN]), None);
        assert_eq!(of(&[4.0]), Some(Spread { median: 4.0, min: 4.0, max: 4.0 }));
        assert_eq!(of(&[9.0, 1.0, 5.0]), Some(Spread { median: 5.0, min: 1.0, max: 9.0 }));
        assert_eq!(of(&[8.0, 1.0, 2.0, 4.0]), Some(Spread { median: 3.0, min: 1.0, max: 8.0 }));
    }

    proptest! {
        #[test]
        fn the_median_lies_between_the_ends(values in prop::collection::vec(-1e9_f64..1e9, 1..20)) {
            let spread = Spread::of(values.iter().copied()).expect("numbers");
            prop_assert!(spread.min <= spread.median && spread.median <= spread.max);
            let below = values.iter().filter(|value| **value <= spread.median).count();
            prop_assert!(below * 2 >= values.len());
        }
    }
}
