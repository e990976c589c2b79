//! What the demo prints: a title, the newest digest of each group at a glance, and where to look next.
//!
//! Invariant: no more than a screen or two of 80 columns; every command that is named works as it is written.

use std::{io::Write, path::Path};

use anyhow::bail;
use rendering::Extent;
use state::{DigestFilter, DigestFound, DigestSummary, Store};

use super::{SAMPLES, TENANT};
use crate::{
    commands::digest::{self, Form},
    printing::columns,
};

/// Characters of an id that are shown; commands take the beginning of one.
const ID_SHOWN: usize = 8;
/// Columns that a command takes before what it does is said.
const COMMAND_WIDTH: usize = 51;

/// Prints each group's newest digest at a glance; the beginnings of their ids.
pub(super) async fn print(store: &Store, out: &mut dyn Write) -> anyhow::Result<Vec<String>> {
    let mut groups = Vec::new();
    for (group, _) in SAMPLES {
        let (tenant_id, group_id) = (TENANT.to_owned(), Some(group.to_owned()));
        let filter = DigestFilter { tenant_id, group_id, ..DigestFilter::default() };
        groups.push((group, store.digest_list(&filter).await?));
    }
    writeln!(out, "{}", heading(&title(&groups)))?;
    let mut ids = Vec::new();
    for (group, digests) in groups {
        let Some(newest) = digests.last() else { bail!("group {group} has no digests") };
        let Some(DigestFound::Stored(stored)) = store.digest_show(TENANT, &newest.digest_id).await? else {
            bail!("the newest digest of group {group} was withdrawn while the demo ran")
        };
        writeln!(out, "\n{}", heading(&group_title(group, &digests)))?;
        digest::show(&stored, Form { extent: Extent::Glance, ..Form::default() }, out)?;
        ids.push(newest.digest_id.get(..ID_SHOWN).unwrap_or(&newest.digest_id).to_owned());
    }
    Ok(ids)
}

fn title(groups: &[(&str, Vec<DigestSummary>)]) -> String {
    let digests: usize = groups.iter().map(|(_, digests)| digests.len()).sum();
    let messages: i32 = groups.iter().flat_map(|(_, digests)| digests).map(|it| it.message_count).sum();
    format!("gistmill: {digests} digests of {messages} messages in {} chats", groups.len())
}

fn group_title(group: &str, digests: &[DigestSummary]) -> String {
    format!("Group {group}, the newest of {} digests", digests.len())
}

pub(super) fn heading(text: &str) -> String {
    console::style(text).bold().cyan().to_string()
}

/// A command and what it does.
fn row(command: &str, does: &str) -> String {
    format!("  {command:COMMAND_WIDTH$}  {does}")
}

/// Where things of this demo lie, and the beginnings of the ids of the digests that it showed.
pub(super) struct Whereabouts<'a> {
    pub(super) program: &'a Path,
    pub(super) data_dir: &'a Path,
    pub(super) files: &'a Path,
    pub(super) ids: &'a [String],
}

/// Says how to go on: everything can be typed as it stands.
pub(super) fn where_to_look(here: &Whereabouts<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let width = columns().unwrap_or(80);
    writeln!(out, "\n{}", heading("Where to look next"))?;
    next(here).iter().try_for_each(|(command, does)| {
        let line = row(command, does);
        if line.chars().count() <= width {
            writeln!(out, "{line}")
        } else {
            writeln!(out, "  {command}\n      {does}")
        }
    })?;
    Ok(())
}

fn next(here: &Whereabouts<'_>) -> Vec<(String, String)> {
    let stack = if here.data_dir == Path::new(".stack") {
        String::new()
    } else {
        format!(" --data-dir {}", here.data_dir.display())
    };
    let files = here.files.join(TENANT);
    let pages = here.ids.iter().zip(SAMPLES).map(|(id, (group, _))| {
        (format!("gistmill digest show {id} --tenant {TENANT}"), format!("{group}'s whole page"))
    });
    let row = |command: &str, does: &str| (command.to_owned(), does.to_owned());
    let mut rows = vec![
        row(&format!("alias gistmill='{}'", here.program.display()), "makes it a command"),
        row(&format!("eval \"$(gistmill stack env{stack})\""), "which stack, it runs on"),
    ];
    rows.extend(pages);
    rows.extend([
        row(&format!("gistmill digest show latest --tenant {TENANT} --full"), "everything in one"),
        row(&format!("gistmill digest ls --tenant {TENANT}"), "every digest, a line each"),
        row(&format!("ls {}", files.display()), "the same as files"),
        row("gistmill group ls", "groups and settings"),
        row("gistmill tap digest.ready_for_delivery.v1 --limit 1", "the event behind one"),
        row("gistmill gateway run", "serves the console"),
        row(
            "gistmill gateway key create --tenant demo --name me --role owner",
            "a key of http://127.0.0.1:8080/console",
        ),
        row("gistmill up", "all processors; meanwhile"),
        row("gistmill import FILE --tenant acme --group team", "a chat of yours, and"),
        row("gistmill lag", "what is on its way"),
        row(&format!("gistmill stack down{stack}"), "stop it; its data stays"),
    ]);
    rows
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn commands(data_dir: &str) -> Vec<String> {
        let (program, files) = (Path::new("/p/gistmill"), Path::new("out"));
        let ids = ["0e69afad".to_owned(), "7862e3c2".to_owned()];
        let rows = next(&Whereabouts { program, data_dir: Path::new(data_dir), files, ids: &ids });
        rows.into_iter().map(|(command, _)| command).collect()
    }

    #[test]
    fn every_command_that_is_named_can_be_typed() {
        let commands = commands("/d");
        let inner = |line: &str| line.trim_start_matches("eval \"$(").trim_end_matches(")\"").to_owned();
        let typed: Vec<_> =
            commands.iter().map(|line| inner(line)).filter(|line| line.starts_with("gistmill ")).collect();
        assert_eq!(typed.len(), commands.len() - 2, "all but the alias and ls");
        for line in typed {
            crate::Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn a_stack_elsewhere_is_named_in_what_to_type() {
        assert!(commands("/d").contains(&"eval \"$(gistmill stack env --data-dir /d)\"".to_owned()));
        assert!(commands(".stack").contains(&"eval \"$(gistmill stack env)\"".to_owned()));
    }
}
