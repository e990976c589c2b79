//! `gistmill migrate`: the tables, views, policies and grants in Postgres.

use std::io::Write;

use clap::Args;

use crate::{exit::Exit, settings::Settings};

/// Bring the database's tables up to date
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {}

const AFTER_HELP: &str = "\
Examples:
  gistmill migrate                                   after `eval \"$(gistmill stack env)\"`
  GISTMILL_POSTGRES__OWNER_URL=postgres://... gistmill migrate

Migrations only go forward and can be run again. They need the role that owns the schema; everything else runs as
the application role, which row-level security holds.";

pub(crate) fn run(_: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let config = settings.config()?;
    let url = Settings::owner_url(&config)?;
    let schema = state::Schema::of_prefix(config.prefix.as_str())?;
    tokio::runtime::Runtime::new()?.block_on(state::migrate_by(url, &schema, &settings.operator()))?;
    writeln!(out, "schema {} is up to date", schema.as_str())?;
    Ok(Exit::Done)
}
