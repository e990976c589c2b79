//! `gistmill dlq`: dead letters, and what could not be processed.

mod draining;
mod letter;
mod replaying;
mod selecting;
mod settling;
mod stat;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use operate::{LetterFilter, LetterPlace, OpenedLetter};
use topology::Map;

use crate::{
    exit::Exit,
    printing::{columns, fitted, reading_bar, show_progress},
    settings::Settings,
};
use letter::{letter_json, line, opened_json, show};
use selecting::{Selecting, States};

/// List and open dead letters: inputs that could not be processed
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill dlq stat                            one line for each kind of failure
  gistmill dlq ls
  gistmill dlq ls --tenant acme --reason unknown_schema --json
  gistmill dlq show 2:17
  gistmill dlq show 2:17 --raw value.bin       the bytes exactly as they were read

A dead letter is in the same transaction as the offset of its input: none is missing, and there is one for each time
that its input is read. A reset that goes back reads inputs again and makes their letters again; `ls` lists the newest
and says how many there are.

Next actions, by whoever sees to the input:
  investigate   the input itself is at fault: mend what produced it, and produce it anew. It is not read again
  fix_schema    its schema is missing or does not fit: register it, then `gistmill reset NAME --to TIME` reads again";

#[derive(Debug, Subcommand)]
enum Command {
    /// List dead letters, oldest first
    #[command(after_help = "\
Examples:
  gistmill dlq ls --tenant acme
  gistmill dlq ls --fingerprint 6f1ed002ab5d5000 --since 24h
  gistmill dlq ls --reason unknown_schema --limit 1000 --json")]
    Ls {
        #[command(flatten)]
        selecting: Selecting,
        /// What became of them: open, replayed, parked, discarded or all
        #[arg(long, value_name = "STATE", default_value = "open")]
        state: States,
        /// Most letters: the newest
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// List each letter of an input that has several, as after a reset
        #[arg(long)]
        each: bool,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Count dead letters by kind: equal failures are one line
    #[command(after_help = "\
Examples:
  gistmill dlq stat
  gistmill dlq stat --since 24h --json | jq -r '[.fingerprint, .inputs, .unit, .reason] | @tsv'

Failures are of one kind when unit, topic and reason are the same, and what they say but for numbers, ids and quoted text.")]
    Stat {
        #[command(flatten)]
        selecting: Selecting,
        /// What became of them: open, replayed, parked, discarded or all
        #[arg(long, value_name = "STATE", default_value = "open")]
        state: States,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Write inputs to their topics again, as they were; without --yes only show it
    #[command(after_help = replaying::AFTER_HELP)]
    Replay(replaying::Replay),
    /// Let inputs that have stopped a unit through into the dead letters; without --yes only show it
    #[command(after_help = draining::AFTER_HELP)]
    Drain(draining::Drain),
    /// Leave letters for later: they are no longer listed as open
    #[command(after_help = "\
Examples:
  gistmill dlq park 2:17 --reason 'waits for the new schema' --yes
  gistmill dlq park --fingerprint 6f1ed002ab5d5000            shows how many")]
    Park(settling::Park),
    /// Give letters up for good, with a reason
    #[command(after_help = "\
Examples:
  gistmill dlq discard 2:17 --reason 'a producer under test' --yes
  gistmill dlq discard --fingerprint 6f1ed002ab5d5000 --until 7d --reason 'never a message'

The letters stay in their topic until its retention takes them, and `gistmill dlq ls --state discarded` lists them.")]
    Discard(settling::Discard),
    /// Take back that letters were parked, discarded or replayed
    #[command(after_help = "\
Examples:
  gistmill dlq reopen 2:17 --yes")]
    Reopen(settling::Reopen),
    /// Open one dead letter
    #[command(after_help = "\
Examples:
  gistmill dlq show 2:17
  gistmill dlq show 2:17 --raw - | xxd | head")]
    Show {
        /// Where it lies, as `ls` prints it
        #[arg(value_name = "PARTITION:OFFSET")]
        place: LetterPlace,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Write the value that could not be processed to a file, byte for byte; `-` is standard output
        #[arg(long, value_name = "FILE", conflicts_with = "json")]
        raw: Option<PathBuf>,
    },
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match arguments.command {
        Command::Ls { selecting, state, limit, each, json } => {
            let filter = LetterFilter { selection: selecting.selection(&[])?, states: state.0, limit, each };
            list(&filter, json, settings, out)
        }
        Command::Stat { selecting, state, json } => {
            let selection = selecting.selection(&[])?;
            let filter = LetterFilter { selection, states: state.0, limit: 0, each: true };
            stat::stat(&filter, json, settings, out)
        }
        Command::Replay(arguments) => replaying::run(&arguments, settings, out),
        Command::Drain(arguments) => draining::run(&arguments, settings, out),
        Command::Park(arguments) => settling::park(&arguments, settings, out),
        Command::Discard(arguments) => settling::discard(&arguments, settings, out),
        Command::Reopen(arguments) => settling::reopen(&arguments, settings, out),
        Command::Show { place, json, raw } => {
            let opened = operate::dead_letter(&settings.config()?, &Map::embedded()?, place)?;
            match raw {
                Some(path) => write_raw(&opened, &path, out)?,
                None if json => writeln!(out, "{}", serde_json::to_string_pretty(&opened_json(&opened)?)?)?,
                None => show(&opened, out)?,
            }
            Ok(Exit::Done)
        }
    }
}

/// What nobody could tell: no part of the listing.
fn tell_unsettled(why: Option<&str>) {
    if let Some(why) = why {
        drop(writeln!(io::stderr(), "what was replayed, parked or discarded is among them: {why}"));
    }
}

fn list(filter: &LetterFilter, json: bool, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let bar = reading_bar();
    let letters = operate::dead_letters(&settings.config()?, filter, &mut |done, total| {
        show_progress(&bar, done, total);
    });
    bar.finish_and_clear();
    let letters = letters?;
    tell_unsettled(letters.unsettled.as_deref());
    let room = columns();
    for (letter, count) in &letters.newest {
        if json {
            let mut value = letter_json(letter);
            value["letters_of_input"] = (*count).into();
            writeln!(out, "{value}")?;
        } else {
            writeln!(out, "{}", fitted(&line(letter, *count, room), room))?;
        }
    }
    let shown = letters.newest.len() as u64;
    if !json && letters.matching == 0 {
        let wanted = if filter.selection.is_all() { "" } else { " of these" };
        writeln!(out, "no dead letters{wanted}")?;
    } else if letters.matching > shown {
        drop(writeln!(io::stderr(), "the newest {shown} of {}; --limit N shows more", letters.matching));
    }
    if !json && letters.matching > 0 && room.is_some() {
        drop(writeln!(io::stderr(), "`gistmill dlq show PARTITION:OFFSET` opens one"));
    }
    Ok(Exit::Done)
}

fn write_raw(opened: &OpenedLetter, path: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let letter = match &opened.letter.letter {
        Ok(letter) => letter,
        Err(why) => bail!("the record at {} is no dead letter: {why}", opened.letter.place),
    };
    let Some(value) = &letter.value else {
        bail!(
            "{} has no value: its input was a tombstone, or too large as its error says, and then lies at {}/{}:{} still",
            opened.letter.place,
            letter.topic,
            letter.partition,
            letter.offset
        )
    };
    if path.as_os_str() == "-" {
        return Ok(out.write_all(value)?);
    }
    fs::write(path, value).with_context(|| format!("could not write {}", path.display()))?;
    drop(writeln!(io::stderr(), "{} bytes written to {}", value.len(), path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{letter::tests::opened, *};

    #[test]
    fn raw_bytes_come_out_unchanged() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut out = Vec::new();
        write_raw(&opened(Some(bytes.clone())), Path::new("-"), &mut out).unwrap();
        assert_eq!(out, bytes);
        let error = write_raw(&opened(None), Path::new("-"), &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("tombstone"), "{error}");
    }
}
