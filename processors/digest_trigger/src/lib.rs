//! Asks for a digest of each window that is ready, or says why there will be none.
//!
//! Invariant: every window revision leads to exactly one of `requested` and `blocked`.

mod canary;

pub use canary::{CanaryError, canary_tenants};

use processor::{Event, Outcome, Port, PortSpec, Processor, Reject};
use schemas::{
    DigestBlocked, DigestGenerateRequested, GroupWindowReady, Version, WindowRef, is_delivered_lane, trace_id,
};
use serde::Deserialize;
use std::collections::BTreeSet;

const REQUESTED: Port<DigestGenerateRequested> = Port::new("requested");
const BLOCKED: Port<DigestBlocked> = Port::new("blocked");
/// Who asks for attempt 0.
const REQUESTED_BY: &str = "schedule";
/// The channel of windows that came with an import: old news is not sent to people.
const CHANNEL_OF_IMPORTS: &str = "file";

/// The processor, and who may have digests.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DigestTrigger {
    /// Digests for every tenant (`DIGEST_AGENT_ENABLED`). Default yes.
    pub agent_enabled: bool,
    /// Tenants that have digests even so (`DIGEST_AGENT_CANARY_TENANTS`, see [`canary_tenants`]). Default none.
    pub canary_tenants: BTreeSet<String>,
    /// Fewest messages that are worth a digest. Default 5: less is read faster than summed up.
    pub messages_min: i32,
}

impl Default for DigestTrigger {
    fn default() -> Self {
        Self { agent_enabled: true, canary_tenants: BTreeSet::new(), messages_min: 5 }
    }
}

impl Processor for DigestTrigger {
    const NAME: &'static str = "digest_trigger";
    type In = GroupWindowReady;

    fn ports(&self) -> Vec<PortSpec> {
        vec![REQUESTED.spec(), BLOCKED.spec()]
    }

    fn process(&self, event: &Event<GroupWindowReady>) -> Result<Outcome, Reject> {
        let ready = &event.value;
        let emission = match self.blocked_by(ready) {
            Some(reason) => BLOCKED.emit(blocked(ready, reason)),
            None => REQUESTED.emit(requested(ready)),
        };
        Ok(Outcome::Emit(vec![emission]))
    }
}

impl DigestTrigger {
    /// True for a tenant that may have digests.
    pub fn is_enabled_for(&self, tenant_id: &str) -> bool {
        self.agent_enabled || self.canary_tenants.contains(tenant_id)
    }

    fn blocked_by(&self, ready: &GroupWindowReady) -> Option<&'static str> {
        if !self.is_enabled_for(&ready.tenant_id) {
            return Some("feature_flag");
        }
        (ready.message_count < self.messages_min).then_some("too_small")
    }
}

/// Version of the scheduled digest of a window revision, and its trace.
fn version_and_trace(ready: &GroupWindowReady) -> (String, String) {
    let version = Version { revision: ready.revision, attempt: 0 }.to_string();
    let trace = trace_id(&format!("{}/{version}", ready.window_id));
    (version, trace)
}

fn requested(ready: &GroupWindowReady) -> DigestGenerateRequested {
    let (version, trace_id) = version_and_trace(ready);
    DigestGenerateRequested {
        tenant_id: ready.tenant_id.clone(),
        group_id: ready.group_id.clone(),
        window_id: ready.window_id.clone(),
        version,
        trace_id,
        delivery_channel: if is_delivered_lane(&ready.lane) {
            ready.settings.channels.join(",")
        } else {
            CHANNEL_OF_IMPORTS.to_owned()
        },
        requested_by: REQUESTED_BY.to_owned(),
        window: WindowRef::from(ready),
    }
}

fn blocked(ready: &GroupWindowReady, reason: &str) -> DigestBlocked {
    let (version, trace_id) = version_and_trace(ready);
    DigestBlocked {
        tenant_id: ready.tenant_id.clone(),
        group_id: ready.group_id.clone(),
        window_id: ready.window_id.clone(),
        version,
        trace_id,
        reason: reason.to_owned(),
        quality_score: None,
        missing_scopes: Vec::new(),
        window: WindowRef::from(ready),
        weaknesses: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use processor::SourcePosition;
    use proptest::prelude::*;
    use schemas::GroupSettings;

    fn ready(lane: &str, message_count: i32) -> GroupWindowReady {
        let channels = vec!["telegram".to_owned(), "file".to_owned()];
        GroupWindowReady {
            tenant_id: "acme".to_owned(),
            group_id: "qa".to_owned(),
            window_id: "window".to_owned(),
            size_hours: 24,
            window_start: 0,
            window_end: 86_400_000,
            revision: 3,
            lane: lane.to_owned(),
            message_count,
            participant_count: 2,
            scopes: Vec::new(),
            settings: GroupSettings { channels, ..GroupSettings::default() },
            source_partition: 1,
            source_offset: 9,
        }
    }

    fn emission(trigger: &DigestTrigger, value: GroupWindowReady) -> processor::Emission {
        let source = SourcePosition { topic: "ready".into(), partition: 0, offset: 0, append_time_ms: 0 };
        match trigger.process(&Event { value, source }) {
            Ok(Outcome::Emit(mut emissions)) if emissions.len() == 1 => emissions.remove(0),
            other => panic!("not one emission: {other:?}"),
        }
    }

    /// The reason of a block, or the channels of a request.
    fn check(trigger: &DigestTrigger, value: GroupWindowReady) -> String {
        let emission = emission(trigger, value);
        match (emission.port, emission.downcast(), emission.downcast()) {
            ("requested", Some(DigestGenerateRequested { delivery_channel, .. }), None) => {
                delivery_channel.clone()
            }
            ("blocked", None, Some(DigestBlocked { reason, .. })) => reason.clone(),
            _ => panic!("wrong record on port {}", emission.port),
        }
    }

    fn only_for(tenant: &str) -> DigestTrigger {
        let canary_tenants = BTreeSet::from([tenant.to_owned()]);
        DigestTrigger { agent_enabled: false, canary_tenants, ..DigestTrigger::default() }
    }

    #[test]
    fn window_is_requested_or_blocked() {
        let every = DigestTrigger::default();
        assert_eq!(check(&every, ready("live", 5)), "telegram,file");
        assert_eq!(check(&every, ready("import-1", 5)), "file");
        assert_eq!(check(&every, ready(&schemas::delivered_lane("import-1"), 5)), "telegram,file");
        assert_eq!(check(&every, ready("live", 4)), "too_small");
        assert_eq!(check(&only_for("acme"), ready("live", 5)), "telegram,file");
        assert_eq!(check(&only_for("other"), ready("live", 5)), "feature_flag");
        assert_eq!(check(&only_for("other"), ready("live", 0)), "feature_flag");
    }

    #[test]
    fn request_names_version_trace_and_window() {
        let value = ready("live", 7);
        let emission = emission(&DigestTrigger::default(), value.clone());
        let requested: &DigestGenerateRequested = emission.downcast().expect("request");
        assert_eq!(requested.version, "3.0");
        assert_eq!(requested.trace_id, trace_id("window/3.0"));
        assert_eq!(requested.requested_by, "schedule");
        assert_eq!(requested.window, WindowRef::from(&value));
    }

    proptest! {
        #[test]
        fn any_window_leads_to_one_of_both(count: i32, revision: i32, lane: String, enabled: bool) {
            let trigger = DigestTrigger { agent_enabled: enabled, ..DigestTrigger::default() };
            let emission = emission(&trigger, GroupWindowReady { revision, ..ready(&lane, count) });
            let wanted = enabled && count >= 5;
            prop_assert_eq!(emission.port, if wanted { "requested" } else { "blocked" });
        }
    }
}
