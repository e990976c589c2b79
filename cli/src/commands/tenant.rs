//! `gistmill tenant`: how long a tenant's messages are kept.

use std::io::{self, Write};

use anyhow::Context;
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use runtime::Host;
use serde_json::json;
use state::{RETENTION_DAYS_MIN, Retention};
use telegram_export_source::Group;

use crate::{
    exit::Exit,
    printing::{printable, when},
    settings::Settings,
};

/// List tenants, and set how long their messages are kept
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill tenant ls
  gistmill tenant set --tenant acme --retention-days 365
  gistmill tenant set --tenant acme --keep-all

`gistmill maintain` takes what is older. Without a retention all is kept.";

#[derive(Debug, Subcommand)]
enum Command {
    /// List tenants, with how long their messages are kept
    #[command(after_help = "\
Examples:
  gistmill tenant ls
  gistmill tenant ls --json | jq -r 'select(.retention_days == null) | .tenant_id'")]
    Ls {
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Set how long a tenant's messages are kept, with what was made of them
    #[command(after_help = "\
Examples:
  gistmill tenant set --tenant acme --retention-days 365
  gistmill tenant set --tenant acme --keep-all --json

Nothing is taken until `gistmill maintain` runs; `gistmill maintain --dry-run` counts what it would take. What was taken comes
back by neither a longer retention nor a reset: sinks write nothing from before it again, and an import of it makes no digests.")]
    Set {
        /// Tenant
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        tenant: String,
        /// Days that messages are kept after they were sent
        #[arg(long, value_name = "DAYS", required_unless_present = "keep_all",
            value_parser = clap::value_parser!(u32).range(i64::from(RETENTION_DAYS_MIN)..=36_500))]
        retention_days: Option<u32>,
        /// Keep all of them
        #[arg(long, conflicts_with = "retention_days")]
        keep_all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    host.block_on(async {
        store.ready().await.context("could not ask for tenants")?;
        match arguments.command {
            Command::Ls { json } => {
                let tenants = store.tenants().await?;
                for tenant in &tenants {
                    writeln!(out, "{}", line(tenant, store.retention(tenant).await?, json))?;
                }
                if tenants.is_empty() && !json {
                    drop(writeln!(io::stderr(), "no tenant has anything; `gistmill import` brings some"));
                }
            }
            Command::Set { tenant, retention_days, keep_all: _, json } => {
                // A name that could be no part of a key has no messages, ever.
                Group::new(&tenant, "any")?;
                let before = store.set_retention(&tenant, retention_days, &settings.operator()).await?;
                let after = Retention { days: retention_days, ..before };
                writeln!(out, "{}", line(&tenant, after, json))?;
            }
        }
        Ok(Exit::Done)
    })
}

fn line(tenant: &str, Retention { days, taken_before }: Retention, is_json: bool) -> String {
    let taken_before = taken_before.map(when);
    if is_json {
        return json!({ "tenant_id": tenant, "retention_days": days, "taken_before": taken_before })
            .to_string();
    }
    let kept = days.map_or_else(|| "keeps all".to_owned(), |days| format!("keeps {days} days"));
    let taken = taken_before.map_or_else(String::new, |at| format!(", nothing from before {at}"));
    format!("{:<24} {kept}{taken}", printable(tenant))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::line::Line;

    fn parsed(words: &[&str]) -> Result<Arguments, clap::Error> {
        Line::<Arguments>::try_parse_from(["tenant"].iter().chain(words)).map(|line| line.arguments)
    }

    #[test]
    fn a_retention_is_of_two_days_or_more_and_is_said_or_ended_not_both() {
        for refused in [
            &["set", "--tenant", "acme"][..],
            &["set", "--tenant", "acme", "--retention-days", "1"],
            &["set", "--tenant", "acme", "--retention-days", "9", "--keep-all"],
            &["set", "--retention-days", "9"],
        ] {
            assert!(parsed(refused).is_err(), "{refused:?}");
        }
        assert!(parsed(&["set", "--tenant", "acme", "--keep-all"]).is_ok());
    }

    #[test]
    fn a_line_says_what_is_kept_and_what_was_taken() {
        let all = Retention::default();
        assert_eq!(line("acme", all, false), "acme                     keeps all");
        let some = Retention { days: Some(30), taken_before: Some(0) };
        assert_eq!(
            line("acme", some, false),
            "acme                     keeps 30 days, nothing from before 1970-01-01T00:00:00.000Z"
        );
        assert_eq!(
            line("acme", some, true),
            r#"{"retention_days":30,"taken_before":"1970-01-01T00:00:00.000Z","tenant_id":"acme"}"#
        );
    }
}
