//! `gistmill webhook`: where digests are posted to, and what requests are signed with.
//!
//! Invariant: a secret is printed when it is made and never again.

mod secrets;
mod trial;

use std::io::Write;

use anyhow::bail;
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use keys::Ring;
use runtime::Host;
use serde_json::json;
use state::{AuditChange, Store};
use webhook_sink::check_url;

use super::{
    audit,
    keys::{ready, ring},
};
use crate::{
    exit::Exit,
    printing::{printable, when},
    settings::Settings,
};
pub(super) use secrets::reseal;
use secrets::{made, print_secret, rotate};
use trial::test;

/// Longest time in hours that a secret may hold beside the one that replaces it.
const OVERLAP_HOURS_MAX: i64 = 24 * 30;

/// Set, list, try and remove addresses that digests are posted to, and replace their secrets
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill webhook set https://hooks.example.org/gistmill --tenant acme
  gistmill webhook set https://hooks.example.org/team --tenant acme --group team
  gistmill webhook test --tenant acme
  gistmill webhook rotate --tenant acme
  gistmill group set --tenant acme --group team --channels file,webhook

What is posted and how a receiver checks it: docs/DELIVERY.md. Secrets are sealed with the master key in GISTMILL_KEYS__MASTER.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Post digests to an address; the first time a secret is made, and printed this once
    #[command(after_help = "\
Examples:
  gistmill webhook set https://hooks.example.org/gistmill --tenant acme
  gistmill webhook set https://hooks.example.org/team --tenant acme --group team

Without --group it is for all groups of the tenant that have none of their own. Set again, the address changes and the secret
stays. A target that was disabled is delivered to again.")]
    Set {
        /// Address of https
        url: String,
        #[command(flatten)]
        name: Name,
    },
    /// List a tenant's webhooks and how many secrets of each hold; never a secret
    #[command(after_help = "\
Examples:
  gistmill webhook ls --tenant acme
  gistmill webhook ls --tenant acme --json | jq -r .url")]
    Ls {
        /// Tenant
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        tenant: String,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Make a new secret and print it; requests are signed with the former one as well for a while
    #[command(after_help = "\
Examples:
  gistmill webhook rotate --tenant acme
  gistmill webhook rotate --tenant acme --group team --overlap 0      the former one is out: at once

A receiver that knows either secret takes what comes meanwhile.")]
    Rotate {
        #[command(flatten)]
        name: Name,
        /// Hours for which the former secret signs as well
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(i64).range(0..=OVERLAP_HOURS_MAX))]
        overlap: i64,
    },
    /// Post a signed request of type webhook.test, and say what is answered
    #[command(after_help = "\
Examples:
  gistmill webhook test --tenant acme
  gistmill webhook test --tenant acme --group team")]
    Test {
        #[command(flatten)]
        name: Name,
    },
    /// Remove a webhook and its secrets
    #[command(after_help = "\
Examples:
  gistmill webhook rm --tenant acme --group team

What waits for it is called failed. The groups' settings keep the channel.")]
    Rm {
        #[command(flatten)]
        name: Name,
    },
}

#[derive(Debug, Args)]
struct Name {
    /// Tenant
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: String,
    /// Group; without one the webhook is for all groups of the tenant that have none of their own
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    group: Option<String>,
}

impl Name {
    fn group(&self) -> &str {
        self.group.as_deref().unwrap_or_default()
    }

    fn of(&self) -> (&str, &str) {
        (&self.tenant, self.group())
    }

    fn told(&self) -> String {
        told(&self.tenant, self.group())
    }
}

fn told(tenant: &str, group: &str) -> String {
    if group.is_empty() { printable(tenant) } else { printable(&format!("{tenant}/{group}")) }
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let config = settings.config()?;
    let host = Host::new(config.clone(), 1)?;
    let store = host.store()?;
    host.block_on(async {
        match arguments.command {
            Command::Set { url, name } => {
                let ring = ring(&config)?;
                let address = check_url(&url, &config.webhook)
                    .map_err(|why| anyhow::anyhow!("could not set the webhook of {}: {why}", name.told()))?;
                ready(&store).await?;
                set(&store, &ring, (&name, &url), out).await?;
                // What follows the host is a token with many receivers, and the log of changes is never changed.
                let after = json!({ "host": address.host_str(), "port": address.port() });
                put_on_record((&store, settings), ("webhook set", &name), Some(&after)).await;
                Ok(Exit::Done)
            }
            Command::Ls { tenant, json } => {
                ready(&store).await?;
                list(&store, &tenant, json, out).await
            }
            Command::Rotate { name, overlap } => {
                let ring = ring(&config)?;
                ready(&store).await?;
                rotate(&store, &ring, (&name, overlap), out).await?;
                let after = json!({ "overlap_hours": overlap });
                put_on_record((&store, settings), ("webhook rotate", &name), Some(&after)).await;
                Ok(Exit::Done)
            }
            Command::Test { name } => {
                let ring = ring(&config)?;
                ready(&store).await?;
                test(&store, (&ring, &config), &name, out).await
            }
            Command::Rm { name } => {
                ready(&store).await?;
                if !store.remove_webhook(&name.tenant, name.group()).await? {
                    bail!("could not remove the webhook of {}: {}", name.told(), none_there(&name));
                }
                writeln!(out, "{} has no webhook any more", name.told())?;
                put_on_record((&store, settings), ("webhook rm", &name), None).await;
                Ok(Exit::Done)
            }
        }
    })
}

fn none_there(name: &Name) -> String {
    format!("there is none; gistmill webhook ls --tenant {} lists those there are", printable(&name.tenant))
}

async fn put_on_record(
    (store, settings): (&Store, &Settings),
    (action, name): (&str, &Name),
    after: Option<&serde_json::Value>,
) {
    let change = AuditChange {
        tenant_id: &name.tenant,
        actor: &settings.operator(),
        action,
        subject: name.group(),
        before: None,
        after,
    };
    audit::record(store, &change).await;
}

async fn set(
    store: &Store,
    ring: &Ring,
    (name, url): (&Name, &str),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (secret, sealed) = made(ring, name)?;
    let had_one = store.set_webhook(name.of(), url, &sealed).await?;
    let target = webhook_sink::target::name(name.group());
    let was_disabled = store.enable_target(&name.tenant, webhook_sink::CHANNEL, &target).await?;
    writeln!(out, "digests of {} are posted to {}", name.told(), printable(url))?;
    if was_disabled {
        writeln!(out, "the target was disabled, and is delivered to again")?;
    }
    if had_one { Ok(()) } else { print_secret(&secret, out) }
}

async fn list(store: &Store, tenant: &str, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let webhooks = store.webhooks(tenant).await?;
    for webhook in &webhooks {
        let found = store.webhook(tenant, &webhook.group_id).await?;
        let secrets = found.map(|(_, secrets)| secrets).unwrap_or_default();
        let former_until = secrets.iter().filter_map(|secret| secret.ends_at).max();
        if json {
            let group = Some(&webhook.group_id).filter(|group| !group.is_empty());
            let line = json!({
                "tenant_id": tenant, "group_id": group, "url": webhook.url, "set_at": webhook.set_at,
                "secrets": secrets.len(), "former_until": former_until,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        let former =
            former_until.map_or_else(String::new, |at| format!("  former secret until {}", when(at)));
        let (owner, url) = (told(tenant, &webhook.group_id), printable(&webhook.url));
        writeln!(out, "{owner:<24} {url}  since {}{former}", when(webhook.set_at))?;
    }
    if webhooks.is_empty() && !json {
        writeln!(out, "no webhook is set; see `gistmill webhook set --help`")?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::line::Line;

    fn parsed(words: &[&str]) -> Result<Command, clap::Error> {
        let line = ["webhook"].iter().chain(words);
        Line::<Arguments>::try_parse_from(line).map(|line| line.arguments.command)
    }

    #[test]
    fn a_webhook_is_a_tenants_or_a_groups() {
        let Ok(Command::Set { url, name }) = parsed(&["set", "https://a.example/", "--tenant", "acme"])
        else {
            panic!("parsed")
        };
        assert_eq!((&*url, name.of(), name.told()), ("https://a.example/", ("acme", ""), "acme".to_owned()));
        let Ok(Command::Rm { name }) = parsed(&["rm", "--tenant", "acme", "--group", "team"]) else {
            panic!("parsed")
        };
        assert_eq!((name.of(), name.told()), (("acme", "team"), "acme/team".to_owned()));
        assert_eq!(parsed(&["set", "https://a.example/"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn a_former_secret_holds_a_month_at_most() {
        let Ok(Command::Rotate { overlap, .. }) = parsed(&["rotate", "--tenant", "acme"]) else {
            panic!("parsed")
        };
        assert_eq!(overlap, 24);
        for hours in ["-1", "721", "soon"] {
            let flags = ["rotate", "--tenant", "acme", "--overlap", hours];
            assert_eq!(parsed(&flags).unwrap_err().exit_code(), 2, "{hours}");
        }
    }
}
