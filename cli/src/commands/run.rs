//! `gistmill run NAME`: one processor or connector alone, as its own binary would.

use std::io::Write;

use clap::{Args, builder::PossibleValuesParser};

use crate::{assembly, commands::up, exit::Exit, settings::Settings};

/// Run one processor or sink in this process, until it is interrupted
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Its name in the map
    #[arg(value_parser = PossibleValuesParser::new(assembly::units()))]
    name: String,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill run window_builder
  GISTMILL_INSTANCE=b gistmill run synthesis      a second one beside the first; they share the partitions";

pub(crate) fn run(arguments: &Arguments, settings: &Settings, _: &mut dyn Write) -> anyhow::Result<Exit> {
    up::start(&[&arguments.name], settings)
}
