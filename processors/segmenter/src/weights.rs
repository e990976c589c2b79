//! Weights of a logistic regression over the features of a gap, in their order.

use crate::FEATURES;

/// Trained by `train_segments` of the evaluation crate, but for the last: the training dialogues carry no time, and
/// a pause of half an hour is set to weigh as much as an opening phrase.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f64; FEATURES] = [
    -2.307,
    -0.749,
    0.066,
    -0.215,
    -3.532,
    -0.805,
    0.454,
    -3.425,
    -1.643,
    0.884,
    -1.665,
    -1.543,
    0.993,
    -0.119,
    -0.076,
    0.728,
    -1.133,
    0.689,
    0.526,
    -0.137,
    1.365,
    0.522,
    -0.412,
    -0.131,
    -0.371,
    -0.116,
    -0.234,
    -2.382,
    1.726,
    -0.200,
    -1.760,
    -1.552,
    0.800,
];
