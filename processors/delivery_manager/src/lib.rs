//! `delivery_manager`: lets a digest out when its group may have it and it is good enough; says why otherwise.
//!
//! Invariant: every input that carries a digest yields exactly one of `ready` and `blocked`, after the two records
//! that every stage emits.

use processor::{
    COMPLETED, Event, Outcome, Port, PortSpec, Processor, Reject, STARTED, StageIdentity, StageReport,
    check_boundary_integrity,
};
use schemas::{
    Digest, DigestBlocked, DigestReadyForDelivery, DigestStageCompleted, DigestState, StageRun, digest_id,
};
use serde::Deserialize;

/// Port for digests that passed.
pub const READY: Port<DigestReadyForDelivery> = Port::new("ready");
/// Port for digests that did not.
pub const BLOCKED: Port<DigestBlocked> = Port::new("blocked");

const IDENTITY: StageIdentity =
    StageIdentity { name: "delivery_manager", code_version: "3", schema_version: 1 };

/// The gate's own threshold of the quality score: above .4, the most that a digest with a dangling citation or an invented
/// number can score, were all else perfect; honest digests are not held back but where they tell next to nothing of their
/// window, or claim what nobody settled. `gistmill eval quality` says how many days of a large chat that is.
pub const THRESHOLD: f64 = 0.41;

/// The gates before delivery.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryManager {
    /// Scope that a group's settings must grant (`DIGEST_DELIVERY_SCOPE`).
    pub digest_delivery_scope: String,
    /// Lowest quality score delivered, in [0, 1] (`DIGEST_QUALITY_THRESHOLD`).
    pub digest_quality_threshold: f64,
}

impl Default for DeliveryManager {
    /// `DIGEST_READ`, which every group has until it is taken away, and [`THRESHOLD`].
    fn default() -> Self {
        Self { digest_delivery_scope: "DIGEST_READ".to_owned(), digest_quality_threshold: THRESHOLD }
    }
}

/// Why a digest is held back.
struct Refusal {
    reason: &'static str,
    missing_scopes: Vec<String>,
    weaknesses: Vec<String>,
}

impl DeliveryManager {
    fn refusal(&self, state: &DigestState, digest: &Digest) -> Option<Refusal> {
        if !state.window.settings.scopes.contains(&self.digest_delivery_scope) {
            let missing_scopes = vec![self.digest_delivery_scope.clone()];
            return Some(Refusal { reason: "missing_scope", missing_scopes, weaknesses: Vec::new() });
        }
        let good = digest.quality.score >= self.digest_quality_threshold;
        let weaknesses = digest.weaknesses.clone();
        (!good).then(|| Refusal { reason: "low_quality", missing_scopes: Vec::new(), weaknesses })
    }
}

impl Processor for DeliveryManager {
    const NAME: &'static str = IDENTITY.name;
    type In = DigestStageCompleted;

    fn ports(&self) -> Vec<PortSpec> {
        vec![STARTED.spec(), COMPLETED.spec(), READY.spec(), BLOCKED.spec()]
    }

    fn process(&self, event: &Event<DigestStageCompleted>) -> Result<Outcome, Reject> {
        let input = &event.value;
        check_boundary_integrity(input, &input.state)?;
        let Some(digest) = &input.state.digest else {
            return Err(Reject::new("digest_missing", format!("stage {} left no digest", input.stage)));
        };
        if StageRun::totals(&input.state.runs).is_none() {
            let detail = "the tokens or costs of the runs add up to no number";
            return Err(Reject::new("bad_totals", detail.to_owned()));
        }
        let refusal = self.refusal(&input.state, digest);
        let report = StageReport::ok()
            .metric("quality_score", digest.quality.score)
            .metric("delivered", if refusal.is_none() { 1.0 } else { 0.0 });
        let records = IDENTITY.records(input, input.state.clone(), report);
        let decision = match refusal {
            Some(refusal) => BLOCKED.emit(blocked(input, digest, refusal)),
            None => READY.emit(ready(&records.completed, digest)),
        };
        let mut emissions = records.emit();
        emissions.push(decision);
        Ok(Outcome::Emit(emissions))
    }
}

fn ready(completed: &DigestStageCompleted, digest: &Digest) -> DigestReadyForDelivery {
    DigestReadyForDelivery {
        tenant_id: completed.tenant_id.clone(),
        group_id: completed.group_id.clone(),
        digest_id: digest_id(&completed.window_id, &completed.version),
        window_id: completed.window_id.clone(),
        version: completed.version.clone(),
        trace_id: completed.trace_id.clone(),
        window: completed.state.window.clone(),
        quality_score: digest.quality.score,
        delivery_payload: digest.clone(),
        channels: channels(&completed.state.delivery_channel),
        runs: completed.state.runs.clone(),
    }
}

fn blocked(input: &DigestStageCompleted, digest: &Digest, refusal: Refusal) -> DigestBlocked {
    DigestBlocked {
        tenant_id: input.tenant_id.clone(),
        group_id: input.group_id.clone(),
        window_id: input.window_id.clone(),
        version: input.version.clone(),
        trace_id: input.trace_id.clone(),
        reason: refusal.reason.to_owned(),
        // No number is no score.
        quality_score: Some(digest.quality.score).filter(|score| score.is_finite()),
        missing_scopes: refusal.missing_scopes,
        window: input.state.window.clone(),
        weaknesses: refusal.weaknesses,
    }
}

/// Channels in order of preference, without blanks and repetitions.
fn channels(list: &str) -> Vec<String> {
    let mut channels: Vec<String> = Vec::new();
    for channel in list.split(',').map(str::trim).filter(|channel| !channel.is_empty()) {
        if !channels.iter().any(|known| known == channel) {
            channels.push(channel.to_owned());
        }
    }
    channels
}
