//! `window_builder` as a program of its own.

use std::process::ExitCode;
use window_builder::WindowBuilder;

fn main() -> ExitCode {
    runtime::run(|host| host.fold(WindowBuilder::default()))
}
