//! `qdrant_sink` as a program of its own.

use qdrant_sink::{QdrantSink, index};

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, index) = (host.store()?, index(host.config())?);
        host.sink(move |cluster_id| QdrantSink::new(store.clone(), cluster_id, index.clone()))
    })
}
