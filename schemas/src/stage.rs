//! `digest.stage.started` and `digest.stage.completed`: telemetry of a stage, and its result with what the next needs.

use crate::{
    ContextMessage, Digest, DigestContextPrepared, Emotions, HistoryMatch, Roles, Segments, StageRun,
    Threads, Topics, WindowRef, record::record,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names of a stage's outcome on the wire; the set is open.
pub mod outcome {
    /// Worked as meant.
    pub const OK: &str = "ok";
    /// Worked after another attempt.
    pub const RETRY: &str = "retry";
    /// The model failed, the offline result stands in.
    pub const FALLBACK: &str = "fallback";
    /// Worked on part of the input, or came out far worse than usual.
    pub const DEGRADED: &str = "degraded";
    /// How the measure begins that says why: `fallback_timeout` is 1 where a model gave no answer in time.
    pub const FALLBACK_MEASURE: &str = "fallback_";
}

/// A stage began work; telemetry, at least once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestStageStarted {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Trace id of this digest: 32 hex digits.
    pub trace_id: String,
    /// Stage name.
    pub stage: String,
    /// Version of the stage's artifact.
    pub schema_version: i32,
    /// Model, or `offline`.
    pub model_id: String,
    /// `UUIDv5` of stage, code and prompt version, input.
    pub run_id: String,
    /// End of the window in ms, exclusive.
    pub window_end: i64,
}

record!(DigestStageStarted, "digest.stage.started.v1", "digest.stage.started.v1",
    identity: |r| format!("{}/{}/{}", r.window_id, r.stage, r.run_id),
    time: |r| r.window_end,
    trace: |r| r.trace_id.clone());

/// A stage has finished; carries what the next one needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestStageCompleted {
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// `UUIDv5` of tenant, group, size, start.
    pub window_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Trace id of this digest: 32 hex digits.
    pub trace_id: String,
    /// Stage name.
    pub stage: String,
    /// See [`outcome`].
    pub outcome: String,
    /// Version of the stage's artifact.
    pub schema_version: i32,
    /// Measures of the artifact by name.
    pub quality_metrics: BTreeMap<String, f64>,
    /// `UUIDv5` of stage, code and prompt version, input.
    pub run_id: String,
    /// Model, or `offline`.
    pub model_id: String,
    /// Tokens used.
    pub tokens: i64,
    /// Cost in the provider's currency.
    pub cost: f64,
    /// Artifacts of the stages so far.
    pub state: DigestState,
}

record!(DigestStageCompleted, "digest.stage.completed.v1", "digest.stage.completed.v1",
    identity: |r| format!("{}/{}/{}", r.window_id, r.stage, r.run_id),
    time: |r| r.state.window.window_end,
    trace: |r| r.trace_id.clone());

/// What the stages so far have found; each adds its own artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestState {
    /// The window.
    pub window: WindowRef,
    /// As requested.
    pub delivery_channel: String,
    /// Language of the digest: `ru` or `en`.
    pub language: String,
    /// Messages that repeat an earlier one.
    pub duplicates_removed: i32,
    /// All messages of the window, by (`sent_at`, id).
    pub messages: Vec<ContextMessage>,
    /// `ok`, `unavailable`, or `off` where no index is set; see [`crate::history`].
    pub history: String,
    /// Best matches first.
    pub history_matches: Vec<HistoryMatch>,
    /// Runs of the stages so far, in order.
    pub runs: Vec<StageRun>,
    /// Set by `thread_builder`.
    pub threads: Option<Threads>,
    /// Set by `segmenter`.
    pub segments: Option<Segments>,
    /// Set by `emotion`.
    pub emotions: Option<Emotions>,
    /// Set by `roles`.
    pub roles: Option<Roles>,
    /// Set by `topic`.
    pub topics: Option<Topics>,
    /// Set by `synthesis`.
    pub digest: Option<Digest>,
}

impl DigestState {
    /// A window before its first stage: delivered to files, nothing removed, no history.
    pub fn new(window: WindowRef, language: &str, messages: Vec<ContextMessage>) -> Self {
        Self {
            window,
            delivery_channel: "file".to_owned(),
            language: language.to_owned(),
            duplicates_removed: 0,
            messages,
            history: crate::history::OFF.to_owned(),
            history_matches: Vec::new(),
            runs: Vec::new(),
            threads: None,
            segments: None,
            emotions: None,
            roles: None,
            topics: None,
            digest: None,
        }
    }
}

impl From<&DigestContextPrepared> for DigestState {
    fn from(context: &DigestContextPrepared) -> Self {
        Self {
            delivery_channel: context.delivery_channel.clone(),
            duplicates_removed: context.duplicates_removed,
            history: context.history.clone(),
            history_matches: context.history_matches.clone(),
            ..Self::new(context.window.clone(), &context.language, context.messages.clone())
        }
    }
}
