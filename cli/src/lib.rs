//! `gistmill`, the operator's program: one file of `commands` for each subcommand.
//!
//! Invariant: data goes to standard output, everything said about it to standard error; scripts are told the outcome
//! by the exit code.

mod assembly;
mod commands;
mod exit;
#[cfg(test)]
mod line;
mod printing;
mod settings;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{exit::Exit, settings::Settings};

/// Chat messages become written digests, exactly once, through Kafka.
#[derive(Debug, Parser)]
#[command(name = "gistmill", version, propagate_version = true, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill stack up                      start Kafka, the schema registry and Postgres
  eval \"$(gistmill stack env)\"           export their addresses to this shell
  gistmill topology apply                make topics, register schemas
  gistmill migrate                       make the tables
  gistmill up                            run every processor in this process
  gistmill import result.json --tenant acme --group team
  gistmill digest ls --tenant acme
  gistmill search \"retry storm\" --tenant acme
  gistmill completions bash > ~/.local/share/bash-completion/completions/gistmill

Exit codes:
  0  done
  1  failed; standard error says why and what to do next
  2  the command line is wrong
  3  what the command needs is not running";

#[derive(Debug, Subcommand)]
enum Command {
    Stack(commands::stack::Arguments),
    Topology(commands::topology::Arguments),
    Migrate(commands::migrate::Arguments),
    Up(commands::up::Arguments),
    Run(commands::run::Arguments),
    Import(commands::import::Arguments),
    Gateway(commands::gateway::Arguments),
    Group(commands::group::Arguments),
    Telegram(commands::telegram::Arguments),
    Digest(commands::digest::Arguments),
    Search(commands::search::Arguments),
    Delivery(commands::delivery::Arguments),
    Webhook(commands::webhook::Arguments),
    Email(commands::email::Arguments),
    Keys(commands::keys::Arguments),
    Cost(commands::cost::Arguments),
    Prompts(commands::prompts::Arguments),
    Lag(commands::lag::Arguments),
    Metrics(commands::metrics::Arguments),
    Tap(commands::tap::Arguments),
    Trace(commands::trace::Arguments),
    Dlq(commands::dlq::Arguments),
    Verify(commands::verify::Arguments),
    Reset(commands::reset::Arguments),
    Txn(commands::txn::Arguments),
    Erase(commands::erase::Arguments),
    Audit(commands::audit::Arguments),
    Tenant(commands::tenant::Arguments),
    Maintain(commands::maintain::Arguments),
    Doctor(commands::doctor::Arguments),
    Demo(commands::demo::Arguments),
    Eval(commands::eval::Arguments),
    Bench(commands::bench::Arguments),
    Completions(commands::completions::Arguments),
}

impl Command {
    fn run(self, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
        match self {
            Self::Stack(arguments) => commands::stack::run(arguments, out),
            Self::Topology(arguments) => commands::topology::run(arguments, settings, out),
            Self::Migrate(arguments) => commands::migrate::run(&arguments, settings, out),
            Self::Up(arguments) => commands::up::run(&arguments, settings, out),
            Self::Run(arguments) => commands::run::run(&arguments, settings, out),
            Self::Import(arguments) => commands::import::run(&arguments, settings, out),
            Self::Gateway(arguments) => commands::gateway::run(arguments, settings, out),
            Self::Group(arguments) => commands::group::run(arguments, settings, out),
            Self::Telegram(arguments) => commands::telegram::run(arguments, settings, out),
            Self::Digest(arguments) => commands::digest::run(arguments, settings, out),
            Self::Search(arguments) => commands::search::run(&arguments, settings, out),
            Self::Delivery(arguments) => commands::delivery::run(arguments, settings, out),
            Self::Webhook(arguments) => commands::webhook::run(arguments, settings, out),
            Self::Email(arguments) => commands::email::run(arguments, settings, out),
            Self::Keys(arguments) => commands::keys::run(arguments, settings, out),
            Self::Cost(arguments) => commands::cost::run(&arguments, settings, out),
            Self::Prompts(arguments) => commands::prompts::run(&arguments, settings, out),
            Self::Lag(arguments) => commands::lag::run(&arguments, settings, out),
            Self::Metrics(arguments) => commands::metrics::run(&arguments, out),
            Self::Tap(arguments) => commands::tap::run(arguments, settings, out),
            Self::Trace(arguments) => commands::trace::run(&arguments, settings, out),
            Self::Dlq(arguments) => commands::dlq::run(arguments, settings, out),
            Self::Verify(arguments) => commands::verify::run(&arguments, settings, out),
            Self::Reset(arguments) => commands::reset::run(arguments, settings, out),
            Self::Txn(arguments) => commands::txn::run(&arguments, settings, out),
            Self::Erase(arguments) => commands::erase::run(&arguments, settings, out),
            Self::Tenant(arguments) => commands::tenant::run(arguments, settings, out),
            Self::Maintain(arguments) => commands::maintain::run(&arguments, settings, out),
            Self::Audit(arguments) => commands::audit::run(arguments, settings, out),
            Self::Doctor(arguments) => commands::doctor::run(&arguments, settings, out),
            Self::Demo(arguments) => commands::demo::run(&arguments, settings, out),
            Self::Eval(arguments) => commands::eval::run(arguments, settings, out),
            Self::Bench(arguments) => commands::bench::run(arguments, out),
            Self::Completions(arguments) => commands::completions::run(&arguments, out),
        }
    }
}

/// Parses the command line, runs the command and reports a failure on standard error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = cli.command.run(&cli.settings, &mut io::stdout().lock());
    outcome.unwrap_or_else(|error| exit::report(&error, &mut io::stderr().lock())).into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    fn assert_is_not_said_twice(command: &clap::Command, of_all: &[String]) {
        for command in command.get_subcommands() {
            for argument in command.get_arguments().filter(|argument| !argument.is_global_set()) {
                let id = argument.get_id().to_string();
                assert!(!of_all.contains(&id), "{} has a --{id} of its own", command.get_name());
            }
            assert_is_not_said_twice(command, of_all);
        }
    }

    #[test]
    fn no_command_has_an_option_by_the_name_of_one_of_all() {
        let cli = Cli::command();
        let of_all = cli.get_arguments().filter(|argument| argument.is_global_set());
        let of_all: Vec<String> = of_all.map(|argument| argument.get_id().to_string()).collect();
        assert!(of_all.contains(&"operator".to_owned()), "{of_all:?}");
        assert_is_not_said_twice(&cli, &of_all);
    }

    fn assert_shows_examples(command: &clap::Command) {
        for command in command.get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n"), "{}", command.get_name());
            assert_shows_examples(command);
        }
    }

    #[test]
    fn every_command_shows_examples() {
        assert_shows_examples(&Cli::command());
    }

    fn run(line: &[&str]) -> anyhow::Result<Exit> {
        let cli = Cli::parse_from(["gistmill"].iter().chain(line));
        cli.command.run(&cli.settings, &mut Vec::new())
    }

    #[test]
    fn an_unknown_key_of_the_file_stops_what_reads_it_and_nothing_else() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[kafka]\nbrokerz = 'x'\n").unwrap();
        let path = file.path().to_str().unwrap();
        for command in ["plan", "apply"] {
            let error = format!("{:#}", run(&["--config", path, "topology", command]).unwrap_err());
            assert!(error.contains("brokerz"), "{error}");
        }
        assert_eq!(run(&["--config", path, "topology", "check"]).unwrap(), Exit::Done);
    }
}
