//! The scorer: one hidden layer of rectifiers beside a linear path, with trained weights.
//!
//! Invariant: sums run in a fixed order, so that equal features give equal bits.

use crate::features::{FEATURES, Features};

/// Units of the hidden layer.
pub const HIDDEN: usize = 16;
/// Weights of a model: per feature its linear weight and its hidden weights, then bias and output per unit.
pub const WEIGHTS: usize = FEATURES * (HIDDEN + 1) + 2 * HIDDEN;
/// Weights are written as integers of this fraction.
const SCALE: f64 = 1000.0;

/// Rooms where people write `name: text`; trained on Ubuntu IRC (CC-BY-4.0).
const ADDRESSING: &str = include_str!("../weights/addressing.txt");
/// Rooms with native replies; trained on replies of a Russian Telegram group (Apache-2.0).
const REPLYING: &str = include_str!("../weights/replying.txt");

/// How the people of a window show whom they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// By name.
    Addressing,
    /// By the messenger's reply function, or not at all.
    Replying,
}

/// A trained scorer.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    weights: Vec<f64>,
}

impl Model {
    /// The model for a habit.
    pub fn trained(habit: Habit) -> Self {
        Self::parse(match habit {
            Habit::Addressing => ADDRESSING,
            Habit::Replying => REPLYING,
        })
    }

    /// Reads integers parted by space; missing ones are zero.
    pub fn parse(text: &str) -> Self {
        let read = text.split_whitespace().filter_map(|word| word.parse::<i32>().ok());
        let mut weights: Vec<f64> = read.map(|value| f64::from(value) / SCALE).collect();
        weights.resize(WEIGHTS, 0.0);
        Self { weights }
    }

    /// Writes weights in the form that [`Model::parse`] reads, a feature a line.
    pub fn format(weights: &[f64]) -> String {
        let line = |row: &[f64]| {
            let words: Vec<String> = row.iter().map(|value| format!("{:.0}", value * SCALE)).collect();
            words.join(" ")
        };
        let lines: Vec<String> = weights.chunks(HIDDEN + 1).map(line).collect();
        lines.join("\n") + "\n"
    }

    /// Score of a candidate; higher is better.
    pub fn score(&self, features: &Features) -> f64 {
        let (rows, tail) = self.weights.split_at(FEATURES * (HIDDEN + 1));
        let (bias, output) = tail.split_at(HIDDEN);
        let mut linear = 0.0;
        let mut units = [0.0; HIDDEN];
        units.copy_from_slice(bias);
        for (row, &value) in rows.chunks_exact(HIDDEN + 1).zip(features) {
            if value == 0.0 {
                continue;
            }
            linear += row[0] * value;
            for (unit, weight) in units.iter_mut().zip(&row[1..]) {
                *unit += weight * value;
            }
        }
        units.iter().zip(output).fold(linear, |sum, (unit, weight)| sum + unit.max(0.0) * weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_complete() {
        for text in [ADDRESSING, REPLYING] {
            assert_eq!(text.split_whitespace().filter(|word| word.parse::<i32>().is_ok()).count(), WEIGHTS);
        }
    }

    #[test]
    fn format_and_parse_are_inverse() {
        let weights: Vec<f64> = (0..WEIGHTS).map(|at| (at % 97) as f64 / 8.0).collect();
        assert_eq!(Model::parse(&Model::format(&weights)).weights, weights);
    }

    #[test]
    fn score_by_hand() {
        let mut weights = vec![0.0; WEIGHTS];
        weights[0] = 2.0;
        weights[1] = 3.0;
        let tail = FEATURES * (HIDDEN + 1);
        weights[tail] = -1.0;
        weights[tail + HIDDEN] = 0.5;
        let mut features = [0.0; FEATURES];
        features[0] = 1.0;
        assert!((Model { weights }.score(&features) - 3.0).abs() < 1e-12);
    }
}
