//! `gistmill up`: every processor and connector in one process, for development.

use std::io::{IsTerminal, Write, stderr};

use clap::{Args, builder::PossibleValuesParser};
use runtime::Host;

use crate::{assembly, exit::Exit, settings::Settings};

/// Run every processor and sink in this process, until it is interrupted
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Leave these out; may be repeated
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(assembly::units()))]
    without: Vec<String>,
}

const AFTER_HELP: &str = "\
Examples:
  eval \"$(gistmill stack env)\" && gistmill up
  GISTMILL_HTTP__LISTEN=127.0.0.1:9100 gistmill up      with /livez, /readyz and /metrics
  gistmill --config gistmill.toml up --without file_sink

Settings come from defaults, then --config FILE, then the environment: GISTMILL_KAFKA__BROKERS,
GISTMILL_KAFKA__PROPERTIES='security.protocol=SASL_SSL;...' (any librdkafka property), GISTMILL_REGISTRY__URL,
GISTMILL_POSTGRES__URL, GISTMILL_PREFIX, GISTMILL_INSTANCE, GISTMILL_FILES__DIRECTORY, GISTMILL_TELEGRAM__TOKEN
(without it telegram_sink and telegram_bot_source are left out), GISTMILL_TELEGRAM_SESSION__API_ID (without it
telegram_session_source is), GISTMILL_TELEMETRY__LOG, GISTMILL_TELEMETRY__OTLP_ENDPOINT, 
DIGEST_AGENT_ENABLED, DIGEST_AGENT_CANARY_TENANTS, DIGEST_DELIVERY_SCOPE, DIGEST_QUALITY_THRESHOLD. OTEL_EXPORTER_OTLP_ENDPOINT, .._TRACES_ENDPOINT, .._HEADERS and .._COMPRESSION are heard, as
OpenTelemetry has them. What is away at start is waited for, and the log says what it is.";

pub(crate) fn run(arguments: &Arguments, settings: &Settings, _: &mut dyn Write) -> anyhow::Result<Exit> {
    let wanted = |name: &&str| !arguments.without.iter().any(|without| without == name);
    let units = assembly::used(&settings.config()?)?;
    start(&units.into_iter().filter(wanted).collect::<Vec<_>>(), settings)
}

/// Runs the named units to their end.
pub(crate) fn start(units: &[&str], settings: &Settings) -> anyhow::Result<Exit> {
    let mut config = settings.config()?;
    config.telemetry.json &= !stderr().is_terminal();
    runtime::start_logging(&config.telemetry).map_err(anyhow::Error::msg)?;
    tracing::info!(?config, "configuration");
    let mut host = Host::new(config, units.len())?;
    host.stop_on_signals();
    for name in units {
        assembly::add(&mut host, name)?;
    }
    host.run()?;
    Ok(Exit::Done)
}
