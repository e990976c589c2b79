//! `gistmill stack env`: the addresses of a stack, for a shell or as JSON.
//!
//! Invariant: a shell that evaluates them fails where a part is not healthy, and has the others' addresses all the same.

use std::io::Write;
use std::path::Path;

use stack::{Options, Part};

use super::note;
use crate::exit::Exit;

pub(super) fn print(options: &Options, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match stack::addresses(options) {
        Ok((addresses, sick)) => {
            variables(&addresses, json, out)?;
            told(&sick, &options.data_dir, json, out)
        }
        Err(error) => {
            if !json {
                writeln!(out, "{}", failing_statement(&options.data_dir))?;
            }
            Err(error.into())
        }
    }
}

fn variables(addresses: &stack::Addresses, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let variables = addresses.variables();
    if json {
        let object: serde_json::Map<_, _> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&object)?)?;
    } else {
        for (name, value) in variables {
            writeln!(out, "export {name}='{value}'")?;
        }
    }
    Ok(())
}

/// Says which parts are not healthy, to `eval` too.
fn told(sick: &[Part], data_dir: &Path, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if sick.is_empty() {
        return Ok(Exit::Done);
    }
    let names = sick.iter().map(|part| part.name()).collect::<Vec<_>>().join(", ");
    let text = format!(
        "gistmill: not running: {names} in {}; start it with `gistmill stack up`",
        data_dir.display()
    );
    if json {
        note(&text);
    } else {
        writeln!(out, "{}", failing(&text))?;
    }
    Ok(Exit::NotRunning)
}

/// For `eval`, which sees nothing of how the command ended whose output it runs: it fails there, too.
fn failing_statement(data_dir: &Path) -> String {
    let text = format!("gistmill: this shell has no addresses of the stack in {}", data_dir.display());
    failing(&text)
}

fn failing(text: &str) -> String {
    format!("echo '{}' >&2; false", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_evaluates_the_addresses_of_no_stack_fails() {
        let outer = tempfile::tempdir().unwrap();
        let data_dir = outer.path().join("Ann's");
        let mut out = Vec::new();
        let options = Options { data_dir: data_dir.clone(), ..Options::default() };
        assert!(print(&options, false, &mut out).is_err());
        let printed = String::from_utf8(out).unwrap();
        let arguments = ["-c", "eval \"$1\"", "sh", &printed];
        let shell = std::process::Command::new("sh").args(arguments).output().unwrap();
        let expected =
            format!("gistmill: this shell has no addresses of the stack in {}\n", data_dir.display());
        assert_eq!((shell.status.code(), String::from_utf8(shell.stderr).unwrap()), (Some(1), expected));
        assert_eq!(shell.stdout, b"");
    }

    #[test]
    fn a_part_that_is_down_is_named_and_the_addresses_are_exported_all_the_same() {
        let mut out = b"export A='1'\n".to_vec();
        let exit = told(&[Part::Registry], Path::new("d"), false, &mut out).unwrap();
        assert_eq!(exit, Exit::NotRunning);
        let printed = String::from_utf8(out).unwrap();
        let arguments = ["-c", "eval \"$1\"; code=$?; echo \"$A $code\"", "sh", &printed];
        let shell = std::process::Command::new("sh").args(arguments).output().unwrap();
        assert_eq!(String::from_utf8(shell.stdout).unwrap(), "1 1\n");
        let expected = "gistmill: not running: registry in d; start it with `gistmill stack up`\n";
        assert_eq!(String::from_utf8(shell.stderr).unwrap(), expected);
        let mut out = Vec::new();
        assert_eq!(told(&[], Path::new("d"), false, &mut out).unwrap(), Exit::Done);
        assert_eq!(out, b"");
    }
}
