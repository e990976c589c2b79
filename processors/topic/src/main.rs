//! `topic` as a program of its own.

use std::process::ExitCode;
use topic::TopicFinder;

fn main() -> ExitCode {
    runtime::run(|host| host.processor(TopicFinder))
}
