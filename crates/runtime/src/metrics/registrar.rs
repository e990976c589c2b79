//! Makes what the [`super::catalogue`] lists.

use super::catalogue::{Family, Kind};
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, core::Collector,
};

/// Makes metrics of families and keeps them.
pub(super) struct Registrar<'a>(pub(super) &'a Registry);

impl Registrar<'_> {
    fn keep<C: Collector + Clone + 'static>(&self, made: C) -> Result<C, prometheus::Error> {
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    pub(super) fn counter(&self, family: &Family) -> Result<IntCounterVec, prometheus::Error> {
        self.keep(IntCounterVec::new(Opts::new(family.name, family.help), family.labels)?)
    }

    pub(super) fn gauge(&self, family: &Family) -> Result<IntGaugeVec, prometheus::Error> {
        self.keep(IntGaugeVec::new(Opts::new(family.name, family.help), family.labels)?)
    }

    /// For what is measured in parts of its unit.
    pub(super) fn fine_gauge(&self, family: &Family) -> Result<GaugeVec, prometheus::Error> {
        self.keep(GaugeVec::new(Opts::new(family.name, family.help), family.labels)?)
    }

    pub(super) fn histogram(&self, family: &Family) -> Result<HistogramVec, prometheus::Error> {
        let buckets = match family.kind {
            Kind::Histogram(buckets) => buckets.to_vec(),
            Kind::Counter | Kind::Gauge => Vec::new(),
        };
        let opts = HistogramOpts::new(family.name, family.help).buckets(buckets);
        self.keep(HistogramVec::new(opts, family.labels)?)
    }
}
