//! `gistmill completions`: the shell learns the command line.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Cli;
use crate::exit::Exit;

/// Print a script that completes the command line in a shell
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The shell to write for
    shell: Shell,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill completions bash > ~/.local/share/bash-completion/completions/gistmill
  gistmill completions zsh > \"${fpath[1]}/_gistmill\"
  gistmill completions fish > ~/.config/fish/completions/gistmill.fish";

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    // Through a buffer: the generator would panic on a pipe that was closed.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "gistmill", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_knows_the_subcommands() {
        let mut out = Vec::new();
        assert_eq!(run(&Arguments { shell: Shell::Bash }, &mut out).unwrap(), Exit::Done);
        assert!(String::from_utf8(out).unwrap().contains("stack"));
    }
}
