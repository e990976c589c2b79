//! `gistmill search`: messages and digests by their words, by what they are about, or by both.
//!
//! Invariant: a query is data; and a search that cannot be made as it was asked for fails, it never becomes another one.

mod asked;
mod meaning;
mod print;
pub(super) mod since;
mod way;

use std::io::{self, Write};

use anyhow::Context;
use clap::{Args, ValueEnum, builder::NonEmptyStringValueParser};
use jiff::{Timestamp, tz::TimeZone};
use runtime::Host;
use serde::Serialize;
use state::{DigestHit, MessageHit, Outcome, SearchQuery};

use super::known;
use crate::{exit::Exit, printing::columns, settings::Settings};
pub(crate) use asked::BadQuery;
pub(crate) use meaning::NoIndex;
use way::By;

/// Search messages and digests
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Words, in Russian or English: whatever their endings; "a phrase" in quotes and -without are kept to
    query: String,
    /// Tenant; may be left out where there is one only
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: Option<String>,
    /// Group; all of the tenant's when left out
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    group: Option<String>,
    /// Only messages of this author, by id or name
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    author: Option<String>,
    /// Only what was said since: `2026-03-01`, `2026-03-01T09:00`, `7d`, `12h`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only messages, or only digests
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    #[command(flatten)]
    by: By,
    /// Most hits
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill search \"retry storm\" --tenant acme
  gistmill search '\"retry storm\" -staging' --tenant acme --group team --since 30d
  gistmill search шторм --author Ann --kind message
  gistmill search \"who looks after the cluster at night?\" --tenant acme --hybrid
  gistmill search \"retry storm\" --tenant acme --json | jq -r .message_id

A hit need not have all words, unless the query has a phrase or a `-`: rare ones count for more, and of texts that have the same ones the shorter is first.
Edited messages are found by their newest text, deleted ones and digests that were withdrawn not at all.
--semantic and --hybrid need Qdrant (qdrant.url) and fail where it is away or holds nothing yet: --text needs Postgres
alone.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Message,
    Digest,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Hit {
    Message(MessageHit),
    Digest(DigestHit),
}

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let zone = TimeZone::system();
    let query = asked::query(arguments, Timestamp::now(), &zone)?;
    let config = settings.config()?;
    let host = Host::new(config.clone(), 1)?;
    let store = host.store()?;
    let (outcome, none) = host.block_on(async {
        store.ready().await.context("could not search")?;
        let query = SearchQuery { tenant_id: asked::tenant(&store, arguments).await?, ..query };
        let found = way::search(&store, &config, (&query, arguments.kind), arguments.by.way()).await?;
        let is_none = matches!(&found, Outcome::Hits(hits) if hits.is_empty());
        let none = if is_none {
            known::unknown(&store, &query.tenant_id, query.group_id.as_deref()).await?
        } else {
            None
        };
        anyhow::Ok((found, none))
    })?;
    let hits = match outcome {
        Outcome::Hits(hits) => hits,
        Outcome::NoWords => {
            note(
                "every word of the query is as common as \"the\" or \"и\": add one that says what it is about",
            );
            Vec::new()
        }
    };
    if hits.is_empty() {
        note(none.as_deref().unwrap_or("nothing was found"));
    }
    for hit in &hits {
        if arguments.json {
            writeln!(out, "{}", serde_json::to_string(&print::WithTime::of(hit, &zone))?)?;
        } else {
            write!(out, "{}", print::page(hit, &zone, columns(), console::colors_enabled()))?;
        }
    }
    Ok(Exit::Done)
}

/// What is said of hits is none of them.
fn note(text: &str) {
    // Nothing is left to tell a failure of standard error to.
    drop(writeln!(io::stderr(), "{text}"));
}
