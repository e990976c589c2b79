//! Options that every command understands, and the configuration that they lead to.

use anyhow::Context;
use clap::{Args, builder::NonEmptyStringValueParser};
use runtime::{Config, config::Telemetry};
use std::path::PathBuf;

/// Options of every command.
#[derive(Debug, Default, Args)]
pub(crate) struct Settings {
    /// Configuration file in TOML; the environment (`GISTMILL_KAFKA__BROKERS`, ...) overrides it
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Who you are, for the audit log; otherwise the user of this system
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    operator: Option<String>,
}

/// What a system calls who is logged in, whoever became root since first.
const USERS: [&str; 3] = ["SUDO_USER", "USER", "LOGNAME"];

impl Settings {
    /// The configuration: defaults, the file, the environment.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        Config::load(self.config.as_deref()).context("settings are described in `gistmill up --help`")
    }

    /// Who changes something, as the audit log names them.
    pub(crate) fn operator(&self) -> String {
        #[expect(clippy::disallowed_methods, reason = "who acts is no setting: the system says it")]
        let of_system =
            || USERS.iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
        self.operator.clone().or_else(of_system).unwrap_or_else(|| "unknown".to_owned())
    }

    /// Address of the database as the owner of its tables.
    pub(crate) fn owner_url(config: &Config) -> anyhow::Result<&str> {
        let url = config.postgres_owner_url();
        url.context("set postgres.owner_url (GISTMILL_POSTGRES__OWNER_URL) to the database as its owner")
    }

    /// Logs of a command that a person waits for: what goes wrong, as text; `telemetry.log` overrides it.
    pub(crate) fn start_logging(config: &Config) -> anyhow::Result<()> {
        let mut telemetry = config.telemetry.clone();
        if telemetry.log == Telemetry::default().log {
            // What librdkafka says of a broker that is away, the waiting line says better.
            "warn,librdkafka=off,rdkafka=off".clone_into(&mut telemetry.log);
            telemetry.json = false;
        }
        runtime::start_logging(&telemetry).map_err(anyhow::Error::msg)
    }
}
