//! Logistic regression by full-batch gradient descent (Adam, Kingma and Ba 2015).
//!
//! Invariant: deterministic; sums run in the order of the examples.

const STEPS: i32 = 600;
const RATE: f64 = 0.05;

/// A candidate: its window, its features, and whether a reader found it to be one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Example<const COUNT: usize> {
    /// Which window it is of.
    pub window: usize,
    /// What is known of it.
    pub features: [f64; COUNT],
    /// Whether it is what it was looked for as.
    pub right: bool,
    /// How much it counts.
    pub weight: f64,
}

/// The probability that a candidate is what it was looked for as.
pub fn probability<const COUNT: usize>(weights: &[f64; COUNT], features: &[f64; COUNT]) -> f64 {
    let score: f64 = weights.iter().zip(features).map(|(weight, value)| weight * value).sum();
    1.0 / (1.0 + (-score).exp())
}

/// Weights of the features; `decay` pulls them towards nothing.
pub fn fit<'e, const COUNT: usize>(
    examples: impl Iterator<Item = &'e Example<COUNT>>,
    decay: f64,
) -> [f64; COUNT] {
    let examples: Vec<&Example<COUNT>> = examples.collect();
    let total: f64 = examples.iter().map(|example| example.weight).sum();
    let (mut weights, mut first, mut second) = ([0.0; COUNT], [0.0; COUNT], [0.0; COUNT]);
    for step in 1..=STEPS {
        let mut gradient = [0.0; COUNT];
        for example in &examples {
            let error = probability(&weights, &example.features) - f64::from(u8::from(example.right));
            let error = example.weight * error;
            gradient.iter_mut().zip(&example.features).for_each(|(slot, value)| *slot += error * value);
        }
        for at in 0..COUNT {
            let slope = gradient[at] / total.max(f64::MIN_POSITIVE) + decay * weights[at];
            first[at] = 0.9 * first[at] + 0.1 * slope;
            second[at] = 0.999 * second[at] + 0.001 * slope * slope;
            let (first, second) =
                (first[at] / (1.0 - 0.9_f64.powi(step)), second[at] / (1.0 - 0.999_f64.powi(step)));
            weights[at] -= RATE * first / (second.sqrt() + 1e-8);
        }
    }
    weights
}

/// Each example with its probability by weights that were fitted without its window; windows are left out in `folds`
/// groups.
pub fn left_out<const COUNT: usize>(
    examples: &[Example<COUNT>],
    folds: usize,
    decay: f64,
) -> Vec<(&Example<COUNT>, f64)> {
    let mut judged = Vec::with_capacity(examples.len());
    for fold in 0..folds {
        let weights = fit(examples.iter().filter(|example| example.window % folds != fold), decay);
        let own = examples.iter().filter(|example| example.window % folds == fold);
        judged.extend(own.map(|example| (example, probability(&weights, &example.features))));
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found() {
        let example =
            |value: f64| Example { window: 0, features: [1.0, value], right: value > 2.0, weight: 1.0 };
        let examples: Vec<Example<2>> = (0..40).map(|step| example(f64::from(step) / 10.0)).collect();
        let weights = fit(examples.iter(), 0.001);
        assert!(probability(&weights, &[1.0, 0.5]) < 0.2);
        assert!(probability(&weights, &[1.0, 3.5]) > 0.8);
    }
}
