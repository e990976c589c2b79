//! `file_sink` as a program of its own.

use file_sink::FileSink;

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, directory) = (host.store()?, host.config().files.directory.clone());
        let kept = host.config().digest.versions_kept;
        host.sink(move |cluster_id| FileSink::new(store.clone(), cluster_id, directory.clone()).keeping(kept))
    })
}
