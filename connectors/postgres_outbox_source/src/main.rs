//! `postgres_outbox_source` as a program of its own.

use postgres_outbox_source::PostgresOutboxSource;

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let store = host.store()?;
        host.source(PostgresOutboxSource::new(store))
    })
}
