//! What the door counts, besides what every process does.
//!
//! Invariant: labels are templates of routes, methods and statuses: no path of a request, no key, no tenant.

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
    process_collector::ProcessCollector,
};
use runtime::{Family, Kind};
use std::time::Duration;

const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

const REQUESTS: Family = Family {
    name: "http_requests_total",
    kind: Kind::Counter,
    labels: &["method", "path", "status"],
    help: "Requests to the gateway that were answered; path is the route's template.",
};
const REQUEST_SECONDS: Family = Family {
    name: "http_request_duration_seconds",
    kind: Kind::Histogram(SECONDS),
    labels: &["method", "path"],
    help: "Time until the answer to a request to the gateway began.",
};
const CONNECTIONS: Family = Family {
    name: "gistmill_gateway_connections",
    kind: Kind::Gauge,
    labels: &[],
    help: "Connections to the gateway that are open.",
};
const LISTENERS: Family = Family {
    name: "gistmill_gateway_listeners",
    kind: Kind::Gauge,
    labels: &[],
    help: "Listeners to /api/v1/events.",
};
const LISTENERS_DROPPED: Family = Family {
    name: "gistmill_gateway_listeners_dropped_total",
    kind: Kind::Counter,
    labels: &["reason"],
    help: "Listeners to /api/v1/events that were sent away.",
};
/// As units count it.
const STAGE_STATUS: (&str, &[&str], &str) = (
    "digest_stage_status_total",
    &["stage", "status", "result", "reason"],
    "Ends of stages, blocked digests, deliveries, and what became of contexts.",
);

/// Every metric that only the gateway has.
pub fn catalogue() -> Vec<Family> {
    vec![REQUESTS, REQUEST_SECONDS, CONNECTIONS, LISTENERS, LISTENERS_DROPPED]
}

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    stage_status: IntCounterVec,
    pub(crate) connections: IntGauge,
    pub(crate) listeners: IntGauge,
    dropped: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter =
            |family: &Family| IntCounterVec::new(Opts::new(family.name, family.help), family.labels);
        let gauge = |family: &Family| IntGauge::new(family.name, family.help);
        let (name, labels, help) = STAGE_STATUS;
        let opts = HistogramOpts::new(REQUEST_SECONDS.name, REQUEST_SECONDS.help).buckets(SECONDS.to_vec());
        let metrics = Self {
            requests: counter(&REQUESTS)?,
            seconds: HistogramVec::new(opts, REQUEST_SECONDS.labels)?,
            stage_status: IntCounterVec::new(Opts::new(name, help), labels)?,
            connections: gauge(&CONNECTIONS)?,
            listeners: gauge(&LISTENERS)?,
            dropped: counter(&LISTENERS_DROPPED)?,
            registry,
        };
        let registry = &metrics.registry;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.stage_status.clone()))?;
        registry.register(Box::new(metrics.connections.clone()))?;
        registry.register(Box::new(metrics.listeners.clone()))?;
        registry.register(Box::new(metrics.dropped.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn answered(&self, (method, path): (&str, &str), status: u16, took: Duration) {
        self.requests.with_label_values(&[method, path, &status.to_string()]).inc();
        self.seconds.with_label_values(&[method, path]).observe(took.as_secs_f64());
    }

    /// Counts a request for a digest of a tenant that may have none.
    pub(crate) fn blocked_by_flag(&self) {
        self.stage_status.with_label_values(&["digest", "blocked", "blocked", "feature_flag"]).inc();
    }

    pub(crate) fn dropped(&self, reason: &str) {
        self.dropped.with_label_values(&[reason]).inc();
    }

    /// Prometheus' text format.
    pub(crate) fn text(&self) -> String {
        let mut bytes = Vec::new();
        match TextEncoder::new().encode(&self.registry.gather(), &mut bytes) {
            Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("# could not encode metrics: {error}\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_that_the_flag_forbids_counts_under_the_name_that_units_have() {
        let ours =
            runtime::metrics_catalogue().into_iter().find(|family| family.name == STAGE_STATUS.0).unwrap();
        assert_eq!((ours.labels, ours.help), (STAGE_STATUS.1, STAGE_STATUS.2));
        let metrics = Metrics::new().unwrap();
        metrics.blocked_by_flag();
        let line = "digest_stage_status_total{reason=\"feature_flag\",result=\"blocked\",stage=\"digest\",\
                    status=\"blocked\"} 1";
        assert!(metrics.text().contains(line), "{}", metrics.text());
    }

    #[test]
    fn every_family_is_exposed_under_its_name() {
        let metrics = Metrics::new().unwrap();
        metrics.answered(("GET", "/livez"), 200, Duration::from_millis(3));
        metrics.dropped("slow");
        for family in catalogue() {
            assert!(metrics.text().contains(&format!("# HELP {} ", family.name)), "{}", family.name);
        }
    }
}
