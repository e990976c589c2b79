//! Units that are a command: they fail, and say what they lack.

use crate::{Matrix, names};
use anyhow::Context;
use std::path::Path;
use tests::{PATIENCE, Stack, TENANT, eventually};

/// Days of the chat that is imported.
const DAYS: [&str; 2] = ["2026-01-01", "2027-01-01"];

/// Runs a unit's command without each of its permissions; their number.
pub(crate) fn without_each(matrix: &mut Matrix<'_>, unit: &str) -> anyhow::Result<usize> {
    let lacking = matrix.lacking(unit)?;
    let count = lacking.len();
    for (index, (acl, stack)) in lacking.into_iter().enumerate() {
        let name = format!("{unit}_{index}");
        let variables: Vec<(&str, &str)> = stack.variables().collect();
        let arguments = arguments(unit, &name)?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut process = matrix.pipeline.spawn(&name, &arguments, &variables)?;
        // It may wait for the permission, as for anything that is away at a start: it has to say so.
        let said = eventually("the command says what it lacks, or ends", PATIENCE, || {
            let is_running = process.is_running()?;
            let log = process.log()?;
            let line = log.lines().find(|line| names(line, &acl)).map(str::to_owned);
            Ok((line.is_some() || !is_running).then_some(line))
        })?;
        process.kill()?;
        matrix.record(unit, &acl, said)?;
    }
    Ok(count)
}

/// The command of a unit; of each name another request, or another group.
fn arguments(unit: &str, name: &str) -> anyhow::Result<Vec<String>> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/engineering_en.json");
    let sample = sample.to_str().context("a path")?;
    let group = ["--tenant", TENANT, "--group"];
    let asked = ["engineering", "--requested-by", name, "--between", DAYS[0], DAYS[1]];
    let arguments = if unit == "telegram_export_source" {
        [&["import", sample], &group[..], &[name]].concat()
    } else {
        [&["digest", "now"], &group[..], &asked].concat()
    };
    Ok(arguments.into_iter().map(str::to_owned).collect())
}

/// What a command of a unit says when it fails; nothing when it does not.
pub(crate) fn failure(matrix: &Matrix<'_>, unit: &str, stack: &Stack) -> anyhow::Result<Option<String>> {
    let arguments = arguments(unit, "at_first")?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let variables: Vec<(&str, &str)> = stack.variables().collect();
    let output = matrix.pipeline.output(&arguments, &variables)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((!output.status.success()).then_some(said))
}
