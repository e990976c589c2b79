//! `gistmill email`: who gets a group's digests by mail.
//!
//! Invariant: nobody is added without the operator's word that they want it, and the log of changes names nobody.

use std::io::Write;

use anyhow::bail;
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use email_sink::check_address;
use runtime::Host;
use serde_json::json;
use state::{AuditChange, RECIPIENTS_MAX, Store};

use super::{audit, keys::ready};
use crate::{
    exit::Exit,
    printing::{printable, when},
    settings::Settings,
};

/// Add, list and remove those who get a group's digests by mail
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill email add ann@example.org --tenant acme --group team --confirmed
  gistmill email ls --tenant acme
  gistmill email rm ann@example.org --tenant acme --group team
  gistmill group set --tenant acme --group team --channels file,email

By which server: GISTMILL_EMAIL__HOST and its neighbours, see docs/DELIVERY.md.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Send a group's digests to an address from now on
    #[command(after_help = "\
Examples:
  gistmill email add ann@example.org --tenant acme --group team --confirmed

Ask first, and answer for it: --confirmed says that whoever reads mail at the address wants the group's digests.")]
    Add {
        #[command(flatten)]
        recipient: Recipient,
        /// They have said that they want it
        #[arg(long, required = true)]
        confirmed: bool,
    },
    /// List a tenant's recipients
    #[command(after_help = "\
Examples:
  gistmill email ls --tenant acme
  gistmill email ls --tenant acme --json | jq -r .address")]
    Ls {
        /// Tenant
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        tenant: String,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Send a group's digests to an address no more
    #[command(after_help = "\
Examples:
  gistmill email rm ann@example.org --tenant acme --group team

What waits for the address is not sent.")]
    Rm {
        #[command(flatten)]
        recipient: Recipient,
    },
}

#[derive(Debug, Args)]
struct Recipient {
    /// Address, such as ann@example.org
    address: String,
    /// Tenant
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: String,
    /// Group
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    group: String,
}

impl Recipient {
    fn of(&self) -> (&str, &str) {
        (&self.tenant, &self.group)
    }

    fn told(&self) -> String {
        printable(&format!("{}/{}", self.tenant, self.group))
    }

    fn address(&self) -> anyhow::Result<String> {
        check_address(&self.address)
            .map_err(|why| anyhow::anyhow!("could not take the address {}: {why}", printable(&self.address)))
    }
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    host.block_on(async {
        match arguments.command {
            Command::Add { recipient, confirmed: _ } => {
                let address = recipient.address()?;
                ready(&store).await?;
                if !store.add_mail_recipient(recipient.of(), &address).await? {
                    bail!(
                        "could not add {}: {} sends there already, or has {RECIPIENTS_MAX} recipients",
                        printable(&address),
                        recipient.told()
                    );
                }
                store.enable_target(&recipient.tenant, email_sink::CHANNEL, &address).await?;
                writeln!(out, "digests of {} are sent to {}", recipient.told(), printable(&address))?;
                put_on_record((&store, settings), "email add", (&recipient, &address)).await;
                Ok(Exit::Done)
            }
            Command::Ls { tenant, json } => {
                ready(&store).await?;
                list(&store, &tenant, json, out).await
            }
            Command::Rm { recipient } => {
                let address = recipient.address()?;
                ready(&store).await?;
                if !store.remove_mail_recipient(recipient.of(), &address).await? {
                    bail!(
                        "could not remove {}: it is no recipient of {}; gistmill email ls --tenant {} lists who is",
                        printable(&address),
                        recipient.told(),
                        printable(&recipient.tenant)
                    );
                }
                writeln!(out, "digests of {} are sent to {} no more", recipient.told(), printable(&address))?;
                put_on_record((&store, settings), "email rm", (&recipient, &address)).await;
                Ok(Exit::Done)
            }
        }
    })
}

async fn list(store: &Store, tenant: &str, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let recipients = store.mail_recipients(tenant).await?;
    for recipient in &recipients {
        if json {
            let line = json!({
                "tenant_id": tenant, "group_id": recipient.group_id, "address": recipient.address,
                "added_at": recipient.added_at,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        let group = printable(&format!("{tenant}/{}", recipient.group_id));
        writeln!(out, "{group:<24} {}  since {}", printable(&recipient.address), when(recipient.added_at))?;
    }
    if recipients.is_empty() && !json {
        writeln!(out, "nobody gets digests by mail; see `gistmill email add --help`")?;
    }
    Ok(Exit::Done)
}

async fn put_on_record(
    (store, settings): (&Store, &Settings),
    action: &str,
    (recipient, address): (&Recipient, &str),
) {
    let change = AuditChange {
        tenant_id: &recipient.tenant,
        actor: &settings.operator(),
        action,
        subject: &format!("{} {}", recipient.group, audit::person(&recipient.tenant, address)),
        before: None,
        after: None,
    };
    audit::record(store, &change).await;
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::line::Line;

    fn parsed(words: &[&str]) -> Result<Command, clap::Error> {
        let line = ["email"].iter().chain(words);
        Line::<Arguments>::try_parse_from(line).map(|line| line.arguments.command)
    }

    #[test]
    fn nobody_is_added_without_a_word_that_they_want_it() {
        let add = ["add", "ann@example.org", "--tenant", "acme", "--group", "team"];
        assert_eq!(parsed(&add).unwrap_err().exit_code(), 2);
        let Ok(Command::Add { recipient, confirmed }) = parsed(&[&add[..], &["--confirmed"]].concat()) else {
            panic!("parsed")
        };
        assert!(confirmed);
        assert_eq!(
            (recipient.of(), recipient.address().unwrap()),
            (("acme", "team"), "ann@example.org".to_owned())
        );
    }

    #[test]
    fn what_is_no_address_is_told_and_not_taken() {
        let rm = ["rm", "ann\r\nBcc: eve@example.org", "--tenant", "acme", "--group", "team"];
        let Ok(Command::Rm { recipient }) = parsed(&rm) else { panic!("parsed") };
        let error = recipient.address().unwrap_err().to_string();
        assert!(error.starts_with("could not take the address ann") && !error.contains('\n'), "{error}");
    }
}
