//! Every metric of a process: its name, kind, labels and help.
//!
//! Invariant: nothing is exposed that is not listed here, so that rules, dashboards and documents can be held against
//! it. Names of the event contract begin with `digest_`, those of the process with `process_`, all others with `gistmill_`.

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// It only grows while the process lives.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts by upper bound.
    Histogram(&'static [f64]),
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    /// Its name, unit last.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What its series differ in.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

const SECONDS: &[f64] =
    &[0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
const SHARES: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
const COUNTS: &[f64] = &[5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 10000.0];
const WAIT_SECONDS: &[f64] = &[0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0];
const DELIVERY_SECONDS: &[f64] = &[1.0, 5.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 86_400.0];

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(
    (name, labels): (&'static str, &'static [&'static str]),
    buckets: &'static [f64],
    help: &'static str,
) -> Family {
    Family { name, kind: Kind::Histogram(buckets), labels, help }
}

pub(super) const GENERATION_SECONDS: Family = histogram(
    ("digest_generation_seconds", &["stage", "outcome"]),
    SECONDS,
    "Time a stage takes for one digest.",
);
pub(super) const TOKENS: Family = counter("digest_tokens_total", &["model"], "Tokens used.");
pub(super) const QUALITY_SCORE: Family = histogram(
    ("digest_quality_score", &["threshold"]),
    SHARES,
    "Quality scores of digests, by the threshold that is set; default where none is.",
);
pub(super) const DELIVERY_LATENCY: Family = histogram(
    ("digest_delivery_latency_seconds", &["channel"]),
    DELIVERY_SECONDS,
    "From digest.ready_for_delivery on the topic to the delivery.",
);
pub(super) const SYNTHESIS_FALLBACK: Family = counter(
    "digest_synthesis_fallback_total",
    &["reason"],
    "Digests written without the model that was to write them.",
);
pub(super) const MODEL_REQUESTS: Family = counter(
    "gigachat_requests_total",
    &["model", "status"],
    "Calls to language models of any provider: ok, or why they failed.",
);
pub(super) const MODEL_COST: Family = counter(
    "digest_model_cost_micros_total",
    &["model", "currency"],
    "Millionths of the currency that calls to language models came to, by the table of prices; models that it lacks are missing.",
);
pub(super) const MODEL_HEDGES: Family = counter(
    "gistmill_model_hedges_total",
    &["model", "outcome"],
    "Calls to a second language model beside a slow first: ok, cancelled where the first was faster, or why they failed.",
);
pub(super) const STAGE_STATUS: Family = counter(
    "digest_stage_status_total",
    &["stage", "status", "result", "reason"],
    "Ends of stages, blocked digests, deliveries, and what became of contexts.",
);
pub(super) const CONTEXT_MESSAGES: Family = histogram(
    ("digest_context_messages", &["metric"]),
    COUNTS,
    "Messages of a window, all of them and without near-duplicates.",
);
pub(super) const CONTEXT_DUPLICATES: Family =
    counter("digest_context_duplicates_total", &["tenant"], "Near-duplicates left out of contexts.");
pub(super) const CONTEXT_HISTORY_MATCHES: Family = counter(
    "digest_context_history_matches_total",
    &["tenant"],
    "Matches with earlier windows given to contexts.",
);
pub(super) const WINDOW_QUALITY: Family = histogram(
    ("gistmill_window_quality_score", &["window"]),
    SHARES,
    "Quality scores of digests by the size of their window, such as 24h.",
);
pub(super) const DIGESTS: Family = counter(
    "gistmill_digests_total",
    &["tenant", "outcome"],
    "Digests made, by outcome; past a thousand tenants, (other).",
);
pub(super) const EVENTS: Family =
    counter("gistmill_events_total", &["unit", "fate", "reason"], "Inputs by what became of them.");
pub(super) const DEAD_LETTERS: Family = counter(
    "gistmill_dead_letters_total",
    &["unit", "topic", "reason", "fingerprint"],
    "Inputs given up as dead letters; past two hundred kinds of failure, (other).",
);
pub(super) const LOOKUP_SECONDS: Family = histogram(
    ("gistmill_lookup_seconds", &["unit", "of"]),
    WAIT_SECONDS,
    "Time that the work on an input waited for answers: of lookup in Postgres and the index of vectors, also until they know what is asked for, and of model.",
);
pub(super) const COMMIT_SECONDS: Family =
    histogram(("gistmill_commit_seconds", &["unit"]), SECONDS, "Time a transaction's commit takes.");
pub(super) const COMMITTED: Family = counter("gistmill_committed_total", &["unit"], "Inputs committed.");
pub(super) const LAST_COMMIT: Family = gauge(
    "gistmill_last_commit_timestamp_seconds",
    &["unit"],
    "When the unit last committed; no series until it has since its start.",
);
pub(super) const RECOVERIES: Family = counter("gistmill_recoveries_total", &["unit"], "Failures mended.");
pub(super) const PARTITIONS: Family = gauge("gistmill_partitions", &["unit"], "Partitions held.");
pub(super) const UNIT_STATE: Family =
    gauge("gistmill_unit_state", &["unit", "state"], "1 for the state that a unit is in.");
pub(super) const READY: Family =
    gauge("gistmill_ready", &["unit"], "1 for a unit that works or stands by, 0 for any other.");
pub(super) const WAITING: Family =
    gauge("gistmill_waiting", &["unit", "peer"], "1 while a unit waits for a peer; no series else.");
pub(super) const PEER_AWAY: Family = gauge(
    "gistmill_peer_away",
    &["peer"],
    "1 for a peer that does not answer this process, 0 for one that does.",
);
pub(super) const BREAKER_OPEN: Family = gauge(
    "gistmill_breaker_open",
    &["unit", "peer"],
    "1 for a peer that a unit leaves alone since it failed again and again, 0 for one that it asks.",
);
pub(super) const LAG_RECORDS: Family = gauge(
    "gistmill_lag_records",
    &["unit", "topic"],
    "Consumable lag: offsets to the last stable one, 0 where nothing is left but markers and aborted records.",
);
pub(super) const LAG_OFFSETS: Family = gauge(
    "gistmill_lag_offsets",
    &["unit", "topic"],
    "Offsets to the high watermark: what open transactions hold is in it, and markers.",
);
pub(super) const LAG_SECONDS: Family = gauge(
    "gistmill_lag_seconds",
    &["unit", "topic"],
    "Time since the oldest record not yet read was appended; 0 where there is none.",
);
pub(super) const STALLED: Family = gauge(
    "gistmill_stalled_partitions",
    &["unit"],
    "Partitions in which the unit has not gone on for longer than transaction and session may last.",
);
pub(super) const SESSIONS: Family = gauge(
    "gistmill_sessions",
    &["unit", "state"],
    "Sessions of users that a source reads by: reading, held (they wait for Telegram) or over.",
);
pub(super) const FLOOD_WAIT: Family = counter(
    "gistmill_flood_wait_seconds_total",
    &["unit", "method"],
    "Seconds that Telegram has asked sessions to wait.",
);
pub(super) const OUTBOX_ROWS: Family =
    gauge("gistmill_outbox_rows", &["unit"], "Rows of the outbox that are still to be published.");
pub(super) const OUTBOX_AGE: Family = gauge(
    "gistmill_outbox_age_seconds",
    &["unit"],
    "Age of the oldest row of the outbox that is still to be published; 0 where there is none.",
);
pub(super) const OPEN_TRANSACTIONS: Family = gauge(
    "gistmill_open_transactions",
    &["state"],
    "Partitions of the pipeline with an open transaction: running, ending or hanging.",
);
pub(super) const OLDEST_TRANSACTION: Family = gauge(
    "gistmill_oldest_open_transaction_seconds",
    &[],
    "Age of the oldest transaction that is open in the pipeline's topics; 0 where none is.",
);
pub(super) const MEASURED: Family = gauge(
    "gistmill_measured_timestamp_seconds",
    &[],
    "When lag, outbox and open transactions were last measured; their series are gone while that fails.",
);
pub(super) const LAST_MAINTENANCE: Family = gauge(
    "gistmill_last_maintenance_timestamp_seconds",
    &[],
    "When gistmill maintain last came to its end, told by the process that publishes the outbox; no series before the first time.",
);

/// What the client library tells of the process.
const PROCESS: [Family; 7] = [
    counter("process_cpu_seconds_total", &[], "Total user and system CPU time spent in seconds."),
    gauge("process_open_fds", &[], "Number of open file descriptors."),
    gauge("process_max_fds", &[], "Maximum number of open file descriptors."),
    gauge("process_virtual_memory_bytes", &[], "Virtual memory size in bytes."),
    gauge("process_resident_memory_bytes", &[], "Resident memory size in bytes."),
    gauge("process_start_time_seconds", &[], "Start time of the process since unix epoch in seconds."),
    gauge("process_threads", &[], "Number of OS threads in the process."),
];

/// Every metric of a process, by name.
pub fn catalogue() -> Vec<Family> {
    let mut families = vec![
        GENERATION_SECONDS,
        TOKENS,
        QUALITY_SCORE,
        DELIVERY_LATENCY,
        SYNTHESIS_FALLBACK,
        MODEL_REQUESTS,
        MODEL_COST,
        MODEL_HEDGES,
        STAGE_STATUS,
        CONTEXT_MESSAGES,
        CONTEXT_DUPLICATES,
        CONTEXT_HISTORY_MATCHES,
        WINDOW_QUALITY,
        DIGESTS,
        EVENTS,
        DEAD_LETTERS,
        LOOKUP_SECONDS,
        COMMIT_SECONDS,
        COMMITTED,
        LAST_COMMIT,
        RECOVERIES,
        PARTITIONS,
        UNIT_STATE,
        READY,
        WAITING,
        PEER_AWAY,
        BREAKER_OPEN,
        LAG_RECORDS,
        LAG_OFFSETS,
        LAG_SECONDS,
        STALLED,
        SESSIONS,
        FLOOD_WAIT,
        OUTBOX_ROWS,
        OUTBOX_AGE,
        OPEN_TRANSACTIONS,
        OLDEST_TRANSACTION,
        MEASURED,
        LAST_MAINTENANCE,
    ];
    families.extend(PROCESS);
    families.sort_unstable_by_key(|family| family.name);
    families
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_have_a_prefix_of_ours_and_their_unit_last() {
        let families = catalogue();
        let names: BTreeSet<&str> = families.iter().map(|family| family.name).collect();
        assert_eq!(names.len(), families.len(), "each is listed once");
        for Family { name, kind, labels, help } in families {
            assert!(
                ["digest_", "gigachat_", "gistmill_", "process_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix)),
                "{name}"
            );
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
            assert!(help.ends_with('.') && !labels.contains(&"le"), "{name}");
            assert!(labels.iter().all(|label| !["group", "chat", "user"].contains(label)), "{name}");
        }
    }
}
