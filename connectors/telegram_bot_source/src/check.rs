//! What `gistmill doctor` says of how a bot's updates come.

use crate::client::{Bot, CallError, WebhookInfo};
use runtime::{
    config::Telegram,
    observe::{Check, Level},
};

const NAME: &str = "bot's updates";

/// Asks Telegram where the bot's updates go, and compares that with the settings; nothing where no token is set.
#[must_use]
pub fn check(settings: &Telegram) -> Option<Check> {
    settings.token.as_ref()?;
    let bot = match Bot::new(settings) {
        Ok(bot) => bot,
        Err(error) => return Some(told(Level::Fail, error.to_string(), "correct it under [telegram]")),
    };
    Some(match wait_for(bot.webhook_info()) {
        Ok(info) => compared(settings.webhook_url.as_deref(), &info),
        Err(error @ CallError::BadToken(_)) => told(Level::Fail, error.to_string(), "correct telegram.token"),
        Err(error) => {
            told(Level::Warn, error.to_string(), "look whether telegram.api can be reached from here")
        }
    })
}

/// Ends a webhook, so that updates are polled; the address that it was at, without its path, or none where there was none.
///
/// # Errors
/// Why it could not be ended.
pub fn end_webhook(settings: &Telegram) -> Result<Option<String>, String> {
    let bot = Bot::new(settings).map_err(|error| error.to_string())?;
    let ended = wait_for(async {
        let info = bot.webhook_info().await?;
        bot.delete_webhook().await?;
        Ok(info.url)
    });
    let url = ended.map_err(|error| error.to_string())?;
    Ok(Some(host(&url).to_owned()).filter(|host| !host.is_empty()))
}

fn wait_for<T>(call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    let tasks = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tasks.map_err(|error| CallError::Away(error.to_string()))?.block_on(call)
}

fn compared(wanted: Option<&str>, info: &WebhookInfo) -> Check {
    let host = host(&info.url);
    match wanted {
        None if info.url.is_empty() => fine("they are polled".to_owned()),
        None => told(
            Level::Fail,
            format!("a webhook at {host} gets them, and each poll is answered 409"),
            "set telegram.webhook_url and telegram.webhook_secret, or end it: gistmill group webhook --delete",
        ),
        Some(wanted) if wanted != info.url => told(
            Level::Warn,
            if info.url.is_empty() {
                "no webhook is set".to_owned()
            } else {
                format!("another webhook at {host} gets them")
            },
            "start telegram_bot_source, which sets the one of telegram.webhook_url",
        ),
        Some(_) if !info.last_error_message.is_empty() => told(
            Level::Warn,
            format!(
                "the webhook at {host} failed last with {:?}, and {} wait",
                info.last_error_message, info.pending_update_count
            ),
            "look whether telegram_bot_source runs, and whether the proxy passes on to telegram.webhook_listen",
        ),
        Some(_) => fine(format!("the webhook at {host} gets them; {} wait", info.pending_update_count)),
    }
}

/// An address without its path, which may be a secret.
fn host(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url[after..].find('/').map_or(url.len(), |at| after + at);
    &url[..end]
}

fn fine(finding: String) -> Check {
    Check { name: NAME, level: Level::Ok, finding, advice: None, is_away: false }
}

fn told(level: Level, finding: String, advice: &str) -> Check {
    Check { name: NAME, level, finding, advice: Some(advice.to_owned()), is_away: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::tests::bot_api::{BotApi, TOKEN};

    fn said(wanted: Option<&str>, url: &str, error: &str) -> (Level, String) {
        let (url, last_error_message) = (url.to_owned(), error.to_owned());
        let found = compared(wanted, &WebhookInfo { url, pending_update_count: 3, last_error_message });
        (found.level, found.finding)
    }

    #[test]
    fn both_ways_are_told_apart_and_a_secret_path_is_not_told() {
        let (ours, other) = ("https://chat.example/secret", "https://other.example/secret");
        let table = [
            (None, "", "", Level::Ok, "they are polled"),
            (
                None,
                other,
                "",
                Level::Fail,
                "a webhook at https://other.example gets them, and each poll is answered 409",
            ),
            (Some(ours), "", "", Level::Warn, "no webhook is set"),
            (Some(ours), other, "", Level::Warn, "another webhook at https://other.example gets them"),
            (Some(ours), ours, "", Level::Ok, "the webhook at https://chat.example gets them; 3 wait"),
            (
                Some(ours),
                ours,
                "Connection refused",
                Level::Warn,
                "the webhook at https://chat.example failed last with \"Connection refused\", and 3 wait",
            ),
        ];
        for (wanted, url, error, level, finding) in table {
            assert_eq!(said(wanted, url, error), (level, finding.to_owned()));
        }
    }

    #[test]
    fn a_webhook_is_ended_and_what_waits_is_polled() {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let server = BotApi::start().expect("a server");
        let settings = Telegram { token: Some(TOKEN.into()), api: server.url(), ..Telegram::default() };
        assert_eq!(end_webhook(&settings), Ok(None));
        let bot = Bot::new(&settings).expect("a bot");
        let webhook = crate::webhook::Settings {
            url: "https://other.example/secret".to_owned(),
            secret: "s".into(),
            listen: ([127, 0, 0, 1], 0).into(),
        };
        wait_for(bot.set_webhook(&webhook)).expect("set");
        assert_eq!(end_webhook(&settings), Ok(Some("https://other.example".to_owned())));
        assert_eq!(wait_for(bot.webhook_info()).expect("told").url, "");
        let call = server.calls_of("deleteWebhook").pop().expect("a call");
        assert_eq!(call.body["drop_pending_updates"], false);
        server.revoke(true);
        assert!(end_webhook(&settings).is_err_and(|why| why.contains("token in telegram.token is refused")));
    }

    #[test]
    fn without_a_token_there_is_nothing_to_say() {
        assert!(check(&Telegram::default()).is_none());
    }
}
