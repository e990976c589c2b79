//! `emotion` as a program of its own.

use emotion::Emotion;
use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run(|host| host.processor(Emotion))
}
