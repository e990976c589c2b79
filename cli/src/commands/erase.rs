//! `gistmill erase`: what a person wrote, a group or a tenant, out of everything that can be changed.
//!
//! Invariant: what is erased is noted before anything else happens, in the transaction that takes its words; whoever is killed
//! after that goes on by that list, and each deletion enters the log once.

mod told;

use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::{Args, builder::NonEmptyStringValueParser};
use jiff::Timestamp;
use runtime::{Config, Host, SourceEnd};
use schemas::identity_hash;
use state::{Erasable, ErasedMessage, Eraser, ErasureScope, Schema};
use telegram_export_source::{Deletion, ErasureSource, Group};

use super::{asking, known};
use crate::{exit::Exit, printing::printable, settings::Settings};
use told::Told;

/// How often what was written meanwhile is erased too, before whoever writes has to be stopped first.
const ROUNDS_MAX: u32 = 5;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Erase what a user wrote, a group or a tenant
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Tenant
    #[arg(long)]
    tenant: String,
    /// One group of it
    #[arg(long)]
    group: Option<String>,
    /// What this author wrote, by the id that messages have; or who gets mail, by the address
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    user: Option<String>,
    /// Show what would be erased, and what stays
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Print JSON; nothing is asked, so it needs --yes to do anything
    #[arg(long)]
    json: bool,
    /// Seconds to wait for the sink that stores messages while it does not move
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill erase --tenant acme --user user7 --dry-run
  gistmill erase --tenant acme --user user7 --yes
  gistmill erase --tenant acme --user ann@example.org --yes   an address that gets mail, with what the ledger has of it
  gistmill erase --tenant acme --group team --yes --json
  gistmill erase --tenant acme                                a whole tenant; asks first

For each message a deletion is written into the log, as if its author had deleted it: windows are revised, digests have a new
version without it, files and posts follow. Words, names, keys and what was made of them are taken out of Postgres at once.
Needs the owner of the tables (GISTMILL_POSTGRES__OWNER_URL) and a running pipeline. Killed, run it again: it goes on.
What the person writes afterwards is new, and kept. Kafka keeps its records until their retention: the list says which.";

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let config = settings.config()?;
    Settings::start_logging(&config)?;
    let scope = scope(arguments)?;
    let url = Settings::owner_url(&config)?;
    let schema = Schema::of_prefix(config.prefix.as_str())?;
    let host = Host::new(config.clone(), 1)?;
    host.stop_on_signals();
    let store = host.store()?;
    host.block_on(store.ready()).context("could not erase")?;
    let eraser = host.block_on(Eraser::connect(url, &schema, scope.clone()))?;
    let mut erasing = Erasing {
        actor: settings.operator(),
        patience: Duration::from_secs(arguments.patience),
        config,
        host,
        eraser,
    };
    let found = erasing.host.block_on(erasing.eraser.look())?;
    let pending = erasing.host.block_on(erasing.eraser.waiting())?;
    let is_nothing = found.messages == 0 && found.keys == 0 && found.recipients == 0 && pending == 0;
    if !found.tenant_known || is_nothing && !found.done_before {
        let unknown = known::unknown(&store, &scope.tenant_id, scope.group_id.as_deref());
        let unknown = erasing.host.block_on(unknown)?;
        bail!("could not erase: {}", unknown.unwrap_or_else(|| nothing_of(arguments)));
    }
    let mut told = Told::new(erasing.eraser.subject(), &found)?;
    if arguments.dry_run {
        told.write(arguments.json, out)?;
        return Ok(Exit::Done);
    }
    if !arguments.json {
        told.announce(out)?;
    }
    if !arguments.yes && (arguments.json || !asking::is_wanted()?) {
        bail!("nothing was erased; --yes does it");
    }
    erasing.run(&found, &mut told)?;
    told.write(arguments.json, out)?;
    Ok(Exit::Done)
}

fn scope(arguments: &Arguments) -> anyhow::Result<ErasureScope> {
    // Names that could be no part of a key are refused before a database is asked.
    Group::new(&arguments.tenant, arguments.group.as_deref().unwrap_or("any"))?;
    Ok(ErasureScope {
        tenant_id: arguments.tenant.clone(),
        group_id: arguments.group.clone(),
        author_id: arguments.user.clone(),
    })
}

fn nothing_of(arguments: &Arguments) -> String {
    let Arguments { tenant, group, user, .. } = arguments;
    let place = group.as_ref().map_or_else(String::new, |group| format!(" in group {}", printable(group)));
    match user {
        Some(user) => format!(
            "nothing of user {} of tenant {tenant} is stored{place}; --user takes the id that messages have, which \
             `gistmill search --json` shows, not the name, or the address that gets mail",
            printable(user)
        ),
        None => format!("nothing of tenant {tenant} is stored{place}"),
    }
}

/// An erasure under way.
struct Erasing {
    config: Config,
    host: Host,
    eraser: Eraser,
    actor: String,
    patience: Duration,
}

impl Erasing {
    fn run(&mut self, found: &Erasable, told: &mut Told) -> anyhow::Result<()> {
        let mut left = found.messages;
        for round in 1..=ROUNDS_MAX {
            let now = Timestamp::now().as_nanosecond().to_string();
            let erasure = identity_hash("erasure", &[self.eraser.subject(), &now]).to_string();
            let erased = self.host.block_on(self.eraser.erase(&erasure, &self.actor))?;
            self.remove_files(&erased.asked, told)?;
            told.add(&erased);
            self.delete()?;
            self.wait()?;
            left = self.host.block_on(self.eraser.look())?.messages;
            told.rounds = round;
            if erased.messages == 0 && erased.digests == 0 && left == 0 {
                return Ok(());
            }
        }
        if left == 0 {
            return Ok(());
        }
        bail!(
            "could not erase all: {left} messages came meanwhile, {ROUNDS_MAX} times; stop whoever writes them, then run \
             this again"
        )
    }

    /// Writes the deletions that are not in the log yet, of this erasure and of any that was killed.
    fn delete(&mut self) -> anyhow::Result<()> {
        let pending = self.host.block_on(self.eraser.pending())?;
        let mut lists: BTreeMap<(&str, &str), Vec<&ErasedMessage>> = BTreeMap::new();
        for message in &pending {
            lists.entry((&message.erasure, &message.group_id)).or_default().push(message);
        }
        let tenant = self.eraser.tenant_id().to_owned();
        for ((erasure, group), messages) in lists {
            let erased_at = messages.first().map_or(0, |message| message.erased_at);
            let deletion = |message: &&ErasedMessage| Deletion {
                id: message.id,
                sent_at: message.sent_at,
                revision: message.revision,
                posted: message.posted,
            };
            let deletions = messages.iter().map(deletion);
            let mut source = ErasureSource::new(Group::new(&tenant, group)?, (erasure, erased_at), deletions);
            if self.host.drive(&mut source, &mut |_| {})? == SourceEnd::Stopped {
                bail!("stopped before all deletions were written: run the same command again, it goes on");
            }
        }
        Ok(())
    }

    /// Waits until the store holds every deletion, as long as it moves.
    fn wait(&mut self) -> anyhow::Result<()> {
        let (mut left, mut moved) = (i64::MAX, Instant::now());
        loop {
            let waiting = self.host.block_on(self.eraser.waiting())?;
            if waiting == 0 {
                return Ok(());
            }
            if waiting < left {
                (left, moved) = (waiting, Instant::now());
            }
            if self.host.stop().is_asked() {
                bail!(
                    "stopped while postgres_sink had {left} deletions to write: run the same command again"
                );
            }
            if moved.elapsed() > self.patience {
                return Err(NotRunning { left, seconds: self.patience.as_secs() }.into());
            }
            self.host.block_on(async { tokio::time::sleep(LOOK_EVERY).await });
        }
    }

    /// Removes files of digests that somebody asked for: no new version of them comes, which would.
    fn remove_files(&self, windows: &[String], told: &mut Told) -> anyhow::Result<()> {
        if windows.is_empty() {
            return Ok(());
        }
        let mut paths = vec![self.config.files.directory.clone()];
        // Tenants, their groups, files of digests.
        for _ in 0..DEPTH {
            paths = paths.iter().map(|folder| below(folder)).collect::<anyhow::Result<Vec<_>>>()?.concat();
        }
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if windows.iter().any(|window| name.contains(&format!("_asked_{window}_r"))) {
                fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
                told.files_removed += 1;
            }
        }
        Ok(())
    }
}

/// Folders between that of all digests and their files.
const DEPTH: usize = 3;

/// What lies in a folder; nothing in a file, or where there is none. What cannot be listed may hold words of the erased.
fn below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let failed = || {
        format!("could not list {}; give this user access to it and run the command again", folder.display())
    };
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry.with_context(failed)?.path())).collect(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error).with_context(failed),
    }
}

/// The store does not take what was written.
#[derive(Debug, thiserror::Error)]
#[error(
    "postgres_sink has stood still for {seconds} s with {left} deletions to write: what was erased is out of Postgres, and \
     the deletions are in the log; start it with `gistmill up`, then run the same command again"
)]
pub(crate) struct NotRunning {
    left: i64,
    seconds: u64,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::line::Line;

    fn parsed(words: &[&str]) -> Result<Arguments, clap::Error> {
        let line = ["erase"].iter().chain(words);
        Line::<Arguments>::try_parse_from(line).map(|line| line.arguments)
    }

    #[test]
    fn what_is_no_folder_holds_nothing() {
        let folder = std::env::temp_dir().join(format!("gistmill_erase_{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("a");
        fs::write(&file, "").unwrap();
        let found = (below(&folder).unwrap(), below(&file).unwrap(), below(&folder.join("none")).unwrap());
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, (vec![file], Vec::new(), Vec::new()));
    }

    #[test]
    fn a_tenant_is_named_and_a_user_is_not_empty() {
        assert!(parsed(&["--user", "u1"]).is_err());
        assert!(parsed(&["--tenant", "acme", "--user", ""]).is_err());
        let arguments = parsed(&["--tenant", "acme", "--user", "u1"]).unwrap();
        assert!(!arguments.yes && !arguments.dry_run && arguments.patience == 60);
        assert!(
            nothing_of(&arguments).starts_with("nothing of user u1 of tenant acme is stored; --user takes")
        );
        assert!(scope(&parsed(&["--tenant", "a/b"]).unwrap()).is_err());
        assert!(scope(&parsed(&["--tenant", "a", "--group", "x y"]).unwrap()).is_err());
    }
}
