//! Waiting for a condition, never for a time.

use anyhow::ensure;
use std::time::{Duration, Instant};

/// Longest wait for something that takes a second on a quiet machine.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// Wait between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Looks until `condition` gives a value.
///
/// # Errors
/// What `condition` fails with, or that it gave nothing within `deadline`.
pub fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let until = Instant::now() + deadline;
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        ensure!(Instant::now() < until, "not within {} s: {what}", deadline.as_secs());
        std::thread::park_timeout(LOOK_INTERVAL);
    }
}
