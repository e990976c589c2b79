//! One pair of consumer and producer on a thread of its own, running the engine until it is asked to stop.

use super::{
    Shared, Wait,
    binding::{self, BindError, Bindings},
    blast_radius::At,
    clock::Clock,
    letters::Letter,
    status::UnitStatus,
    supervisor::Failure,
};
use crate::{
    kafka::{KafkaLog, LogOptions, settings, transaction_timeout},
    metrics::{FateCounters, Metrics},
};
use engine::{
    Engine, Limits, Observer,
    dead_letter::FailureKind,
    guard::Rejected,
    log::TxnError,
    shape::{Fate, Shape},
};
use processor::PortSpec;
use schemas::Record;
use std::{sync::Arc, time::Duration};
use tracing::info;

/// Longest wait at shutdown for answers that are on their way.
const DRAIN: Duration = Duration::from_secs(5);

/// Reports the engine's doings.
struct Report {
    name: &'static str,
    /// Logical name of the input.
    topic: Arc<str>,
    metrics: Arc<Metrics>,
    fates: FateCounters,
    status: Arc<UnitStatus>,
    clock: Clock,
}

impl Observer for Report {
    fn fate(&mut self, fate: &Fate) {
        self.fates.count(fate.label());
    }

    fn buried(&mut self, rejected: &[Rejected]) {
        for rejected in rejected {
            let FailureKind { reason, fingerprint } = rejected.kind;
            self.metrics.buried(self.name, &self.topic, (reason, fingerprint));
            self.status.buried(Letter::of_rejected(&self.topic, rejected));
        }
    }

    fn committed(&mut self, records: usize, took: Duration) {
        self.metrics.committed(self.name, records, took);
    }

    fn waiting(&mut self, why: &str) {
        self.status.waiting(why);
    }

    fn recovering(&mut self, why: &str) {
        self.status.waiting(why);
        self.metrics.recovering(self.name);
    }

    fn recovered(&mut self) {
        self.status.working();
    }

    fn assigned(&mut self, partitions: &[i32]) {
        info!(processor = self.name, ?partitions, "partitions held");
        self.metrics.partitions(self.name, partitions.len());
        self.status.ready();
    }

    fn lost(&mut self) {
        self.status.joining();
    }

    fn now(&self) -> Duration {
        self.clock.elapsed()
    }
}

/// What a pair is.
pub(super) struct PairSpec<'a> {
    pub(super) name: &'static str,
    pub(super) slot: usize,
    pub(super) ports: &'a [PortSpec],
}

/// Runs one pair to its end. `Err` says why it cannot go on.
pub(super) fn run<R: Record, S: Shape>(
    shared: &Shared,
    spec: &PairSpec<'_>,
    status: &Arc<UnitStatus>,
    shape: impl FnOnce(Bindings<R>) -> S,
) -> Result<(), Failure> {
    let wait = Wait { stop: &shared.stop, status };
    let topics = shared.topics_of(spec.name)?;
    let Some(bindings) = binding::patiently(&wait, || {
        shared.topics_fit(&topics).and_then(|()| binding::processor::<R>(shared, spec.name, spec.ports))
    })?
    else {
        return Ok(());
    };
    let instance = format!("{}-{}", shared.config.instance, spec.slot);
    let transactional_id = shared.config.prefix.transactional_id(&format!("{}-{instance}", spec.name));
    let kafka = &shared.config.kafka;
    let producer = settings::producer(kafka, &transactional_id);
    let limits = Limits { transaction_timeout: transaction_timeout(&producer), ..Limits::default() };
    let start_log = || {
        let (stop, unit) = (shared.stop.clone(), Arc::clone(status));
        let (leaving, asked) = (Arc::clone(&shared.leaving), shared.stop.clone());
        KafkaLog::start(LogOptions {
            consumer: settings::consumer(kafka, &bindings.group, &instance, shared.consumers),
            producer: producer.clone(),
            standing: shared.standing.clone(),
            input: Arc::clone(&bindings.input),
            snapshots: bindings.snapshots.clone(),
            goes_on: Box::new(move || Wait { stop: &stop, status: &unit }.goes_on()),
            closes: Box::new(move |consumer, settings| leaving.closes(&asked, consumer, settings)),
        })
        .map_err(|error| match error {
            TxnError::Fatal(why) => BindError::Fatal(why),
            other => BindError::Wait(other.to_string()),
        })
    };
    let Some(log) = binding::patiently(&wait, start_log)? else { return Ok(()) };
    let clock = Clock::start();
    let (metrics, status_of) = (Arc::clone(&shared.metrics), Arc::clone(status));
    let topic = shared.map.processor(spec.name).map_err(|error| error.to_string())?.input.as_str();
    let fates = metrics.fates_of(spec.name);
    let report = Report { name: spec.name, topic: topic.into(), metrics, fates, status: status_of, clock };
    let at = At { unit: spec.name, topic };
    turn(shared, (status, at), (&topics, clock), Engine::new(log, shape(bindings), report, limits))
}

fn turn<S: Shape>(
    shared: &Shared,
    (status, at): (&UnitStatus, At<'_>),
    (topics, clock): (&[(String, i32)], Clock),
    mut engine: Engine<KafkaLog, S, Report>,
) -> Result<(), Failure> {
    let mut fits = Ok(());
    while !shared.stop.is_asked() && fits.is_ok() {
        engine.turn(clock.elapsed()).map_err(|stop| at.ended(stop))?;
        status.turned();
        fits = shared.still_fits(topics);
    }
    let drain_until = clock.elapsed() + DRAIN;
    while engine.in_flight() > 0 && clock.elapsed() < drain_until {
        engine.turn(clock.elapsed()).map_err(|stop| at.ended(stop))?;
    }
    engine.finish(clock.elapsed()).map_err(|stop| at.ended(stop))?;
    fits
}
