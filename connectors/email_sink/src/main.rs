//! `email_sink` as a program of its own.

use email_sink::{EmailSink, Letters};

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, door) = (host.store()?, Letters::new(&host.config().email, host.store()?)?);
        let (kept, worker) = (host.config().digest.versions_kept, host.config().instance.clone());
        host.sink(move |cluster_id| {
            EmailSink::new(store.clone(), cluster_id, (door.clone(), &worker)).keeping(kept)
        })
    })
}
