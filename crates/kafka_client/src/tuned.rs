//! What the product's producers and consumers are set to: one list for whoever makes them, so that what is measured is what
//! runs.
//!
//! Invariant: what exactly-once rests on is apart, to be set after an operator's properties; the rest is theirs to change.

/// A producer of records in transactions that follow one another closely.
pub const PRODUCER: [(&str, &str); 10] = [
    ("compression.type", "lz4"),
    ("linger.ms", "5"),
    ("batch.size", "1000000"),
    ("batch.num.messages", "10000"),
    ("queue.buffering.max.messages", "500000"),
    ("queue.buffering.max.kbytes", "131072"),
    // The dead-letter topic's limit, the largest of all; each topic has its own.
    ("message.max.bytes", "16777216"),
    // Above the longest commit and the session timeout, so that a live producer is never aborted.
    ("transaction.timeout.ms", "30000"),
    // The default of 100 ms taxes every transaction that follows another closely.
    ("retry.backoff.ms", "10"),
    ("retry.backoff.max.ms", "200"),
];

/// What is relied on of a producer.
pub const RELIED_ON_PRODUCER: [(&str, &str); 3] =
    [("enable.idempotence", "true"), ("acks", "all"), ("delivery.report.only.error", "true")];

/// How a consumer fetches.
pub const FETCHING: [(&str, &str); 5] = [
    // Data is answered at once (`fetch.min.bytes` 1); the wait only bounds how often an idle one asks.
    ("fetch.wait.max.ms", "500"),
    // The default of a second stalls every consumer whose queue was full once.
    ("fetch.queue.backoff.ms", "10"),
    ("fetch.message.max.bytes", "4194304"),
    ("queued.min.messages", "100000"),
    ("check.crcs", "true"),
];

/// What is relied on of a consumer.
pub const RELIED_ON_CONSUMER: [(&str, &str); 4] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("isolation.level", "read_committed"),
    // A missing or expired offset stops the loop instead of silently skipping or repeating.
    ("auto.offset.reset", "error"),
];

/// Memory for fetched records of one process, in KiB, shared by its consumers.
pub const FETCH_BUDGET_KIB: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aliases::canonical;

    #[test]
    fn what_is_relied_on_is_in_no_list_that_is_an_operators_to_change() {
        for (list, relied_on) in
            [(&PRODUCER[..], &RELIED_ON_PRODUCER[..]), (&FETCHING[..], &RELIED_ON_CONSUMER[..])]
        {
            for (name, _) in list {
                assert!(relied_on.iter().all(|(relied_on, _)| relied_on != name), "{name}");
                assert_eq!(canonical(name), *name, "by the name that settings are kept under");
            }
        }
    }
}
