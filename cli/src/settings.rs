//! Options that every command understands, and the configuration that they lead to.

use anyhow::Context;
use clap::Args;
use runtime::Config;
use std::path::PathBuf;
use topology::Prefix;

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Configuration file in TOML; the environment (`GISTMILL_KAFKA__BROKERS`, ...) overrides it
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Settings {
    /// The configuration: defaults, the file, the environment.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        Config::load(self.config.as_deref()).context("see `gistmill up --help` for where settings come from")
    }

    /// The same with another prefix, if one is given.
    pub(crate) fn config_with(&self, prefix: Option<&Prefix>) -> anyhow::Result<Config> {
        let mut config = self.config()?;
        if let Some(prefix) = prefix {
            config.prefix = prefix.clone();
        }
        Ok(config)
    }
}
