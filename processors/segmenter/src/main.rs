//! `segmenter` as a program of its own.

use segmenter::Segmenter;
use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run(|host| host.processor(Segmenter))
}
