//! `gistmill doctor`: is everything in place, and what to do where it is not.

mod index;

use std::io::Write;

use clap::Args;
use console::style;
use operate::{Check, Level};
use topology::Map;

use crate::{
    exit::Exit,
    printing::{columns, wrapped},
    settings::Settings,
};

/// Cells of a level and the space after it, and of a check's name.
const LEVEL: usize = 6;
const NAME: usize = 20;
/// A terminal of fewer columns has no room for findings beside names.
const NARROW: usize = 70;

/// Check that everything is in place
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill doctor
  gistmill doctor --json | jq '.checks[] | select(.level == \"fail\")'

Changes nothing. Exit codes: 0 nothing failed (there may be warnings), 1 something failed, 3 something that has to
run does not answer.";

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let checks = match settings.config() {
        Ok(config) => {
            let mut checks = vec![read_well()];
            let map = Map::embedded()?;
            checks.extend(operate::doctor(&config, &map)?);
            checks.extend(index::check(&config, &map)?);
            checks.extend(telegram_bot_source::check(&config.telegram));
            checks
        }
        Err(error) => vec![misread(&error)],
    };
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&serde_json::json!({ "checks": checks }))?)?;
    } else {
        checks.iter().try_for_each(|check| line(check, columns(), out))?;
    }
    Ok(verdict(&checks))
}

fn read_well() -> Check {
    let finding = "every key is known and every value within its bounds".to_owned();
    Check { name: "configuration", level: Level::Ok, finding, advice: None, is_away: false }
}

fn misread(error: &anyhow::Error) -> Check {
    let advice =
        Some("correct the key that it names, in the file or the environment (GISTMILL_...)".to_owned());
    let finding = error.root_cause().to_string();
    Check { name: "configuration", level: Level::Fail, finding, advice, is_away: false }
}

fn line(check: &Check, columns: Option<usize>, out: &mut dyn Write) -> std::io::Result<()> {
    let level = match check.level {
        Level::Ok => style("ok  ").green(),
        Level::Skip => style("-   ").dim(),
        Level::Warn => style("warn").yellow(),
        Level::Fail => style("FAIL").red().bold(),
    };
    let is_narrow = columns.is_some_and(|columns| columns < NARROW);
    let indent = if is_narrow { LEVEL } else { LEVEL + NAME + 1 };
    let finding = wrapped(&check.finding, indent, columns);
    if is_narrow {
        writeln!(out, "{level}  {}\n{:indent$}{finding}", check.name, "")?;
    } else {
        writeln!(out, "{level}  {:<NAME$} {finding}", check.name)?;
    }
    match &check.advice {
        Some(advice) => writeln!(out, "{:indent$}→ {}", "", wrapped(advice, indent + 2, columns)),
        None => Ok(()),
    }
}

fn verdict(checks: &[Check]) -> Exit {
    if checks.iter().any(|check| check.is_away) {
        Exit::NotRunning
    } else if checks.iter().any(|check| check.level == Level::Fail) {
        Exit::Failed
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(level: Level, is_away: bool) -> Check {
        Check { name: "c", level, finding: "f".to_owned(), advice: Some("a".to_owned()), is_away }
    }

    #[test]
    fn the_worst_check_is_the_exit_code() {
        assert_eq!(verdict(&[check(Level::Ok, false), check(Level::Warn, false)]), Exit::Done);
        assert_eq!(verdict(&[check(Level::Fail, false), check(Level::Ok, false)]), Exit::Failed);
        assert_eq!(verdict(&[check(Level::Fail, false), check(Level::Fail, true)]), Exit::NotRunning);
    }

    #[test]
    fn advice_stands_under_its_finding() {
        let mut out = Vec::new();
        line(&check(Level::Warn, false), None, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "warn  c                    f\n                           → a\n");
    }

    #[test]
    fn a_narrow_terminal_has_the_finding_below_the_name() {
        let finding = "schema gistmill has no tables of this version: run `gistmill migrate`".to_owned();
        let mut out = Vec::new();
        line(&Check { finding, ..check(Level::Fail, false) }, Some(40), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = "\
FAIL  c
      schema gistmill has no tables of
      this version: run `gistmill
      migrate`
      → a
";
        assert_eq!(text, expected);
    }
}
