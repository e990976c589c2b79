//! `gistmill telegram session`: users' own sessions, and the chats that are read by them.
//!
//! Invariant: what is typed to log in is never an argument (but the phone number) and never shown; the key of a session goes from
//! Telegram into the sealed row and nowhere else.

mod groups;
mod screen;
mod session;

use std::io::Write;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use keys::Ring;
use runtime::{Config, Host};
use state::{ProviderKey, Store};
use telegram_session_source::{SessionKey, account_of, key_name};

use super::keys::ring;
use crate::{exit::Exit, settings::Settings};

/// Users' own sessions of Telegram: log in and out, choose the chats that are read by them
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill telegram session login --tenant acme
  gistmill telegram session groups ls --tenant acme --account 12345
  gistmill telegram session groups add --tenant acme --account 12345 --group team --chat -1001234567890";

#[derive(Debug, Subcommand)]
enum Command {
    /// Log in and out, list sessions, choose what is read by them
    #[command(subcommand, after_help = AFTER_HELP)]
    Session(SessionCommand),
}

#[derive(Debug, Subcommand)]
enum SessionCommand {
    /// Log an account in: by a code that is scanned with its phone, or by phone number and code
    #[command(after_help = "\
Examples:
  gistmill telegram session login --tenant acme
  gistmill telegram session login --tenant acme --phone +4915112345678 --purpose 'digests of our groups'

Needs GISTMILL_TELEGRAM_SESSION__API_ID and GISTMILL_TELEGRAM_SESSION__API_HASH, from https://my.telegram.org, and
GISTMILL_KEYS__MASTER, with which the session is sealed. A code holds for about 30 seconds and is renewed. An account that has a
password is asked for it. --purpose is what the account's owner agreed to; it is recorded with the time.")]
    Login {
        /// Tenant whose groups are read by it
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        tenant: String,
        /// Phone number, to be sent a code; without it a code is shown to be scanned
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        phone: Option<String>,
        /// What the account's owner agreed to
        #[arg(long, default_value = "reads the chats that are chosen", value_parser = NonEmptyStringValueParser::new())]
        purpose: String,
    },
    /// List sessions: whose, since when, how many chats are read by them, and why those that are over are
    #[command(after_help = "\
Examples:
  gistmill telegram session ls
  gistmill telegram session ls --tenant acme --json | jq -r .account")]
    Ls {
        /// Of this tenant only
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// End a session with Telegram, and remove its key; what was read stays
    #[command(after_help = "\
Examples:
  gistmill telegram session logout --tenant acme --account 12345
  gistmill telegram session logout --tenant acme --account 12345 --forget

--forget removes the key without asking Telegram; end the session in the app then: Settings, Devices.")]
    Logout {
        #[command(flatten)]
        account: Account,
        /// Remove the key without asking Telegram
        #[arg(long)]
        forget: bool,
    },
    /// List, choose and leave the groups and channels that are read by a session
    #[command(
        subcommand,
        after_help = "\
Examples:
  gistmill telegram session groups ls --tenant acme --account 12345
  gistmill telegram session groups rm --chat -1001234567890"
    )]
    Groups(GroupsCommand),
}

#[derive(Debug, Subcommand)]
enum GroupsCommand {
    /// List groups and channels of an account, and which of them are read
    #[command(after_help = "\
Examples:
  gistmill telegram session groups ls --tenant acme --account 12345
  gistmill telegram session groups ls --tenant acme --account 12345 --json | jq -r .title

Asks Telegram. Run it where telegram_session_source runs: Telegram ends a session that is used from two addresses at once.")]
    Ls {
        #[command(flatten)]
        account: Account,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Read a group or channel by a session from now on
    #[command(after_help = "\
Examples:
  gistmill telegram session groups add --tenant acme --account 12345 --group team --chat -1001234567890
  gistmill telegram session groups add --tenant acme --account 12345 --group team --chat -1001234567890 --history-days 90

A chat is read by one session or by a bot. One that a bot reads is read by the session from then on; the bot goes on to take
commands there. --history-days also reads what was before, as an import: its digests go to files. 0: all of it.
Run it where telegram_session_source runs: Telegram ends a session that is used from two addresses at once.")]
    Add {
        #[command(flatten)]
        account: Account,
        /// Group inside the tenant
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        group: String,
        /// Id of the chat, as `groups ls` shows it
        #[arg(long, allow_hyphen_values = true)]
        chat: i64,
        /// Read so many days before now as well; 0: everything
        #[arg(long)]
        history_days: Option<u32>,
    },
    /// Read a chat no more; what was read stays
    #[command(after_help = "\
Examples:
  gistmill telegram session groups rm --chat -1001234567890")]
    Rm {
        /// Id of the chat
        #[arg(long, allow_hyphen_values = true)]
        chat: i64,
    },
}

#[derive(Debug, Args)]
struct Account {
    /// Tenant
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: String,
    /// Number of the account, as `session ls` shows it
    #[arg(long)]
    account: i64,
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let Command::Session(command) = arguments.command;
    let config = settings.config()?;
    let host = Host::new(config.clone(), 1)?;
    let store = host.store()?;
    host.block_on(async {
        store.ready().await.context("could not read which sessions there are")?;
        let desk = Desk { config, store, settings };
        match command {
            SessionCommand::Login { tenant, phone, purpose } => {
                session::login(&desk, (&tenant, &purpose), phone.as_deref(), out).await
            }
            SessionCommand::Ls { tenant, json } => session::list(&desk, tenant.as_deref(), json, out).await,
            SessionCommand::Logout { account, forget } => session::logout(&desk, &account, forget, out).await,
            SessionCommand::Groups(GroupsCommand::Ls { account, json }) => {
                groups::list(&desk, &account, json, out).await
            }
            SessionCommand::Groups(GroupsCommand::Add { account, group, chat, history_days }) => {
                groups::add(&desk, &account, (&group, chat, history_days), out).await
            }
            SessionCommand::Groups(GroupsCommand::Rm { chat }) => groups::remove(&desk, chat, out).await,
        }
    })
}

/// What the commands work with.
struct Desk<'a> {
    config: Config,
    store: Store,
    settings: &'a Settings,
}

impl Desk<'_> {
    fn ring(&self) -> anyhow::Result<Ring> {
        ring(&self.config)
    }

    fn api_id(&self) -> anyhow::Result<i32> {
        self.config.telegram_session.api_id.context(
            "telegram_session.api_id is not set: make an application at https://my.telegram.org and give its api_id in \
             GISTMILL_TELEGRAM_SESSION__API_ID",
        )
    }

    /// The kept session of an account.
    async fn kept(&self, account: &Account) -> anyhow::Result<ProviderKey> {
        let keys = self.store.provider_keys(&account.tenant).await?;
        let found = keys.into_iter().find(|key| account_of(&key.name) == Some(account.account));
        let Some(found) = found.filter(|key| key.revoked_at.is_none()) else {
            bail!(
                "account {} of {} is not logged in; `gistmill telegram session ls` lists those that are",
                account.account,
                account.tenant
            );
        };
        Ok(found)
    }

    async fn key(&self, account: &Account) -> anyhow::Result<SessionKey> {
        let kept = self.kept(account).await?;
        let name = key_name(&account.tenant, account.account);
        SessionKey::open(&self.ring()?, &name, &kept.key).context("could not open the session")
    }
}
