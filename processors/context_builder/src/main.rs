//! `context_builder` as a program of its own.

use context_builder::ContextBuilder;
use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run(|host| host.lookup(ContextBuilder::default()))
}
