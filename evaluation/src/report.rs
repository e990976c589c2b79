//! What an evaluation finds.

use serde::Serialize;

/// Results of a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Stage name.
    pub stage: String,
    /// One per data set and metric.
    pub rows: Vec<Row>,
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Data set.
    pub dataset: String,
    /// Metric.
    pub metric: String,
    /// Value in the metric's own unit.
    pub value: f64,
    /// What the simple baseline reaches, where there is one; higher is better.
    pub baseline: Option<f64>,
}

impl Report {
    /// A report without rows.
    pub fn new(stage: &str) -> Self {
        Self { stage: stage.to_owned(), rows: Vec::new() }
    }

    /// Adds a value.
    pub fn add(&mut self, dataset: &str, metric: &str, value: f64, baseline: impl Into<Option<f64>>) {
        self.rows.push(Row {
            dataset: dataset.to_owned(),
            metric: metric.to_owned(),
            value,
            baseline: baseline.into(),
        });
    }

    /// The value of a metric.
    pub fn value(&self, dataset: &str, metric: &str) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.dataset == dataset && row.metric == metric)?;
        Some(row.value)
    }

    /// Rows that do not beat their baseline.
    pub fn behind(&self) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.baseline.is_some_and(|baseline| row.value <= baseline)).collect()
    }
}
