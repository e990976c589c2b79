//! The HTTP door as a program of its own; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run_program(|config| {
        gateway::run(config).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    })
}
