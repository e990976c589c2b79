//! `gistmill gateway`: the HTTP door, and the keys of tenants that open it.
//!
//! Invariant: a key is told once, when it is made; nothing can tell it again.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use gateway::{Key, Minted, Role, Scope};
use runtime::Host;
use serde_json::json;
use state::{ApiKey, NewApiKey, Store};
use telegram_export_source::Group;

use crate::{
    exit::Exit,
    printing::{printable, when},
    settings::Settings,
};

/// Serve tenants over HTTP, and make their keys
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill gateway init --tenant acme              makes the first key, and prints it
  gistmill gateway run                             serves on 127.0.0.1:8080
  curl -H 'Authorization: Bearer gm_...' http://127.0.0.1:8080/api/v1/digests
  gistmill gateway key create --tenant acme --role viewer --name dashboard --days 90
  gistmill gateway key revoke --tenant acme 3f9c0d1e22aa4b5c

The address, limits and origins of pages are settings: GISTMILL_GATEWAY__LISTEN, __RATE_PER_MINUTE, __BODY_BYTES_MAX,
__CONNECTIONS_MAX, __REQUEST_TIMEOUT_S, __DRAIN_S, __LISTENERS_MAX, __CORS_ORIGINS. TLS is a proxy's before it.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until it is interrupted
    #[command(after_help = "\
Examples:
  gistmill gateway run
  GISTMILL_GATEWAY__LISTEN=127.0.0.1:8090 gistmill gateway run")]
    Run,
    /// Print the OpenAPI document of what is served
    #[command(after_help = "\
Examples:
  gistmill gateway openapi | jq '.paths | keys'
  gistmill gateway openapi --write docs/openapi.json")]
    Openapi {
        /// Write it to this file instead of printing it
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
    },
    /// Make the first key of a tenant, an owner's, and print it
    #[command(after_help = "\
Examples:
  gistmill gateway init --tenant acme
  gistmill gateway init --tenant acme --json | jq -r .key

A tenant that has a key which holds is refused: `gistmill gateway key create` makes more.")]
    Init {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make, list and revoke keys
    #[command(after_help = "\
Examples:
  gistmill gateway key create --tenant acme --role member --name bridge
  gistmill gateway key ls --tenant acme
  gistmill gateway key revoke --tenant acme 3f9c0d1e22aa4b5c")]
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key, and print it
    #[command(after_help = "\
Examples:
  gistmill gateway key create --tenant acme --role viewer --name dashboard --days 90
  gistmill gateway key create --tenant acme --scopes MESSAGES_WRITE --name bridge

Roles: viewer reads; member sends messages too; admin asks for digests and changes settings too; owner sees dead letters and lag
too. Scopes: DIGEST_READ, DIGEST_ADMIN, MESSAGES_WRITE, OPERATOR.")]
    Create {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// What people call it
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// owner, admin, member or viewer
        #[arg(long, required_unless_present = "scopes")]
        role: Option<Role>,
        /// Scopes, instead of a role
        #[arg(long, value_delimiter = ',', conflicts_with = "role")]
        scopes: Vec<Scope>,
        /// Days until it ends; without, it holds until it is revoked
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3_650))]
        days: Option<u32>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List a tenant's keys, revoked ones too: never the keys themselves
    #[command(after_help = "\
Examples:
  gistmill gateway key ls --tenant acme
  gistmill gateway key ls --tenant acme --json | jq -r 'select(.revoked_at == null) | .prefix'")]
    Ls {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Let a key open nothing more, from the next request on
    #[command(after_help = "\
Examples:
  gistmill gateway key revoke --tenant acme 3f9c0d1e22aa4b5c")]
    Revoke {
        /// Tenant
        #[arg(long)]
        tenant: String,
        /// Its prefix, as `ls` prints it
        prefix: String,
    },
}

/// A key that is wanted.
pub(super) struct Wanted<'a> {
    pub(super) tenant: &'a str,
    pub(super) name: &'a str,
    pub(super) scopes: &'a [Scope],
    pub(super) days: Option<u32>,
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match arguments.command {
        Command::Run => serve(settings),
        Command::Openapi { write } => {
            let document = gateway::document()?;
            match write {
                Some(path) => fs::write(&path, document)
                    .with_context(|| format!("could not write {}", path.display()))?,
                None => out.write_all(document.as_bytes())?,
            }
            Ok(Exit::Done)
        }
        command => keys(command, settings, out),
    }
}

fn serve(settings: &Settings) -> anyhow::Result<Exit> {
    let mut config = settings.config()?;
    config.telemetry.json &= !io::IsTerminal::is_terminal(&io::stderr());
    runtime::start_logging(&config.telemetry).map_err(anyhow::Error::msg)?;
    tracing::info!(?config, "configuration");
    gateway::run(config)?;
    Ok(Exit::Done)
}

fn keys(command: Command, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    let operator = settings.operator();
    host.block_on(async {
        store.ready().await.context("could not reach the keys")?;
        match command {
            Command::Run | Command::Openapi { .. } => Ok(Exit::Done),
            Command::Init { tenant, json } => {
                let known = store.api_keys(&tenant).await?;
                if let Some(key) = known.iter().find(|key| key.revoked_at.is_none()) {
                    bail!(
                        "tenant {} has key {} already; `gistmill gateway key create` makes more",
                        printable(&tenant),
                        key.prefix
                    );
                }
                let wanted = Wanted { tenant: &tenant, name: "owner", scopes: Role::Owner.scopes(), days: None };
                create(&store, &wanted, (&operator, json), out).await
            }
            Command::Key { command: KeyCommand::Create { tenant, name, role, scopes, days, json } } => {
                let scopes = role.map_or(scopes, |role| role.scopes().to_vec());
                let wanted = Wanted { tenant: &tenant, name: &name, scopes: &scopes, days };
                create(&store, &wanted, (&operator, json), out).await
            }
            Command::Key { command: KeyCommand::Ls { tenant, json } } => {
                for key in store.api_keys(&tenant).await? {
                    if json {
                        writeln!(out, "{}", serde_json::to_value(&key)?)?;
                    } else {
                        writeln!(out, "{}", line(&key))?;
                    }
                }
                Ok(Exit::Done)
            }
            Command::Key { command: KeyCommand::Revoke { tenant, prefix } } => {
                if !store.revoke_api_key(&tenant, &prefix, &operator).await? {
                    let (tenant, prefix) = (printable(&tenant), printable(&prefix));
                    bail!("tenant {tenant} has no key {prefix} that is not revoked; `gistmill gateway key ls` lists them");
                }
                writeln!(out, "revoked {prefix}")?;
                Ok(Exit::Done)
            }
        }
    })
}

/// Makes a key and keeps what is to be kept of it.
pub(super) async fn mint(store: &Store, wanted: &Wanted<'_>, operator: &str) -> anyhow::Result<Minted> {
    // It has to be a name that a tenant can have.
    Group::new(wanted.tenant, "any")?;
    let minted = Key::mint().map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
    let scopes: Vec<String> = wanted.scopes.iter().map(ToString::to_string).collect();
    let key = NewApiKey {
        tenant_id: wanted.tenant,
        prefix: &minted.prefix,
        name: wanted.name,
        scopes: &scopes,
        secret_hash: &minted.hash,
        created_by: operator,
        expires_in_s: wanted.days.map(|days| f64::from(days) * 86_400.0),
    };
    store.put_api_key(&key).await?;
    Ok(minted)
}

async fn create(
    store: &Store,
    wanted: &Wanted<'_>,
    (operator, json): (&str, bool),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let Minted { prefix, text, .. } = mint(store, wanted, operator).await?;
    let scopes: Vec<String> = wanted.scopes.iter().map(ToString::to_string).collect();
    if json {
        let value = json!({ "key": text, "prefix": prefix, "name": wanted.name, "scopes": scopes });
        writeln!(out, "{value}")?;
        return Ok(Exit::Done);
    }
    writeln!(out, "{text}")?;
    // What is said of a key is no part of it.
    let (tenant, scopes) = (printable(wanted.tenant), scopes.join(","));
    drop(writeln!(io::stderr(), "a key of tenant {tenant} for {scopes}; it is not shown again"));
    Ok(Exit::Done)
}

fn line(key: &ApiKey) -> String {
    let ends = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", when(at)),
        (None, Some(at)) => format!("until {}", when(at)),
        (None, None) => "holds".to_owned(),
    };
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", when(at)));
    let scopes = key.scopes.join(",");
    format!(
        "{}  {}  {scopes}  by {}  {ends}  {used}",
        key.prefix,
        printable(&key.name),
        printable(&key.created_by)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_a_key_may_do_and_until_when() {
        let key = ApiKey {
            prefix: "00ff".to_owned(),
            name: "dash\u{1b}".to_owned(),
            scopes: vec!["DIGEST_READ".to_owned()],
            created_by: "ann".to_owned(),
            created_at: 0,
            expires_at: Some(0),
            revoked_at: None,
            last_used_at: None,
        };
        let shown = line(&key);
        let expected = "00ff  dash\\u{1b}  DIGEST_READ  by ann  until 1970-01-01T00:00:00.000Z  never used";
        assert_eq!(shown, expected);
        assert!(line(&ApiKey { revoked_at: Some(0), ..key }).contains("  revoked 1970-"));
    }
}
