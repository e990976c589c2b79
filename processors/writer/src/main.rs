//! `writer` as a program of its own.

use std::process::ExitCode;
use writer::Writer;

fn main() -> ExitCode {
    runtime::run(|host| {
        let asks = host.config().llm.asks(writer::NAME);
        host.lookup(Writer { asks, ..Writer::default() })
    })
}
