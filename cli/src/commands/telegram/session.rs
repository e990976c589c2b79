//! Sessions: logged in, listed, ended.

use std::{collections::BTreeMap, io::Write};

use anyhow::{Context, bail};
use serde_json::json;
use state::{AuditChange, ProviderKey, SealedKey};
use telegram_session_source::{
    End, Refusal, SessionKey, TelegramLogin, account_of, key_name,
    login::{by_code, by_phone},
};

use super::{Account, Desk, screen::Screen};
use crate::{
    commands::audit,
    exit::Exit,
    printing::{printable, when},
};

pub(super) async fn login(
    desk: &Desk<'_>,
    (tenant, purpose): (&str, &str),
    phone: Option<&str>,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let (ring, api_id) = (desk.ring()?, desk.api_id()?);
    let hash = desk.config.telegram_session.api_hash.clone();
    let hash =
        hash.context("telegram_session.api_hash is not set: give it in GISTMILL_TELEGRAM_SESSION__API_HASH")?;
    let (mut peer, mut screen) = (TelegramLogin::new(api_id, hash), Screen::new());
    let done = match phone {
        Some(phone) => by_phone(&mut peer, &mut screen, phone).await,
        None => by_code(&mut peer, &mut screen).await,
    };
    let account = done.context("could not log in")?;
    if let Some(owner) = owner_of(desk, account.user).await?.filter(|owner| owner != tenant) {
        peer.log_out().await.context("could not end the session that was not wanted")?;
        bail!("account {} is logged in for {owner}: log it out there first", account.user);
    }
    let name = key_name(tenant, account.user);
    let before = desk.store.provider_keys(tenant).await?.into_iter().find(|key| key.name == name);
    let sealed: SealedKey = peer.key()?.seal(&ring, &name)?;
    desk.store.put_provider_key(&name, &sealed, purpose).await?;
    put_on_record(desk, tenant, "telegram session login", account.user).await;
    writeln!(out, "account {} ({}) is logged in for {tenant}", account.user, printable(&account.name))?;
    writeln!(
        out,
        "choose what is read by it: gistmill telegram session groups ls --tenant {tenant} --account {}",
        account.user
    )?;
    // The one before it is used no more.
    if let Some(before) = before.filter(|key| key.revoked_at.is_none())
        && let Ok(key) = SessionKey::open(&ring, &name, &before.key)
        && let Err(refusal) = TelegramLogin::of(api_id, &key).log_out().await
    {
        writeln!(
            out,
            "the session before it could not be ended ({refusal}): end it in the app: Settings, Devices"
        )?;
    }
    Ok(Exit::Done)
}

/// The tenant that an account is logged in for.
async fn owner_of(desk: &Desk<'_>, user: i64) -> anyhow::Result<Option<String>> {
    for tenant in desk.store.tenants().await? {
        let keys = desk.store.provider_keys(&tenant).await?;
        if keys.iter().any(|key| account_of(&key.name) == Some(user) && key.revoked_at.is_none()) {
            return Ok(Some(tenant));
        }
    }
    Ok(None)
}

pub(super) async fn list(
    desk: &Desk<'_>,
    tenant: Option<&str>,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let tenants = match tenant {
        Some(tenant) => vec![tenant.to_owned()],
        None => desk.store.tenants().await?,
    };
    let mut chats: BTreeMap<(String, i64), usize> = BTreeMap::new();
    for chat in desk.store.session_chats().await? {
        *chats.entry((chat.chat.tenant_id, chat.user_id)).or_default() += 1;
    }
    let mut count = 0;
    for tenant in tenants {
        let ended = desk.store.ended_sessions(&tenant).await?;
        for key in desk.store.provider_keys(&tenant).await? {
            let Some(user) = account_of(&key.name) else { continue };
            let chats = chats.get(&(tenant.clone(), user)).copied().unwrap_or(0);
            let why = ended.get(&key.name.owner).map(String::as_str);
            count += 1;
            print((&tenant, user, chats), (&key, why), json, out)?;
        }
    }
    if count == 0 && !json {
        writeln!(out, "nobody is logged in; see `gistmill telegram session login --help`")?;
    }
    Ok(Exit::Done)
}

fn print(
    (tenant, user, chats): (&str, i64, usize),
    (key, why): (&ProviderKey, Option<&str>),
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    if json {
        let line = json!({
            "tenant_id": tenant, "account": user, "chats": chats, "logged_in_at": key.consented_at,
            "over_at": key.revoked_at, "why": why, "purpose": key.purpose, "master_key": key.key.master_id,
        });
        writeln!(out, "{line}")?;
        return Ok(());
    }
    let state = match (key.revoked_at, why) {
        (None, _) => format!("{chats} chats"),
        (Some(at), None) => format!("logged out {}", when(at)),
        (Some(at), Some(why)) => format!("over {}: {}", when(at), advice(why)),
    };
    writeln!(out, "{:<24} {user:<14} {}  {state}", printable(tenant), when(key.consented_at))?;
    Ok(())
}

/// What a kept reason means.
fn advice(why: &str) -> &str {
    let ends = [End::LoggedOut, End::Banned, End::UsedTwice];
    let end = ends.into_iter().find(|end| end.name() == why);
    if let Some(end) = end { end.advice() } else { why }
}

pub(super) async fn logout(
    desk: &Desk<'_>,
    account: &Account,
    forget: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    if !forget {
        let key = desk.key(account).await?;
        match TelegramLogin::of(desk.api_id()?, &key).log_out().await {
            Ok(()) | Err(Refusal::Ended(_)) => {}
            Err(refusal) => {
                bail!(
                    "could not end the session with Telegram: {refusal}; --forget removes its key all the same"
                )
            }
        }
    }
    let name = key_name(&account.tenant, account.account);
    if !desk.store.revoke_provider_key(&name).await? {
        bail!(
            "account {} of {} is not logged in; `gistmill telegram session ls` lists those that are",
            account.account,
            account.tenant
        );
    }
    put_on_record(desk, &account.tenant, "telegram session logout", account.account).await;
    writeln!(out, "account {} is logged out, and its key is removed", account.account)?;
    if forget {
        writeln!(out, "Telegram was not asked: end the session in the app as well: Settings, Devices")?;
    }
    Ok(Exit::Done)
}

pub(super) async fn put_on_record(desk: &Desk<'_>, tenant_id: &str, action: &str, account: i64) {
    let change = AuditChange {
        tenant_id,
        actor: &desk.settings.operator(),
        action,
        subject: &format!("account {}", audit::person(tenant_id, &format!("user{account}"))),
        before: None,
        after: None,
    };
    audit::record(&desk.store, &change).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_session_is_over_is_said_with_what_to_do() {
        assert!(advice("used_twice").contains("two machines"));
        assert!(advice("banned").contains("recover@telegram.org"));
        assert!(advice("logged_out").contains("log in again"));
        assert_eq!(advice("of tomorrow"), "of tomorrow");
    }
}
