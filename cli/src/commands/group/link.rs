//! `gistmill group link`: which group a Telegram chat is.
//!
//! Invariant: a chat that is linked stays with its group until it is unlinked; nothing is taken over silently.

use std::{io::Write, time::Duration};

use anyhow::{Context, bail};
use aws_lc_rs::rand;
use commands::LinkCode;
use runtime::Host;
use state::{AuditChange, Store, TelegramChat};
use telegram_export_source::Group;

use super::Name;
use crate::{commands::audit, exit::Exit, printing::printable, settings::Settings};

/// Telegram's ids of people are positive, those of chats that have several members are not.
const WANTED: &str =
    "give the chat's id as bots see it: -100 before the number in its messages' links or in its export";

pub(super) fn link(
    name: &Name,
    chat_id: i64,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let group = Group::new(&name.tenant, &name.group)?;
    if chat_id >= 0 {
        bail!("could not link chat {chat_id}: {WANTED}");
    }
    let (tenant_id, group_id) = (group.tenant_id().to_owned(), group.group_id().to_owned());
    let wanted = TelegramChat { chat_id, tenant_id, group_id };
    let (is_new, found) = with_store(settings, async |store| {
        let is_new = store.link_telegram_chat(&wanted).await?;
        if is_new {
            put_on_record((store, settings), "group link", &wanted).await;
        }
        Ok((is_new, store.telegram_chats(&[chat_id]).await?))
    })?;
    let owner = owner(&wanted);
    match found.first() {
        _ if is_new => writeln!(out, "chat {chat_id} is read into {owner} from now on")?,
        Some(found) if *found == wanted => {
            writeln!(out, "chat {chat_id} is read into {owner} already: nothing was changed")?;
        }
        Some(found) => bail!(
            "could not link chat {chat_id} to {owner}: it is read into {}; `gistmill group unlink --chat {chat_id}` first",
            self::owner(found)
        ),
        None => bail!("could not link chat {chat_id}: it was unlinked meanwhile; try again"),
    }
    Ok(Exit::Done)
}

/// How long a code can be used.
const CODE_VALID_FOR: Duration = Duration::from_hours(1);

/// Makes a code that links a chat, and keeps its hash.
pub(super) fn make_code(name: &Name, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let group = Group::new(&name.tenant, &name.group)?;
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).ok().context("could not make a code: the system gives no random numbers")?;
    let code = LinkCode::of_random(bytes);
    let of = (group.tenant_id(), group.group_id());
    with_store(settings, async |store| {
        store.make_link_code(&code.hash(), of, CODE_VALID_FOR).await?;
        let change = AuditChange {
            tenant_id: of.0,
            actor: &settings.operator(),
            action: "group link code",
            subject: of.1,
            before: None,
            after: None,
        };
        audit::record(store, &change).await;
        Ok(())
    })?;
    writeln!(out, "/link {}", code.shown())?;
    let owner = printable(&format!("{}/{}", of.0, of.1));
    writeln!(
        out,
        "Write this in the chat within an hour: it is read into {owner} from then on. It works once."
    )?;
    Ok(Exit::Done)
}

pub(super) fn unlink(chat_id: i64, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let unlinked = with_store(settings, async |store| {
        let unlinked = store.unlink_telegram_chat(chat_id).await?;
        if let Some(chat) = &unlinked {
            put_on_record((store, settings), "group unlink", chat).await;
        }
        Ok(unlinked)
    })?;
    let Some(unlinked) = unlinked else {
        bail!(
            "could not unlink chat {chat_id}: it is not linked; `gistmill group links` lists those that are"
        )
    };
    writeln!(out, "chat {chat_id} is read into {} no more; what was read stays", owner(&unlinked))?;
    Ok(Exit::Done)
}

/// Lets Telegram bring the bot's updates no more.
pub(super) fn end_webhook(settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let telegram = settings.config()?.telegram;
    let ended = telegram_bot_source::end_webhook(&telegram);
    match ended.map_err(|why| anyhow::anyhow!("could not end the webhook: {why}"))? {
        Some(host) => writeln!(out, "the webhook at {host} is ended: updates are polled from now on")?,
        None => writeln!(out, "no webhook was set: updates are polled")?,
    }
    if telegram.webhook_url.is_some() {
        writeln!(
            out,
            "telegram.webhook_url is set: take it out, or telegram_bot_source sets it again when it starts"
        )?;
    }
    Ok(Exit::Done)
}

pub(super) fn list(json: bool, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let links = with_store(settings, async |store| Ok(store.all_telegram_chats().await?))?;
    if links.is_empty() && !json {
        writeln!(out, "no chat is linked; see `gistmill group link --help`")?;
    }
    for link in &links {
        if json {
            let TelegramChat { chat_id, tenant_id, group_id } = link;
            let value = serde_json::json!({ "chat": chat_id, "tenant_id": tenant_id, "group_id": group_id });
            writeln!(out, "{value}")?;
        } else {
            writeln!(out, "{:<16} {}", link.chat_id, owner(link))?;
        }
    }
    Ok(Exit::Done)
}

async fn put_on_record((store, settings): (&Store, &Settings), action: &str, chat: &TelegramChat) {
    let change = AuditChange {
        tenant_id: &chat.tenant_id,
        actor: &settings.operator(),
        action,
        subject: &format!("{}, chat {}", chat.group_id, chat.chat_id),
        before: None,
        after: None,
    };
    audit::record(store, &change).await;
}

fn owner(link: &TelegramChat) -> String {
    printable(&format!("{}/{}", link.tenant_id, link.group_id))
}

pub(super) fn with_store<T>(
    settings: &Settings,
    ask: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    host.block_on(async {
        store.ready().await.context("could not read which chats are linked")?;
        ask(&store).await
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_as_exports_have_it_is_refused_with_what_to_give() {
        let name = Name { tenant: "acme".to_owned(), group: "team".to_owned() };
        let error = link(&name, 1_234_567_890, &Settings::default(), &mut Vec::new()).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("could not link chat 1234567890: give the chat's id"), "{error}");
        assert!(error.contains("-100 before"), "{error}");
    }
}
