//! `telegram_sink` as a program of its own.

use telegram_sink::{BotApi, TelegramSink};

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, api) = (host.store()?, BotApi::new(&host.config().telegram)?);
        let kept = host.config().digest.versions_kept;
        host.sink(move |cluster_id| TelegramSink::new(store.clone(), cluster_id, api.clone()).keeping(kept))
    })
}
