//! `telegram_bot_source` as a program of its own.

use telegram_bot_source::{Bot, TelegramBotSource};

fn main() -> std::process::ExitCode {
    runtime::run(|host| {
        let (store, bot) = (host.store()?, Bot::new(&host.config().telegram)?);
        host.source(TelegramBotSource::new(bot, store))
    })
}
