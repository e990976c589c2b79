//! What a stage starts from.

use schemas::{DigestContextPrepared, DigestStageCompleted, DigestState, Record};

/// A record that a stage can start from.
pub trait StageInput: Record {
    /// The window.
    fn window_id(&self) -> &str;
    /// The digest's version.
    fn version(&self) -> &str;
    /// The state to add to.
    fn state(&self) -> DigestState;
}

impl StageInput for DigestContextPrepared {
    fn window_id(&self) -> &str {
        &self.window_id
    }
    fn version(&self) -> &str {
        &self.version
    }
    fn state(&self) -> DigestState {
        self.into()
    }
}

impl StageInput for DigestStageCompleted {
    fn window_id(&self) -> &str {
        &self.window_id
    }
    fn version(&self) -> &str {
        &self.version
    }
    fn state(&self) -> DigestState {
        self.state.clone()
    }
}
