//! `gistmill delivery`: what may have been delivered, and targets that refuse.
//!
//! Invariant: nothing here delivers; what is settled changes the ledger and is told of in the same transaction.

use std::io::{self, Write};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use jiff::Timestamp;
use runtime::Host;
use serde_json::json;
use state::{AuditChange, MutedDelivery, Settled, Settlement, Store, UnknownDelivery};

use super::audit;
use crate::{
    exit::Exit,
    printing::{printable, when},
    settings::Settings,
};

/// The one channel whose effects cannot be repeated.
const CHANNEL: &str = "telegram";
/// Most digests of muted chats that are listed.
const MUTED_MAX: i64 = 1_000;

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
  gistmill delivery enable -1001234567890 --tenant acme

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

A message that is there is edited when a newer version comes. One that is not there is called failed.")]
    Resolve {
        /// Id of the digest, as `ls` prints it
        digest: String,
        #[command(flatten)]
        owner: Owner,
        /// Part of a digest in several messages
        #[arg(long, default_value_t = 1)]
        part: i32,
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
    /// It is not in the chat
    #[arg(long)]
    not_delivered: bool,
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    host.block_on(async {
        store.ready().await.context("could not read the ledger of deliveries")?;
        match arguments.command {
            Command::Ls { owner, muted: true, json } => list_muted(&store, &owner.tenant, json, out).await,
            Command::Ls { owner, muted: false, json } => list(&store, &owner.tenant, json, out).await,
            Command::Resolve { digest, owner, part, found } => {
                let exit = resolve(&store, (&owner.tenant, &digest, part), &found, out).await?;
                let after = json!({ "part": part, "message": found.message });
                let change =
                    AuditChange { after: Some(&after), ..change("delivery resolve", &owner, &digest) };
                audit::record(&store, &AuditChange { actor: &settings.operator(), ..change }).await;
                Ok(exit)
            }
            Command::Enable { chat, owner } => {
                let exit = enable(&store, (&owner.tenant, &chat), out).await?;
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

async fn list(store: &Store, tenant: &str, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (unknown, disabled) =
        (store.unknown_deliveries(tenant).await?, store.disabled_targets(tenant).await?);
    if json {
        writeln!(out, "{}", json!({ "unknown": unknown, "disabled_targets": disabled }))?;
        return Ok(Exit::Done);
    }
    for delivery in &unknown {
        writeln!(out, "{}", line(delivery))?;
    }
    for target in &disabled {
        let (chat, why) = (printable(&target.chat), printable(&target.reason));
        writeln!(out, "disabled  {}  {chat}  {why}", target.channel)?;
    }
    if unknown.is_empty() && disabled.is_empty() {
        // What is said of a listing is no part of it.
        drop(writeln!(io::stderr(), "every delivery of tenant {} is settled", printable(tenant)));
    }
    Ok(Exit::Done)
}

async fn list_muted(store: &Store, tenant: &str, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let muted = store.muted_deliveries(tenant, MUTED_MAX).await?;
    if json {
        writeln!(out, "{}", json!({ "muted": muted }))?;
        return Ok(Exit::Done);
    }
    for MutedDelivery { group_id, digest_id, version, channel, chat, .. } in &muted {
        let (chat, group) = (printable(chat), printable(group_id));
        writeln!(out, "muted  {digest_id}  version {version}  {channel} {chat}  group {group}")?;
    }
    if muted.is_empty() {
        drop(writeln!(io::stderr(), "no digest of tenant {} was kept from a muted chat", printable(tenant)));
    }
    Ok(Exit::Done)
}

/// What is known of a delivery, on one line.
fn line(delivery: &UnknownDelivery) -> String {
    let since = delivery.sending_at.map_or_else(String::new, |at| format!("  since {}", when(at)));
    let why = delivery.error.as_ref().map_or_else(String::new, |why| format!("  {}", printable(why)));
    format!(
        "unknown  {}  version {} part {}  {} {}  group {}{since}{why}",
        delivery.digest_id,
        delivery.version,
        delivery.part,
        delivery.channel,
        printable(&delivery.chat),
        printable(&delivery.group_id),
    )
}

async fn resolve(
    store: &Store,
    (tenant, digest, part): (&str, &str, i32),
    found: &Found,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let settlement = Settlement {
        tenant_id: tenant.to_owned(),
        digest_id: digest.to_owned(),
        channel: CHANNEL.to_owned(),
        part,
        reference: found.message.map(|id| id.to_string()),
    };
    let told = match store.settle_delivery(&settlement, Timestamp::now().as_millisecond()).await? {
        Settled::Delivered => "it is delivered, and digest.delivered says so",
        Settled::Partly => "this part is there; the digest's other parts come with its next version",
        Settled::NotDelivered => {
            "it is not delivered, and digest.delivered says so; the next version is posted"
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

async fn enable(store: &Store, (tenant, chat): (&str, &str), out: &mut dyn Write) -> anyhow::Result<Exit> {
    if !store.enable_target(tenant, CHANNEL, chat).await? {
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
        for flags in [&[][..], &["--message", "1", "--not-delivered"], &["--message", "0"]] {
            assert_eq!(with(flags).unwrap_err().exit_code(), 2, "{flags:?}");
        }
    }

    #[test]
    fn a_target_may_begin_with_a_minus() {
        let Ok(Command::Enable { chat, owner }) = parsed(&["enable", "-1001/45", "--tenant", "acme"]) else {
            panic!("parsed")
        };
        assert_eq!((&*chat, &*owner.tenant), ("-1001/45", "acme"));
    }

    #[test]
    fn a_line_tells_what_is_unknown_and_why() {
        let delivery = UnknownDelivery {
            group_id: "team".to_owned(),
            digest_id: "d1".to_owned(),
            window_id: "w1".to_owned(),
            version: "1.0".to_owned(),
            channel: "telegram".to_owned(),
            chat: "-1001".to_owned(),
            part: 2,
            error: Some("operation timed out".to_owned()),
            sending_at: Some(0),
        };
        assert_eq!(
            line(&delivery),
            "unknown  d1  version 1.0 part 2  telegram -1001  group team  since 1970-01-01T00:00:00.000Z  operation \
             timed out"
        );
    }
}
