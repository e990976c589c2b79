//! `file_sink` as a program of its own.

use file_sink::FileSink;

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, directory) = (host.store()?, host.config().files.directory.clone());
        host.sink(move |cluster_id| FileSink::new(store.clone(), cluster_id, directory.clone()))
    })
}
