//! `writer` as a program of its own.

use runtime::HostError;
use std::process::ExitCode;
use writer::{Choice, UnknownPrompt, Writer};

fn main() -> ExitCode {
    runtime::run(|host| {
        let settings = &host.config().llm;
        let refused = |error: UnknownPrompt| HostError::Start {
            what: "read llm.prompts.writer",
            why: error.to_string(),
        };
        let choice = Choice::new(settings.prompt(writer::NAME)).map_err(refused)?;
        host.lookup(Writer { asks: settings.asks(writer::NAME), choice, ..Writer::default() })
    })
}
