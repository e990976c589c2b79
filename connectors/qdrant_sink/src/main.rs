//! `qdrant_sink` as a program of its own.

use qdrant_sink::{Embedder, QdrantSink, index};

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, index) = (host.store()?, index(host.config())?);
        let embedder = Embedder::of(host.config(), store.clone())?;
        host.sink(move |cluster| QdrantSink::new(store.clone(), cluster, (index.clone(), embedder.clone())))
    })
}
