//! `synthesis` as a program of its own.

use std::process::ExitCode;
use synthesis::Synthesis;

fn main() -> ExitCode {
    runtime::run(|host| host.fold(Synthesis::default()))
}
