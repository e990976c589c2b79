//! `roles` as a program of its own.

use roles::RoleFinder;
use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run(|host| host.processor(RoleFinder))
}
