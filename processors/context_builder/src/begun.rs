//! The beginning of the work, told as every stage tells it: on its record the runtime says how long the lookups took.

use processor::{Outcome, STARTED, Step};
use schemas::{DigestGenerateRequested, DigestStageStarted, Record, run_id};

/// Part of the run id, so raise it with every change of what a context holds.
const CODE_VERSION: &str = "1";

/// A step that, where it gives something out, first tells of the work begun.
pub(crate) fn told<Cursor>(request: &DigestGenerateRequested, step: Step<Cursor>) -> Step<Cursor> {
    match step {
        Step::Done(Ok(Outcome::Emit(mut emissions))) => {
            emissions.insert(0, STARTED.emit(started(request)));
            Step::Done(Ok(Outcome::Emit(emissions)))
        }
        other => other,
    }
}

fn started(request: &DigestGenerateRequested) -> DigestStageStarted {
    let stage = <crate::ContextBuilder as processor::Lookup>::NAME;
    DigestStageStarted {
        tenant_id: request.tenant_id.clone(),
        group_id: request.group_id.clone(),
        window_id: request.window_id.clone(),
        version: request.version.clone(),
        trace_id: request.trace_id.clone(),
        stage: stage.to_owned(),
        schema_version: 1,
        model_id: "offline".to_owned(),
        run_id: run_id(stage, CODE_VERSION, &Record::identity(request)),
        window_end: request.window.window_end,
    }
}
