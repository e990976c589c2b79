//! `gistmill demo`, read as its first user reads it.

use anyhow::Context;
use std::{path::Path, process::Command};
use tests::{OwnStack, Pipeline};

const LINES_MAX: usize = 60;
const COLUMNS: usize = 80;

#[test]
fn the_demo_fits_a_screen_or_two_and_what_it_names_can_be_typed() -> anyhow::Result<()> {
    let Some(own) = OwnStack::start()? else { return Ok(()) };
    let pipeline = Pipeline::start_on(own.addresses()?, "demo")?;
    let data = own.data();
    let data = data.to_str().context("a path in UTF-8")?;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    let samples = samples.to_str().context("a path in UTF-8")?;
    let printed = pipeline.gistmill(&["demo", "--data-dir", data, "--samples", samples])?;
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines.len() <= LINES_MAX, "{} lines:\n{printed}", lines.len());
    // A command is not broken; only one that holds a long path is wider.
    let wide = |line: &&&str| line.chars().count() > COLUMNS && !line.contains('/');
    assert_eq!(lines.iter().find(wide), None);
    assert!(printed.starts_with("gistmill: 6 digests of 733 messages in 2 chats\n"), "{printed}");
    let digest = |group: &str| printed.contains(&format!("\nGroup {group}, the newest of 3 digests\n"));
    assert!(digest("engineering") && digest("garden"), "{printed}");
    let named = lines.iter().filter_map(|line| line.trim_start().strip_prefix("gistmill digest "));
    let arguments: Vec<Vec<&str>> =
        named.map(|line| line.split("  ").next().unwrap_or(line).split_whitespace().collect()).collect();
    assert_eq!(arguments.len(), 4, "{printed}");
    for arguments in arguments {
        let shown = pipeline.gistmill(&[&["digest"], &arguments[..]].concat())?;
        assert!(shown.lines().count() > 5, "{arguments:?}: {shown}");
    }
    let alias = lines.iter().find_map(|line| line.trim_start().strip_prefix("alias gistmill='"));
    let program = alias.and_then(|rest| rest.split('\'').next()).context("an alias")?;
    assert!(Command::new(program).arg("--version").output()?.status.success(), "{program}");
    pipeline.finish()
}
