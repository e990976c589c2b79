//! What a terminal gets and a pipe does not: colours, unless `NO_COLOR` is set, and lines that fit. `script` makes one.

use anyhow::{Context, ensure};
use std::process::{Command, Stdio};
use tests::Pipeline;

/// What a command writes to a terminal of so many columns, line by line.
fn on_terminal(
    pipeline: &Pipeline,
    arguments: &str,
    columns: u16,
    variables: &[(&str, &str)],
) -> anyhow::Result<Vec<String>> {
    let program = pipeline.stack.binary.to_str().context("a path in UTF-8")?;
    let line = format!("stty rows 24 cols {columns}; '{program}' {arguments}");
    let template = pipeline.command(&[]);
    let mut command = Command::new("script");
    command.args(["--quiet", "--command", &line, "/dev/null"]).env("TERM", "xterm-256color");
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env_remove("NO_COLOR").envs(variables.iter().copied()).stdin(Stdio::null());
    let output = command.output().context("could not run script")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(!said.is_empty(), "{arguments} said nothing: {}", String::from_utf8_lossy(&output.stderr));
    Ok(said.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect())
}

fn is_coloured(lines: &[String]) -> bool {
    lines.iter().any(|line| line.contains("\u{1b}["))
}

#[test]
fn no_color_takes_the_colours_from_a_terminal() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("colours")? else { return Ok(()) };
    assert!(is_coloured(&on_terminal(&pipeline, "doctor", 80, &[])?));
    assert!(!is_coloured(&on_terminal(&pipeline, "doctor", 80, &[("NO_COLOR", "1")])?));
    assert!(!pipeline.gistmill(&["doctor"])?.contains('\u{1b}'), "a pipe has none anyway");
    pipeline.finish()
}

#[test]
fn doctor_and_lag_fit_a_terminal_of_forty_columns() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("narrow")? else { return Ok(()) };
    let no_color = [("NO_COLOR", "1")];
    let doctor = on_terminal(&pipeline, "doctor", 40, &no_color)?;
    // Only what cannot be broken is wider: an address, a path.
    let wide = |line: &&String| line.chars().count() > 40 && line.trim().contains(' ');
    assert_eq!(doctor.iter().find(wide), None);
    let lag = on_terminal(&pipeline, "lag", 40, &no_color)?;
    assert_eq!(lag[0], "UNIT                     UP  CONSUMABLE");
    let rows = lag.iter().filter(|line| line.ends_with(" 0  ") || line.ends_with(" 0")).count();
    assert_eq!(rows, 14, "{lag:#?}");
    assert!(lag.contains(&"no room for TO STABLE, TO END, BEHIND, OPEN TXN".to_owned()), "{lag:#?}");
    let whole = on_terminal(&pipeline, "lag", 80, &no_color)?;
    assert!(whole[0].ends_with("OPEN TXN") && whole[0].len() == 80, "{whole:#?}");
    pipeline.finish()
}
