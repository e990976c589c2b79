//! `telegram_session_source` as a program of its own.

use telegram_session_source::TelegramSessionSource;

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, config) = (host.store()?, host.config().clone());
        host.source(TelegramSessionSource::new(&config, store)?)
    })
}
