//! Chats of an account, and which of them are read. Invariant: a chat is read in one way.

use std::io::Write;

use anyhow::{Context, bail};
use serde_json::json;
use state::{ChatTaken, SessionChat, TelegramChat};
use telegram_export_source::Group;
use telegram_session_source::{TelegramLogin, login::Dialog};

use super::{Account, Desk, session::put_on_record};
use crate::{exit::Exit, printing::printable};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

async fn connected(desk: &Desk<'_>, account: &Account) -> anyhow::Result<TelegramLogin> {
    Ok(TelegramLogin::of(desk.api_id()?, &desk.key(account).await?))
}

async fn dialogs(peer: &TelegramLogin) -> anyhow::Result<Vec<Dialog>> {
    peer.dialogs().await.context("could not list the account's chats")
}

pub(super) async fn list(
    desk: &Desk<'_>,
    account: &Account,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let read = desk.store.session_chats().await?;
    let peer = connected(desk, account).await?;
    for dialog in dialogs(&peer).await? {
        let group = read.iter().find(|chat| chat.chat.chat_id == dialog.chat);
        let group = group.map(|read| format!("{}/{}", read.chat.tenant_id, read.chat.group_id));
        if json {
            let line = json!({
                "chat": dialog.chat, "title": dialog.title, "kind": dialog.kind, "read_into": group,
            });
            writeln!(out, "{line}")?;
        } else {
            let group = group.map_or_else(String::new, |group| format!("  read into {}", printable(&group)));
            writeln!(out, "{:<16} {:<10} {}{group}", dialog.chat, dialog.kind, printable(&dialog.title))?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn add(
    desk: &Desk<'_>,
    account: &Account,
    (group, chat, history_days): (&str, i64, Option<u32>),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let group = Group::new(&account.tenant, group)?;
    let peer = connected(desk, account).await?;
    let found = dialogs(&peer).await?.into_iter().find(|dialog| dialog.chat == chat);
    let Some(found) = found else {
        bail!(
            "chat {chat} is not among the account's 100 newest chats: see `gistmill telegram session groups ls`, or write in it first"
        );
    };
    if !found.is_channel() && !desk.store.telegram_chats(&[chat]).await?.is_empty() {
        bail!(
            "could not read chat {chat} by a session: it is a basic group that is linked already, and each account counts its \
             messages for itself; `gistmill group unlink --chat {chat}` first, and read it into another group"
        );
    }
    let standing = peer.standing(&found).await.context("could not look where the chat stands")?;
    let wanted = SessionChat {
        chat: TelegramChat {
            chat_id: chat,
            tenant_id: group.tenant_id().to_owned(),
            group_id: group.group_id().to_owned(),
        },
        user_id: account.account,
        access_hash: standing.hash,
        title: standing.title.clone(),
        begin_pts: standing.pts,
        begin_message: standing.newest,
        history_from: history_days.map(from),
        taken_at: 0,
    };
    let into = printable(&format!("{}/{}", group.tenant_id(), group.group_id()));
    match desk.store.take_chat(&wanted, None).await? {
        ChatTaken::Read { from_bot } => {
            put_on_record(desk, &account.tenant, "telegram session groups add", account.account).await;
            writeln!(
                out,
                "chat {chat} ({}) is read into {into} by account {}",
                printable(&found.title),
                account.account
            )?;
            if from_bot {
                writeln!(
                    out,
                    "a bot has read it until now: its messages come by the session, commands by the bot"
                )?;
            }
        }
        ChatTaken::ReadBy(user) => {
            bail!("could not read chat {chat} by account {}: account {user} reads it", account.account)
        }
        ChatTaken::OfAnotherGroup(other) => bail!(
            "could not read chat {chat} into {into}: it is read into {}; `gistmill group unlink --chat {chat}` first",
            printable(&format!("{}/{}", other.tenant_id, other.group_id))
        ),
        ChatTaken::GroupHasChat(other) => bail!(
            "could not read chat {chat} into {into}: chat {other} is read into it, and both have messages of the same ids; give \
             it a group of its own"
        ),
    }
    Ok(Exit::Done)
}

/// When so many days ago were, in ms; 0 for all.
fn from(days: u32) -> i64 {
    if days == 0 { 0 } else { (jiff::Timestamp::now().as_millisecond() - i64::from(days) * DAY_MS).max(1) }
}

pub(super) async fn remove(desk: &Desk<'_>, chat: i64, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let read = desk.store.session_chats().await?;
    let Some(found) = read.into_iter().find(|read| read.chat.chat_id == chat) else {
        bail!("chat {chat} is read by no session; `gistmill telegram session ls` tells how many are");
    };
    desk.store.unlink_telegram_chat(chat).await?;
    put_on_record(desk, &found.chat.tenant_id, "telegram session groups rm", found.user_id).await;
    writeln!(out, "chat {chat} is read no more; what was read stays")?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_days_are_all_of_it() {
        assert_eq!(from(0), 0);
        assert!(from(1) > from(2) && from(u32::MAX) == 1);
    }
}
