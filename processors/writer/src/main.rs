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
        let (asks, moderates) = (settings.asks(writer::NAME), settings.moderates(writer::NAME));
        host.lookup(Writer { asks, moderates, choice, ..Writer::default() })
    })
}
