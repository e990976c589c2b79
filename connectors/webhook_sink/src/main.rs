//! `webhook_sink` as a program of its own.

use webhook_sink::{WebhookSink, Webhooks};

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, door) = (host.store()?, Webhooks::new(host.config(), host.store()?)?);
        let (kept, worker) = (host.config().digest.versions_kept, host.config().instance.clone());
        host.sink(move |cluster_id| {
            WebhookSink::new(store.clone(), cluster_id, (door.clone(), &worker)).keeping(kept)
        })
    })
}
