//! `delivery_manager` as a program of its own.

use delivery_manager::DeliveryManager;

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let settings = &host.config().digest;
        let mut gates = DeliveryManager::default();
        gates.digest_delivery_scope.clone_from(&settings.delivery_scope);
        gates.digest_quality_threshold = settings.quality_threshold.unwrap_or(gates.digest_quality_threshold);
        host.processor(gates)
    })
}
