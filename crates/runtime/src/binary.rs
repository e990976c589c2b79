//! The main function of every processor's and connector's own binary.

use crate::{Config, Host, HostError, start_logging};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

const HELP: &str = "\
Runs one program of the pipeline until SIGTERM.

  --config FILE   settings in TOML; the environment (GISTMILL_KAFKA__BROKERS, ...) overrides them
  --help          this text

Exit codes: 0 stopped in order, 1 could not go on, 2 wrong command line.
";

/// Runs the unit that `add` puts into the process: `runtime::run(|host| host.processor(Segmenter::default()))`.
pub fn run(add: impl FnOnce(&mut Host) -> Result<(), HostError>) -> ExitCode {
    run_program(|config| {
        let mut host = Host::new(config, 1).map_err(|error| error.to_string())?;
        host.stop_on_signals();
        add(&mut host).and_then(|()| host.run()).map_err(|error| error.to_string())
    })
}

/// Runs a program that is no unit, with the configuration and the log that every program has.
pub fn run_program(program: impl FnOnce(Config) -> Result<(), String>) -> ExitCode {
    let file = match arguments(std::env::args().skip(1)) {
        Ok(file) => file,
        Err(usage) => return say(&usage, if usage == HELP { 0 } else { 2 }),
    };
    match start(file.as_deref(), program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => say(&format!("error: {why}\n"), 1),
    }
}

fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<Option<PathBuf>, String> {
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, ..) => Ok(None),
        (Some("--help" | "-h"), None, None) => Err(HELP.to_owned()),
        (Some("--config"), Some(file), None) => Ok(Some(file.into())),
        (Some(other), ..) => {
            Err(format!("error: could not read the command line at {other:?}; see --help\n"))
        }
    }
}

fn start(file: Option<&Path>, program: impl FnOnce(Config) -> Result<(), String>) -> Result<(), String> {
    let config = Config::load(file).map_err(|error| error.to_string())?;
    start_logging(&config.telemetry)?;
    tracing::info!(?config, "configuration");
    program(config)
}

fn say(text: &str, code: u8) -> ExitCode {
    // Nothing is left to tell a failure of standard error to.
    drop(std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()));
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_a_configuration_file_can_be_given() {
        let read = |line: &[&str]| super::arguments(line.iter().map(ToString::to_string));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["--config", "a.toml"]), Ok(Some("a.toml".into())));
        assert!(read(&["--config"]).is_err());
        assert!(read(&["--cofnig", "a.toml"]).is_err_and(|text| text.contains("--cofnig")));
    }
}
