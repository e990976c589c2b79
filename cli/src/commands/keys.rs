//! `gistmill keys`: keys with which tenants and users pay providers of language models.
//!
//! Invariant: a key comes in by standard input or a prompt without echo, never as an argument, and nothing prints one.

mod entry;

use std::io::Write;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use keys::{Binding, Ring, Sealed};
use runtime::{Config, Host};
use serde_json::json;
use state::{AuditChange, KeyName, ProviderKey, SealedKey, Store};

use super::{audit, webhook};
use crate::{
    exit::Exit,
    printing::{printable, when},
    settings::Settings,
};

/// Keep, list, revoke and seal anew the keys of tenants and users for language models
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill keys set --tenant acme --provider pro --purpose 'digests of the team' < key.txt
  gistmill keys ls --tenant acme
  gistmill keys revoke --tenant acme --provider pro
  gistmill keys rotate

Keys are sealed with the master key in GISTMILL_KEYS__MASTER: 32 random bytes in base64, such as `openssl rand -base64 32`
prints. Without it nothing comes of what the database holds: keep it elsewhere.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep a key, read from standard input or asked for without echo; it replaces the one before it
    #[command(after_help = "\
Examples:
  gistmill keys set --tenant acme --provider pro --purpose 'digests of the team' < key.txt
  gistmill keys set --tenant acme --user ann --provider pro --purpose 'my own digests'
  gistmill keys set --tenant acme --provider pro --purpose 'digests' --unchecked < key.txt

The provider is asked for one token with the key first, so that one that it does not take is not kept. --purpose is what the
key's owner agreed to that it is used for; it is recorded with the time.")]
    Set {
        #[command(flatten)]
        name: Name,
        /// What the key's owner agreed to that it is used for
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        purpose: String,
        /// Do not ask the provider whether it takes the key
        #[arg(long)]
        unchecked: bool,
    },
    /// List a tenant's keys: whose, for whom, what was agreed to; never the key
    #[command(after_help = "\
Examples:
  gistmill keys ls --tenant acme
  gistmill keys ls --tenant acme --json | jq -r .provider")]
    Ls {
        /// Tenant
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        tenant: String,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Use a key no more, and remove its bytes; what was agreed to stays on record
    #[command(after_help = "\
Examples:
  gistmill keys revoke --tenant acme --provider pro
  gistmill keys revoke --tenant acme --user ann --provider pro")]
    Revoke {
        #[command(flatten)]
        name: Name,
    },
    /// Seal all keys under the master key that holds now
    #[command(after_help = "\
Examples:
  gistmill keys rotate

Give the new master key in GISTMILL_KEYS__MASTER and the one before it in GISTMILL_KEYS__FORMER (several with commas between
them). Once this has ended without an error, the former one is needed no more. It may run while the pipeline does, and again.")]
    Rotate,
}

#[derive(Debug, Args)]
struct Name {
    /// Tenant
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: String,
    /// User inside the tenant; without one the key is the tenant's own
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    user: Option<String>,
    /// Provider, by its name in the settings
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    provider: String,
}

impl From<Name> for KeyName {
    fn from(name: Name) -> Self {
        Self { tenant_id: name.tenant, owner: name.user.unwrap_or_default(), provider: name.provider }
    }
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let config = settings.config()?;
    let host = Host::new(config.clone(), 1)?;
    let store = host.store()?;
    host.block_on(async {
        match arguments.command {
            Command::Set { name, purpose, unchecked } => {
                let ring = ring(&config)?;
                let key = entry::read(&name.provider)?;
                if !unchecked {
                    let checked = llm_client::check_key(&config.llm, &name.provider, &key).await;
                    checked.context("the key was not kept; --unchecked keeps it without asking")?;
                }
                ready(&store).await?;
                let name = name.into();
                let exit = set(&store, &ring, (&name, &key), &purpose, out).await?;
                put_on_record((&store, settings), "keys set", &name).await;
                Ok(exit)
            }
            Command::Ls { tenant, json } => {
                ready(&store).await?;
                list(&store.provider_keys(&tenant).await?, json, out)
            }
            Command::Revoke { name } => {
                ready(&store).await?;
                let name = name.into();
                let exit = revoke(&store, &name, out).await?;
                put_on_record((&store, settings), "keys revoke", &name).await;
                Ok(exit)
            }
            Command::Rotate => {
                let ring = ring(&config)?;
                ready(&store).await?;
                let exit = rotate(&store, &ring, out).await?;
                let all =
                    KeyName { tenant_id: String::new(), owner: String::new(), provider: "all".to_owned() };
                put_on_record((&store, settings), "keys rotate", &all).await;
                Ok(exit)
            }
        }
    })
}

async fn put_on_record((store, settings): (&Store, &Settings), action: &str, name: &KeyName) {
    let KeyName { tenant_id, owner, provider } = name;
    let of_user = match owner.as_str() {
        "" => String::new(),
        user => format!(" of user {}", audit::person(tenant_id, user)),
    };
    let change = AuditChange {
        tenant_id,
        actor: &settings.operator(),
        action,
        subject: &format!("{provider}{of_user}"),
        before: None,
        after: None,
    };
    audit::record(store, &change).await;
}

pub(super) async fn ready(store: &Store) -> anyhow::Result<()> {
    store.ready().await.context("could not read the keys of tenants")
}

/// The master keys of the settings.
pub(super) fn ring(config: &Config) -> anyhow::Result<Ring> {
    let Some(master) = &config.keys.master else {
        bail!(
            "keys.master is not set: give 32 random bytes in base64 in GISTMILL_KEYS__MASTER (`openssl rand -base64 32`)"
        );
    };
    Ring::new(master, &config.keys.former())
        .context("could not use GISTMILL_KEYS__MASTER or GISTMILL_KEYS__FORMER")
}

async fn set(
    store: &Store,
    ring: &Ring,
    (name, key): (&KeyName, &secrecy::SecretString),
    purpose: &str,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let id = keys::row_id()?;
    let sealed = ring.seal(&binding(name, &id), key)?;
    store.put_provider_key(name, &kept(&id, sealed), purpose).await?;
    writeln!(out, "the key of {} for {} is kept", owner(name), printable(&name.provider))?;
    Ok(Exit::Done)
}

fn list(keys: &[ProviderKey], json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    for ProviderKey { name, key, purpose, consented_at, revoked_at } in keys {
        if json {
            let line = json!({
                "tenant_id": name.tenant_id, "user": Some(&name.owner).filter(|owner| !owner.is_empty()),
                "provider": name.provider, "purpose": purpose, "consented_at": consented_at,
                "revoked_at": revoked_at, "master_key": key.master_id,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        let state = revoked_at.map_or_else(String::new, |at| format!("  revoked {}", when(at)));
        let (owner, provider) = (owner(name), printable(&name.provider));
        writeln!(out, "{owner:<24} {provider:<16} {}  {}{state}", when(*consented_at), printable(purpose))?;
    }
    if keys.is_empty() && !json {
        writeln!(out, "no key is kept; see `gistmill keys set --help`")?;
    }
    Ok(Exit::Done)
}

async fn revoke(store: &Store, name: &KeyName, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (owner, provider) = (owner(name), printable(&name.provider));
    if !store.revoke_provider_key(name).await? {
        bail!(
            "could not revoke a key of {owner} for {provider}: there is none that holds; `gistmill keys ls` lists them"
        );
    }
    writeln!(out, "the key of {owner} for {provider} is used no more; revoke it with the provider as well")?;
    Ok(Exit::Done)
}

/// Seals anew what a former master key sealed, key by key: whoever reads meanwhile finds one or the other.
async fn rotate(store: &Store, ring: &Ring, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (mut done, mut unopened) = (0_usize, 0_usize);
    for tenant in store.tenants().await? {
        for ProviderKey { name, key, revoked_at, .. } in store.provider_keys(&tenant).await? {
            if revoked_at.is_some() {
                continue;
            }
            match ring.reseal(&binding(&name, &key.id), &sealed(&key)) {
                Ok(None) => {}
                Ok(Some(anew)) => {
                    let is_done = store.reseal_provider_key(&name, &key, &kept(&key.id, anew)).await?;
                    done += usize::from(is_done);
                }
                Err(error) => {
                    unopened += 1;
                    writeln!(out, "the key of {} for {}: {error}", owner(&name), printable(&name.provider))?;
                }
            }
        }
        let (of_webhooks, without) = webhook::reseal(store, ring, &tenant, out).await?;
        (done, unopened) = (done + of_webhooks, unopened + without);
    }
    writeln!(out, "{done} keys are sealed anew under the master key {}", ring.master_id())?;
    if unopened > 0 {
        bail!(
            "{unopened} keys could not be opened; add their master key to GISTMILL_KEYS__FORMER and run this again, or set them anew"
        );
    }
    Ok(Exit::Done)
}

fn binding<'a>(name: &'a KeyName, id: &'a [u8]) -> Binding<'a> {
    Binding { tenant_id: &name.tenant_id, owner: &name.owner, provider: &name.provider, id }
}

pub(super) fn sealed(key: &SealedKey) -> Sealed {
    Sealed {
        master_id: key.master_id.clone(),
        salt: key.salt.clone(),
        nonce: key.nonce.clone(),
        ciphertext: key.ciphertext.clone(),
    }
}

pub(super) fn kept(id: &[u8], sealed: Sealed) -> SealedKey {
    let Sealed { master_id, salt, nonce, ciphertext } = sealed;
    SealedKey { id: id.to_vec(), master_id, salt, nonce, ciphertext }
}

fn owner(name: &KeyName) -> String {
    let user = if name.owner.is_empty() { String::new() } else { format!("/{}", name.owner) };
    printable(&format!("{}{user}", name.tenant_id))
}
