//! `gistmill audit`: what operators changed, by whom and when.

use std::io::{self, Write};

use anyhow::Context;
use aws_lc_rs::digest;
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use jiff::{Timestamp, tz::TimeZone};
use runtime::Host;
use serde::Serialize;
use state::{AuditChange, AuditEntry, Store};

use super::search::since;
use crate::{
    exit::Exit,
    printing::{printable, when},
    settings::Settings,
};

/// List what operators changed
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill audit ls
  gistmill audit ls --tenant acme --since 7d --json

The log is only added to: Postgres refuses to change or delete a row of it, the owner of the tables too. It has no message
text and no secret; a person who was erased is in it as a hash.";

#[derive(Debug, Subcommand)]
enum Command {
    /// List changes, the oldest first: when, who, what, to what, before → after
    #[command(after_help = "\
Examples:
  gistmill audit ls --since 24h
  gistmill audit ls --tenant acme --json | jq -r '[.actor, .action, .subject] | @tsv'

Without --tenant, those of all tenants and those that concern none. Who acts is the user of the system, or whom --operator names.")]
    Ls {
        /// Of this tenant only
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        tenant: Option<String>,
        /// Not older than this: a day, a time (of UTC where it tells no zone), or how long ago: 90m, 24h, 7d
        #[arg(long)]
        since: Option<String>,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let Command::Ls { tenant, since, json } = arguments.command;
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    let since_ms = since.as_deref().map_or(Ok(0), moment)?;
    let entries = host.block_on(async {
        store.ready().await.context("could not read the audit log")?;
        let tenants = match tenant {
            Some(tenant) => vec![tenant],
            None => [vec![String::new()], store.tenants().await?].concat(),
        };
        let mut entries = Vec::new();
        for tenant in tenants {
            entries.extend(store.audit_entries(&tenant, since_ms).await?);
        }
        entries.sort_by_key(|entry| entry.seq);
        anyhow::Ok(entries)
    })?;
    for entry in &entries {
        if json {
            writeln!(out, "{}", serde_json::to_value(entry)?)?;
        } else {
            writeln!(out, "{}", line(entry))?;
        }
    }
    if entries.is_empty() && !json {
        // What is said of a listing is no part of it.
        drop(writeln!(io::stderr(), "no change is on record"));
    }
    Ok(Exit::Done)
}

fn moment(said: &str) -> anyhow::Result<i64> {
    since::parse(said, Timestamp::now(), &TimeZone::UTC)
        .with_context(|| format!("could not read --since {}: give 2026-03-01, or 24h", printable(said)))
}

fn line(entry: &AuditEntry) -> String {
    let tenant = if entry.tenant_id.is_empty() { "-" } else { &entry.tenant_id };
    let value = |value: &Option<serde_json::Value>| value.as_ref().map(|value| printable(&value.to_string()));
    let change = match (value(&entry.before), value(&entry.after)) {
        (None, None) => String::new(),
        (None, Some(after)) => format!("  {after}"),
        (before, after) => format!(
            "  {} → {}",
            before.unwrap_or_else(|| "-".to_owned()),
            after.unwrap_or_else(|| "-".to_owned())
        ),
    };
    let (actor, subject) = (printable(&entry.actor), printable(&entry.subject));
    format!("{}  {actor}  {}  {}  {subject}{change}", when(entry.at), entry.action, printable(tenant))
}

/// Puts on record what a command changed; that it could not is told, and undoes nothing.
pub(super) async fn record(store: &Store, change: &AuditChange<'_>) {
    if let Err(error) = store.audit(change).await {
        drop(writeln!(
            io::stderr(),
            "{} is done, and not in the audit log: {}",
            change.action,
            error.describe()
        ));
    }
}

/// A person as the log has them: somebody who is erased later is in rows that nothing changes.
pub(super) fn person(tenant_id: &str, author_id: &str) -> String {
    let hash = digest::digest(&digest::SHA256, format!("{tenant_id}/{author_id}").as_bytes());
    format!("sha256:{}", operate::hex(hash.as_ref()))
}

/// [`record`] of a command that has no store open.
pub(super) fn record_of(settings: &Settings, change: &AuditChange<'_>) -> anyhow::Result<()> {
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    host.block_on(record(&store, change));
    Ok(())
}

/// [`record_of`] something that concerns no tenant.
pub(super) fn record_operation(
    settings: &Settings,
    (action, subject): (&str, &str),
    after: &impl Serialize,
) -> anyhow::Result<()> {
    let (actor, after) = (settings.operator(), serde_json::to_value(after)?);
    let change =
        AuditChange { tenant_id: "", actor: &actor, action, subject, before: None, after: Some(&after) };
    record_of(settings, &change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_that_is_none_is_refused() {
        assert_eq!(moment("1970-01-02").unwrap(), 86_400_000);
        assert!(moment("yesterday").unwrap_err().to_string().contains("give 2026-03-01, or 24h"));
    }

    #[test]
    fn a_person_is_a_hash_by_tenant() {
        let person = person("acme", "u1");
        assert_eq!(person.len(), "sha256:".len() + 64);
        assert!(person != super::person("beta", "u1") && !person.contains("u1"));
    }

    #[test]
    fn a_line_tells_who_did_what_to_what() {
        let entry = AuditEntry {
            seq: 1,
            at: 0,
            tenant_id: String::new(),
            actor: "ops\u{1b}".to_owned(),
            action: "migrate".to_owned(),
            subject: "schema gistmill".to_owned(),
            before: Some(serde_json::json!(23)),
            after: Some(serde_json::json!(24)),
        };
        let shown = line(&entry);
        assert!(shown.ends_with("  ops\\u{1b}  migrate  -  schema gistmill  23 → 24"), "{shown}");
    }
}
