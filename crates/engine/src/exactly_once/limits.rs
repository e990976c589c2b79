//! Bounds of the loop: when it commits, how much may wait, how long it waits itself.

use std::time::Duration;

/// Bounds of the loop. Times are durations; the defaults are the measured ones.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Inputs after which a transaction commits.
    pub commit_records: usize,
    /// Age at which a transaction commits when nothing more is there to read.
    pub commit_idle: Duration,
    /// Age at which a transaction commits in any case.
    pub commit_interval: Duration,
    /// Age at which a Fold writes its state, or at least its offset.
    pub round_interval: Duration,
    /// The same after the last input: a Fold that has nothing to do is not seen to lag behind, and restarts quickly.
    pub round_idle: Duration,
    /// Inputs after which a Fold writes its state.
    pub round_records: usize,
    /// Bytes of a Fold's state in one transaction: what a slow broker takes well within a transaction's timeout.
    pub round_bytes: usize,
    /// Inputs waiting for answers or for order, over all partitions.
    pub in_flight_max: usize,
    /// Inputs of a partition that may wait behind an undecided one, and bytes of what has become of them; at either it
    /// is not read on. Half of it lets it go on.
    pub held_max: (usize, usize),
    /// Age at which an undecided input is told as what is waited for, when less is held.
    pub undecided_told: Duration,
    /// First and longest wait before something that failed is tried again.
    pub retry: (Duration, Duration),
    /// Age at which the coordinator aborts a transaction and fences its producer.
    pub transaction_timeout: Duration,
    /// Wait before a fenced producer is rebuilt, once.
    pub fenced_wait: Duration,
    /// Longest wait for records when there is nothing else to do.
    pub poll_wait: Duration,
    /// Most inputs taken by one poll.
    pub poll_records: usize,
    /// Age of a poll's first input after which it takes no other: whatever a processor does with one, commits are due in
    /// time, and an order to stop is heard.
    pub poll_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            commit_records: 10_000,
            commit_idle: Duration::from_millis(5),
            commit_interval: Duration::from_millis(100),
            round_interval: Duration::from_secs(10),
            round_idle: Duration::from_secs(1),
            round_records: 50_000,
            round_bytes: 32 << 20,
            in_flight_max: 256,
            held_max: (4_096, 16 << 20),
            undecided_told: Duration::from_secs(30),
            retry: (Duration::from_millis(100), Duration::from_secs(5)),
            transaction_timeout: Duration::from_secs(30),
            fenced_wait: Duration::from_mins(1),
            poll_wait: Duration::from_millis(250),
            poll_records: 500,
            poll_time: Duration::from_millis(2),
        }
    }
}
