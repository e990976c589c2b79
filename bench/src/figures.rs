//! Figures beside those of engines: latencies, and what each process of many took.
//!
//! Invariant: a figure that a run lacks is a gap in its cell, and never a zero.

use crate::statistics::Spread;
use serde::Serialize;
use std::time::Duration;

/// A table of figures, each the median of the runs with the least and the greatest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// What a row is about.
    pub title: String,
    /// The columns after the name.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Column {
    /// What it tells, with its unit.
    pub title: &'static str,
    /// Digits after the point.
    pub digits: usize,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What it is about.
    pub name: String,
    /// A figure for each column, where there is one.
    pub cells: Vec<Option<Spread>>,
}

/// Takes the figures of one run after another.
#[derive(Debug)]
pub(crate) struct Sheet {
    title: &'static str,
    columns: Vec<Column>,
    rows: Vec<(String, Vec<Vec<f64>>)>,
}

impl Sheet {
    /// Without rows; columns as (title, digits).
    pub(crate) fn new(title: &'static str, columns: &[(&'static str, usize)]) -> Self {
        let columns = columns.iter().map(|(title, digits)| Column { title, digits: *digits }).collect();
        Self { title, columns, rows: Vec::new() }
    }

    /// Adds a run's figures to the row of that name, which is made where there is none.
    pub(crate) fn add(&mut self, name: &str, figures: &[Option<f64>]) {
        let at = self.rows.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.rows.push((name.to_owned(), vec![Vec::new(); self.columns.len()]));
            self.rows.len() - 1
        });
        for (values, figure) in self.rows[at].1.iter_mut().zip(figures) {
            values.extend(figure);
        }
    }

    /// The median of a cell so far.
    pub(crate) fn median(&self, name: &str, column: usize) -> Option<f64> {
        let (_, values) = self.rows.iter().find(|(known, _)| known == name)?;
        Some(Spread::of(values.get(column)?.iter().copied())?.median)
    }

    /// The greatest median of a column.
    pub(crate) fn greatest(&self, column: usize) -> Option<f64> {
        self.rows.iter().filter_map(|(name, _)| self.median(name, column)).reduce(f64::max)
    }

    pub(crate) fn finish(self) -> Table {
        let row = |(name, values): (String, Vec<Vec<f64>>)| {
            let cells = values.into_iter().map(Spread::of).collect();
            Row { name, cells }
        };
        Table {
            title: self.title.to_owned(),
            columns: self.columns,
            rows: self.rows.into_iter().map(row).collect(),
        }
    }
}

/// Columns of a latency.
pub(crate) const LATENCY: [(&str, usize); 3] = [("p50 ms", 1), ("p99 ms", 1), ("greatest ms", 1)];

/// The median, the time that 99 % took at most, and the greatest, in ms; gaps without any.
pub(crate) fn latency(mut times: Vec<Duration>) -> [Option<f64>; 3] {
    times.sort_unstable();
    let at = |share: usize| {
        let index = (times.len() * share).div_ceil(100).saturating_sub(1);
        times.get(index).map(|time| time.as_secs_f64() * 1_000.0)
    };
    [at(50), at(99), at(100)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_told_by_shares_of_its_times() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(latency(times), [Some(100.0), Some(198.0), Some(200.0)]);
        assert_eq!(latency(vec![Duration::from_millis(3)]), [Some(3.0); 3]);
        assert_eq!(latency(Vec::new()), [None; 3]);
    }

    #[test]
    fn a_cell_is_the_median_of_its_runs_and_a_gap_without_any() {
        let mut sheet = Sheet::new("process", &[("CPU s", 1), ("peak MiB", 0)]);
        for seconds in [3.0, 1.0, 2.0] {
            sheet.add("writer", &[Some(seconds), None]);
        }
        sheet.add("roles", &[Some(5.0), Some(9.0)]);
        assert_eq!((sheet.median("writer", 0), sheet.median("writer", 1)), (Some(2.0), None));
        assert_eq!((sheet.greatest(0), sheet.greatest(1)), (Some(5.0), Some(9.0)));
        let table = sheet.finish();
        assert_eq!(table.rows[0].cells, [Spread::of([1.0, 2.0, 3.0]), None]);
        assert_eq!(table.rows[1].name, "roles");
    }
}
