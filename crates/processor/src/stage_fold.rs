//! A digest stage with a memory: a Fold that adds one artifact to the digest's state.

use crate::{
    COMPLETED, Event, Fold, FoldState, Outcome, PortSpec, Reject, STARTED, StageIdentity, StageInput,
    StageReport, check_boundary_integrity,
};
use schemas::DigestState;

/// A [`crate::Stage`] that also knows what it kept of the earlier windows of the same tenant and group.
pub trait StageFold: Send + Sync + 'static {
    /// Binary, crate, metric label, consumer group and stage name.
    const NAME: &'static str;
    /// Version of the code; part of the run id, so raise it with every change of results.
    const CODE_VERSION: &'static str;
    /// Version of the artifact's shape.
    const SCHEMA_VERSION: i32;
    /// Version of the memory's encoding; see [`Fold::STATE_VERSION`].
    const STATE_VERSION: u32;
    /// What it reads.
    type In: StageInput;
    /// What it keeps of a group.
    type Memory: FoldState;

    /// Adds the stage's artifact to `state`, and to `memory` what later windows need. On `Err` the memory is as it was.
    fn run(
        &self,
        memory: &mut Self::Memory,
        input: &Self::In,
        state: &mut DigestState,
    ) -> Result<StageReport, Reject>;
}

impl<S: StageFold> Fold for S {
    const NAME: &'static str = S::NAME;
    const STATE_VERSION: u32 = S::STATE_VERSION;
    type In = S::In;
    type State = S::Memory;

    fn ports(&self) -> Vec<PortSpec> {
        vec![STARTED.spec(), COMPLETED.spec()]
    }

    fn step(&self, memory: &mut S::Memory, event: &Event<S::In>) -> Result<Outcome, Reject> {
        let mut state = event.value.state();
        check_boundary_integrity(&event.value, &state)?;
        let report = self.run(memory, &event.value, &mut state)?;
        let identity =
            StageIdentity { name: S::NAME, code_version: S::CODE_VERSION, schema_version: S::SCHEMA_VERSION };
        Ok(Outcome::Emit(identity.records(&event.value, state, report).emit()))
    }
}
