//! `thread_builder` as a program of its own.

use std::process::ExitCode;
use thread_builder::ThreadBuilder;

fn main() -> ExitCode {
    runtime::run(|host| host.processor(ThreadBuilder))
}
