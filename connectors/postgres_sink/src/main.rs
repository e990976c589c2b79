//! `postgres_sink` as a program of its own.

use postgres_sink::PostgresSink;

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, kept) = (host.store()?, host.config().digest.versions_kept);
        host.sink(move |cluster_id| PostgresSink::new(store.clone(), cluster_id).keeping(kept))
    })
}
