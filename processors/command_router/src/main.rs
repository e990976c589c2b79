//! `command_router` as a program of its own.

use command_router::CommandRouter;
use digest_trigger::{CanaryError, DigestTrigger, canary_tenants};
use runtime::HostError;

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (what, settings) = ("read DIGEST_AGENT_CANARY_TENANTS", &host.config().digest);
        let refused = |error: CanaryError| HostError::Start { what, why: error.to_string() };
        let canary_tenants = canary_tenants(&settings.agent_canary_tenants).map_err(refused)?;
        let agent_enabled = settings.agent_enabled;
        let trigger = DigestTrigger { agent_enabled, canary_tenants, ..DigestTrigger::default() };
        let threshold = settings.quality_threshold.unwrap_or(delivery_manager::THRESHOLD);
        host.fold(CommandRouter::new(trigger, threshold))
    })
}
