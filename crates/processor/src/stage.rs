//! A digest stage: a Processor that adds one artifact to the digest's state.

use crate::{
    Emission, Event, Outcome, Port, PortSpec, Processor, Reject, StageInput, check_boundary_integrity,
};
use schemas::{DigestStageCompleted, DigestStageStarted, DigestState, StageRun, outcome, run_id};
use std::collections::BTreeMap;

/// Port for telemetry about the work begun.
pub const STARTED: Port<DigestStageStarted> = Port::new("started");
/// Port for the stage's result.
pub const COMPLETED: Port<DigestStageCompleted> = Port::new("completed");
/// `model_id` of a result that was computed without a language model.
const OFFLINE: &str = "offline";

/// A stage adds its artifact to the state; everything around that is the same for all of them.
pub trait Stage: Send + Sync + 'static {
    /// Binary, crate, metric label, consumer group and stage name.
    const NAME: &'static str;
    /// Version of the code; part of the run id, so raise it with every change of results.
    const CODE_VERSION: &'static str;
    /// Version of the artifact's shape.
    const SCHEMA_VERSION: i32;
    /// What it reads.
    type In: StageInput;

    /// Adds the stage's artifact to `state`.
    fn run(&self, state: &mut DigestState) -> Result<StageReport, Reject>;
}

/// How a stage's work went.
#[derive(Debug, Clone, PartialEq)]
pub struct StageReport {
    /// See [`schemas::outcome`].
    pub outcome: &'static str,
    /// Measures of the artifact by name.
    pub quality_metrics: BTreeMap<String, f64>,
    /// What was asked of language models, if anything was.
    pub model: Option<ModelUse>,
}

/// What a run used of language models, whether or not its answer was good for anything.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelUse {
    /// Prompt and model, as in `writer/1 gpt-5-mini`.
    pub model_id: String,
    /// Tokens of questions and answers.
    pub tokens: i64,
    /// Cost by the price table.
    pub cost: f64,
}

impl StageReport {
    /// Worked as meant.
    pub fn ok() -> Self {
        Self { outcome: outcome::OK, quality_metrics: BTreeMap::new(), model: None }
    }

    /// Worked without what was asked for: what stands is the offline result.
    pub fn fallback() -> Self {
        Self { outcome: outcome::FALLBACK, ..Self::ok() }
    }

    /// Adds a measure; one that is not finite is left out.
    #[must_use]
    pub fn metric(mut self, name: &str, value: f64) -> Self {
        if value.is_finite() {
            self.quality_metrics.insert(name.to_owned(), value);
        }
        self
    }
}

impl<S: Stage> Processor for S {
    const NAME: &'static str = S::NAME;
    type In = S::In;

    fn ports(&self) -> Vec<PortSpec> {
        vec![STARTED.spec(), COMPLETED.spec()]
    }

    fn process(&self, event: &Event<S::In>) -> Result<Outcome, Reject> {
        let mut state = event.value.state();
        check_boundary_integrity(&event.value, &state)?;
        let report = self.run(&mut state)?;
        Ok(Outcome::Emit(StageIdentity::of::<S>().records(&event.value, state, report).emit()))
    }
}

/// What a stage's records say about who made them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageIdentity {
    /// See [`Stage::NAME`].
    pub name: &'static str,
    /// See [`Stage::CODE_VERSION`].
    pub code_version: &'static str,
    /// See [`Stage::SCHEMA_VERSION`].
    pub schema_version: i32,
}

/// The pair of records that every stage emits about an input.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRecords {
    /// Telemetry about the work begun.
    pub started: DigestStageStarted,
    /// The result, with the run appended to the state's runs.
    pub completed: DigestStageCompleted,
}

impl StageRecords {
    /// Both on their ports, in order.
    pub fn emit(self) -> Vec<Emission> {
        vec![STARTED.emit(self.started), COMPLETED.emit(self.completed)]
    }
}

impl StageIdentity {
    /// The identity of a [`Stage`].
    pub fn of<S: Stage>() -> Self {
        Self { name: S::NAME, code_version: S::CODE_VERSION, schema_version: S::SCHEMA_VERSION }
    }

    /// The records about an input whose work ended with `state` and `report`.
    pub fn records<I: StageInput>(
        self,
        input: &I,
        mut state: DigestState,
        report: StageReport,
    ) -> StageRecords {
        let run_id = run_id(self.name, self.code_version, &input.identity());
        let offline = || ModelUse { model_id: OFFLINE.to_owned(), tokens: 0, cost: 0.0 };
        let ModelUse { model_id, tokens, cost } = report.model.unwrap_or_else(offline);
        state.runs.push(StageRun {
            stage: self.name.to_owned(),
            run_id: run_id.clone(),
            outcome: report.outcome.to_owned(),
            model_id: model_id.clone(),
            tokens,
            cost,
        });
        let started = self.started(input, &run_id, state.window.window_end);
        let completed = DigestStageCompleted {
            tenant_id: input.tenant_id().to_owned(),
            group_id: input.group_id().to_owned(),
            window_id: input.window_id().to_owned(),
            version: input.version().to_owned(),
            trace_id: input.trace_id(),
            stage: self.name.to_owned(),
            outcome: report.outcome.to_owned(),
            schema_version: self.schema_version,
            quality_metrics: report.quality_metrics,
            run_id,
            model_id,
            tokens,
            cost,
            state,
        };
        StageRecords { started, completed }
    }

    fn started<I: StageInput>(self, input: &I, run_id: &str, window_end: i64) -> DigestStageStarted {
        DigestStageStarted {
            tenant_id: input.tenant_id().to_owned(),
            group_id: input.group_id().to_owned(),
            window_id: input.window_id().to_owned(),
            version: input.version().to_owned(),
            trace_id: input.trace_id(),
            stage: self.name.to_owned(),
            schema_version: self.schema_version,
            model_id: OFFLINE.to_owned(),
            run_id: run_id.to_owned(),
            window_end,
        }
    }
}
