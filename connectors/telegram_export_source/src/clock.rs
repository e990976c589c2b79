//! The only clock of the connector: when a followed feed was read.

/// Tells the time in ms since the epoch.
pub trait Clock: Send + 'static {
    /// Now, in ms since the epoch.
    fn now_ms(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "observed_at of a live lane is the source's clock")]
        let now = std::time::SystemTime::now();
        now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
    }
}
