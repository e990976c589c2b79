//! `gistmill digest`: digests as Postgres holds them.

mod blocked;
mod find;
mod list;
mod now;
mod span;
mod waiting;

use std::io::Write;

use anyhow::Context;
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use rendering::{Extent, View};
use runtime::Host;
use schemas::ASKED_SIZE_HOURS;
use state::{DigestFilter, DigestFound, Store, StoredDigest};

use crate::{
    exit::Exit,
    printing::{columns, printable},
    settings::Settings,
};

/// List, read, export and ask for digests
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill digest ls --tenant acme
  gistmill digest show latest --tenant acme --group team
  gistmill digest now --tenant acme --group team --since 2h
  gistmill digest show 2f0c91ab --tenant acme --json    an id, or the beginning of one
  gistmill digest export --tenant acme --canonical | sha256sum

`export --canonical` holds the newest version of each window and nothing that differs between two runs over the same
input: no partition, offset, time of writing, trace or schema id.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a digest of the time until now, or of any other, and print it
    #[command(after_help = "\
Examples:
  gistmill digest now --tenant acme --group team
  gistmill digest now --tenant acme --group team --since 2h --json | jq -r .headline
  gistmill digest now --tenant acme --group team --since-last --deliver
  gistmill digest now --tenant acme --group team --between 2026-03-02 2026-03-03

It holds what is stored at the moment, stays as it is when the chat changes, and stands beside the digests of the group's
windows: `digest ls --asked` lists such ones. Exit code 1 where it is blocked, with the reason.")]
    Now(now::Now),
    #[command(flatten)]
    Read(Reading),
}

#[derive(Debug, Subcommand)]
enum Reading {
    /// List the newest digest of each window, oldest window first
    #[command(after_help = "\
Examples:
  gistmill digest ls --tenant acme --group team --limit 7
  gistmill digest ls --tenant acme --blocked
  gistmill digest ls --tenant acme --json | jq -r .headline")]
    Ls {
        #[command(flatten)]
        which: Which,
        /// Windows that have no digest, or none any more, with the reason
        #[arg(long)]
        blocked: bool,
        /// Those that somebody asked for with `digest now`
        #[arg(long)]
        asked: bool,
        /// Most windows, the newest of them
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Print a digest to read
    #[command(after_help = "\
Examples:
  gistmill digest show latest --tenant acme --group team
  gistmill digest show latest --tenant acme --full
  gistmill digest show latest --tenant acme --markdown > digest.md")]
    Show {
        /// Id of a digest or a window, the beginning of one, or `latest`
        id: String,
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// Print Markdown
        #[arg(long)]
        markdown: bool,
        /// Print everything: mood, people, score, version and ids too
        #[arg(long, conflicts_with = "json")]
        full: bool,
    },
    /// Print every digest as JSON lines
    #[command(after_help = "\
Examples:
  gistmill digest export --tenant acme > digests.jsonl
  gistmill digest export --tenant acme --canonical | sha256sum")]
    Export {
        #[command(flatten)]
        which: Which,
        /// Only what two runs over the same input agree on
        #[arg(long)]
        canonical: bool,
    },
}

#[derive(Debug, Args)]
struct Which {
    /// Tenant
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: String,
    /// Group; all of the tenant's when left out
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    group: Option<String>,
}

impl Which {
    fn filter(&self, limit: Option<u32>) -> DigestFilter {
        let (tenant_id, group_id) = (self.tenant.clone(), self.group.clone());
        DigestFilter { tenant_id, group_id, asked: false, limit }
    }

    /// Those that somebody asked for.
    fn asked(&self, limit: Option<u32>) -> DigestFilter {
        DigestFilter { asked: true, ..self.filter(limit) }
    }

    /// Whose digests, in words.
    fn owner(&self) -> String {
        let tenant = printable(&self.tenant);
        self.group
            .as_ref()
            .map_or_else(|| format!("tenant {tenant}"), |group| format!("{tenant}/{}", printable(group)))
    }
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match arguments.command {
        Command::Now(now) => now::run(&now, settings, out),
        Command::Read(reading) => read(reading, settings, out),
    }
}

fn read(reading: Reading, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    host.block_on(async {
        store.ready().await.context("could not read digests")?;
        match reading {
            Reading::Ls { which, blocked: true, asked, limit, json } => {
                list::blocked(&store, &which, (asked, limit, json), out).await
            }
            Reading::Ls { which, asked, limit, json, .. } => {
                list::digests(&store, &which, (asked, limit, json), out).await
            }
            Reading::Show { id, which, json, markdown, full } => {
                let digest = find::find(&store, &id, &which).await?;
                let extent = if full { Extent::Everything } else { Extent::Page };
                show(&digest, Form { json, markdown, extent }, out)
            }
            Reading::Export { which, canonical } => export(&store, &which, canonical, out).await,
        }
    })
}

fn day(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
}

/// Hours of a window: its size, or of one that somebody asked for how long it is, rounded up.
fn hours(size_hours: i32, start_ms: i64, end_ms: i64) -> i64 {
    const HOUR_MS: i64 = 3_600_000;
    if size_hours == ASKED_SIZE_HOURS {
        end_ms.saturating_sub(start_ms).saturating_add(HOUR_MS - 1) / HOUR_MS
    } else {
        i64::from(size_hours)
    }
}

/// How a digest is printed; by default as the page that readers get, for a terminal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Form {
    /// As JSON.
    pub(crate) json: bool,
    /// As Markdown.
    pub(crate) markdown: bool,
    /// How much of the digest.
    pub(crate) extent: Extent,
}

pub(crate) fn show(stored: &StoredDigest, form: Form, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if form.json {
        writeln!(out, "{}", serde_json::to_string_pretty(stored)?)?;
        return Ok(Exit::Done);
    }
    let summary = &stored.summary;
    let window = stored.window();
    let view = View {
        tenant_id: &summary.tenant_id,
        group_id: &summary.group_id,
        digest_id: &summary.digest_id,
        version: &summary.version,
        window: &window,
        digest: &stored.digest,
        extent: form.extent,
    };
    if form.markdown {
        out.write_all(rendering::markdown(&view).as_bytes())?;
        return Ok(Exit::Done);
    }
    let colour = console::colors_enabled();
    out.write_all(rendering::terminal(&view, width(form.extent), colour).as_bytes())?;
    Ok(Exit::Done)
}

/// Columns of a page; 100 when output goes elsewhere, and 80 for a glance, which is shown beside other lines.
fn width(extent: Extent) -> usize {
    let elsewhere = if extent == Extent::Glance { 80 } else { 100 };
    columns().map_or(elsewhere, |columns| columns.clamp(40, 120))
}

async fn export(store: &Store, which: &Which, canonical: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if canonical {
        for digest in store.digest_export(&which.filter(None)).await? {
            writeln!(out, "{}", serde_json::to_string(&digest)?)?;
        }
        return Ok(Exit::Done);
    }
    for summary in store.digest_list(&which.filter(None)).await? {
        // One that was withdrawn since it was listed is left out.
        if let Some(DigestFound::Stored(digest)) =
            store.digest_show(&which.tenant, &summary.digest_id).await?
        {
            writeln!(out, "{}", serde_json::to_string(&digest)?)?;
        }
    }
    Ok(Exit::Done)
}
