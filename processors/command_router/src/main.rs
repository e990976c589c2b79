//! `command_router` as a program of its own.

use command_router::CommandRouter;

fn main() -> std::process::ExitCode {
    runtime::run(|host| host.fold(CommandRouter))
}
