//! `gistmill delivery`: what may have been delivered, and targets that refuse.
//!
//! Invariant: nothing here delivers; what is settled changes the ledger and is told of in the same transaction.

mod listing;

use std::io::Write;

use anyhow::{Context, bail};
use clap::{
    Args, Subcommand,
    builder::{NonEmptyStringValueParser, PossibleValuesParser},
};
use jiff::Timestamp;
use runtime::Host;
use serde_json::json;
use state::{AuditChange, Settled, Settlement, Store};

use super::audit;
use crate::{exit::Exit, printing::printable, settings::Settings};
use listing::{list, list_muted};

/// Where a channel is not named.
const CHANNEL: &str = "telegram";
/// Channels whose effects cannot be repeated.
const UNREPEATABLE: [&str; 2] = ["telegram", "email"];
/// Channels whose targets refuse.
const REFUSING: [&str; 3] = ["telegram", "webhook", "email"];
/// Stands for where it is, for a channel that has no other name for that than the one it was sent with.
const SOMEWHERE: &str = "found by an operator";

/// List deliveries of which nobody knows how they ended, and targets that refuse; settle them
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill delivery ls --tenant acme
  gistmill delivery resolve 0d6f... --tenant acme --message 412     it is in the chat, as message 412
  gistmill delivery resolve 0d6f... --tenant acme --not-delivered   it is not
  gistmill delivery resolve 0d6f... --tenant acme --channel email --target ann@example.org --delivered
  gistmill delivery enable -1001234567890 --tenant acme
  gistmill delivery enable group/team --tenant acme --channel webhook

A message that was on its way when its answer was lost may be in the chat. It is never posted again by itself: look into
the chat, then say what you found. Newer versions of the digest wait for that.";

#[derive(Debug, Subcommand)]
enum Command {
    /// List what waits for an operator
    #[command(after_help = "\
Examples:
  gistmill delivery ls --tenant acme
  gistmill delivery ls --tenant acme --json | jq .unknown
  gistmill delivery ls --tenant acme --muted      what /mute kept from chats; digest show has each")]
    Ls {
        #[command(flatten)]
        owner: Owner,
        /// List what muted chats did not get instead
        #[arg(long)]
        muted: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say how a delivery ended of which nobody knows
    #[command(after_help = "\
Examples:
  gistmill delivery resolve 0d6f... --tenant acme --message 412
  gistmill delivery resolve 0d6f... --tenant acme --part 2 --not-delivered

A message that is there is edited when a newer version comes. One that is not there is called failed. Of a mail that several
were to get, --target says whose it is.")]
    Resolve {
        /// Id of the digest, as `ls` prints it
        digest: String,
        #[command(flatten)]
        owner: Owner,
        /// Part of a digest in several messages
        #[arg(long, default_value_t = 1)]
        part: i32,
        /// Channel
        #[arg(long, default_value = CHANNEL, value_parser = PossibleValuesParser::new(UNREPEATABLE))]
        channel: String,
        /// Target, as `ls` prints it; without one, each that is unknown
        #[arg(long, allow_hyphen_values = true)]
        target: Option<String>,
        #[command(flatten)]
        found: Found,
    },
    /// Deliver to a target again that has refused
    #[command(after_help = "\
Examples:
  gistmill delivery enable -1001234567890 --tenant acme
  gistmill delivery enable -1001234567890/45 --tenant acme

Digests from then on are delivered; those that failed meanwhile are not.")]
    Enable {
        /// The target, as `ls` prints it
        #[arg(allow_hyphen_values = true)]
        chat: String,
        #[command(flatten)]
        owner: Owner,
        /// Channel
        #[arg(long, default_value = CHANNEL, value_parser = PossibleValuesParser::new(REFUSING))]
        channel: String,
    },
}

#[derive(Debug, Args)]
struct Owner {
    /// Tenant
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: String,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Found {
    /// It is in the chat, as the message with this id (the last number of the message's link)
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    message: Option<i64>,
    /// It is there, for a channel whose messages have no number
    #[arg(long)]
    delivered: bool,
    /// It is not in the chat
    #[arg(long)]
    not_delivered: bool,
}

impl Found {
    fn reference(&self) -> Option<String> {
        self.message.map(|id| id.to_string()).or_else(|| self.delivered.then(|| SOMEWHERE.to_owned()))
    }
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    host.block_on(async {
        store.ready().await.context("could not read the ledger of deliveries")?;
        match arguments.command {
            Command::Ls { owner, muted: true, json } => list_muted(&store, &owner.tenant, json, out).await,
            Command::Ls { owner, muted: false, json } => list(&store, &owner.tenant, json, out).await,
            Command::Resolve { digest, owner, part, channel, target, found } => {
                let settlement = Settlement {
                    tenant_id: owner.tenant.clone(),
                    digest_id: digest.clone(),
                    channel,
                    chat: target,
                    part,
                    reference: found.reference(),
                };
                let exit = resolve(&store, &settlement, out).await?;
                let after = json!({ "part": part, "channel": settlement.channel, "message": found.message,
                    "delivered": settlement.reference.is_some() });
                let change =
                    AuditChange { after: Some(&after), ..change("delivery resolve", &owner, &digest) };
                audit::record(&store, &AuditChange { actor: &settings.operator(), ..change }).await;
                Ok(exit)
            }
            Command::Enable { chat, owner, channel } => {
                let exit = enable(&store, (&owner.tenant, &channel, &chat), out).await?;
                // Of a target that one person sees, the chat.
                let place = chat.split('+').next().unwrap_or_default();
                let change = change("delivery enable", &owner, place);
                audit::record(&store, &AuditChange { actor: &settings.operator(), ..change }).await;
                Ok(exit)
            }
        }
    })
}

fn change<'a>(action: &'a str, owner: &'a Owner, subject: &'a str) -> AuditChange<'a> {
    AuditChange { tenant_id: &owner.tenant, actor: "", action, subject, before: None, after: None }
}

async fn resolve(store: &Store, settlement: &Settlement, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let Settlement { tenant_id: tenant, digest_id: digest, part, .. } = settlement;
    let told = match store.settle_delivery(settlement, Timestamp::now().as_millisecond()).await? {
        Settled::Delivered => "it is delivered, and digest.delivered says so",
        Settled::Partly => "this part is there; the digest's other parts come with its next version",
        Settled::NotDelivered => {
            "it is not delivered, and digest.delivered says so unless another recipient has it; the next version is \
             posted"
        }
        Settled::NotUnknown => bail!(
            "could not settle part {part} of digest {}: it is not unknown; gistmill delivery ls --tenant {} lists \
             what is",
            printable(digest),
            printable(tenant)
        ),
    };
    writeln!(out, "settled part {part} of digest {}: {told}", printable(digest))?;
    Ok(Exit::Done)
}

async fn enable(
    store: &Store,
    (tenant, channel, chat): (&str, &str, &str),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    if !store.enable_target(tenant, channel, chat).await? {
        bail!(
            "could not enable {}: it is not disabled; gistmill delivery ls --tenant {} lists what is",
            printable(chat),
            printable(tenant)
        );
    }
    writeln!(out, "enabled {}: digests from now on are delivered there", printable(chat))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::line::Line;

    fn parsed(words: &[&str]) -> Result<Command, clap::Error> {
        let line = ["delivery"].iter().chain(words);
        Line::<Arguments>::try_parse_from(line).map(|line| line.arguments.command)
    }

    #[test]
    fn what_was_found_is_said_in_one_way() {
        let resolve = ["resolve", "d1", "--tenant", "acme"];
        let with = |flags: &[&str]| parsed(&[&resolve[..], flags].concat());
        let Ok(Command::Resolve { found, part, .. }) = with(&["--message", "412"]) else { panic!("parsed") };
        assert_eq!((found.message, found.not_delivered, part), (Some(412), false, 1));
        let Ok(Command::Resolve { found, part, .. }) = with(&["--not-delivered", "--part", "2"]) else {
            panic!("parsed")
        };
        assert_eq!((found.message, found.not_delivered, part), (None, true, 2));
        let of_mail = ["--channel", "email", "--target", "ann@example.org", "--delivered"];
        let Ok(Command::Resolve { found, target, .. }) = with(&of_mail) else { panic!("parsed") };
        assert_eq!(
            (found.reference().as_deref(), target.as_deref()),
            (Some(SOMEWHERE), Some("ann@example.org"))
        );
        assert!(with(&["--channel", "webhook", "--delivered"]).is_err(), "a webhook is never unknown");
        for flags in [&[][..], &["--message", "1", "--not-delivered"], &["--message", "0"]] {
            assert_eq!(with(flags).unwrap_err().exit_code(), 2, "{flags:?}");
        }
    }

    #[test]
    fn a_target_may_begin_with_a_minus() {
        let enable = ["enable", "-1001/45", "--tenant", "acme"];
        let Ok(Command::Enable { chat, owner, channel }) = parsed(&enable) else { panic!("parsed") };
        assert_eq!((&*chat, &*owner.tenant, &*channel), ("-1001/45", "acme", "telegram"));
        let of_webhook = ["enable", "group/team", "--tenant", "acme", "--channel", "webhook"];
        assert!(matches!(parsed(&of_webhook), Ok(Command::Enable { channel, .. }) if channel == "webhook"));
        assert!(parsed(&["enable", "x", "--tenant", "acme", "--channel", "file"]).is_err());
    }
}
