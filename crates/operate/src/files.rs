//! The directory that digests are written to: may we write there, and is there room?

use super::{Check, Level};
use runtime::{
    Config,
    observe::{InstanceNote, instance_notes},
};
use rustix::fs::{Access, access, statvfs};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

const NAME: &str = "files";
/// Who writes there.
const SINK: &str = "file_sink";
const MIB: u64 = 1 << 20;
/// A digest is a few KiB: with less room than this something else has filled the disk.
const FREE_MIN: u64 = 100 * MIB;
const FREE_WARN: u64 = 1024 * MIB;

/// Looks at where the `file_sink`s that run on this machine write, or if none does, at where one with these settings
/// would.
pub(super) fn checks(config: &Config) -> Vec<Check> {
    let locks = config.lock_dir.clone().unwrap_or_else(std::env::temp_dir);
    let is_of_this =
        |note: &InstanceNote| note.brokers == config.kafka.brokers && note.prefix == config.prefix.as_str();
    let running = instance_notes(&locks, SINK).into_iter().filter(is_of_this).map(|note| note.files);
    of(&running.collect(), &config.files.directory)
}

fn of(running: &BTreeSet<PathBuf>, configured: &Path) -> Vec<Check> {
    let told = |directory: &Path, of: &str| {
        let check = check(directory);
        Check { finding: format!("{} ({of})", check.finding), ..check }
    };
    if running.is_empty() {
        let of = "of this shell's settings: no file_sink runs on this machine, see the one where it does";
        return vec![told(configured, of)];
    }
    running.iter().map(|directory| told(directory, "of the file_sink that runs")).collect()
}

/// Looks at a directory, or where it is not made yet, at the one that it will be made in.
fn check(directory: &Path) -> Check {
    let shown = directory.display();
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let Some(existing) = absolute.ancestors().find(|ancestor| ancestor.exists()) else {
        return Check::bad(
            NAME,
            Level::Fail,
            format!("{shown} cannot be reached"),
            "set GISTMILL_FILES__DIRECTORY",
        );
    };
    if !existing.is_dir() || access(existing, Access::WRITE_OK).is_err() {
        let finding = format!("{} is no directory that may be written to", existing.display());
        return Check::bad(NAME, Level::Fail, finding, "set GISTMILL_FILES__DIRECTORY to one for digests");
    }
    match statvfs(existing) {
        Ok(room) => free(&shown.to_string(), room.f_bavail.saturating_mul(room.f_frsize)),
        Err(error) => {
            let finding = format!("could not ask for the free room of {shown}: {error}");
            Check::bad(NAME, Level::Warn, finding, "see that the disk is not full")
        }
    }
}

fn free(directory: &str, bytes: u64) -> Check {
    let finding = format!("{directory} has {} MiB free", bytes / MIB);
    let advice = "make room, or set GISTMILL_FILES__DIRECTORY to another disk";
    match bytes {
        ..FREE_MIN => Check::bad(NAME, Level::Fail, finding, advice),
        FREE_MIN..FREE_WARN => Check::bad(NAME, Level::Warn, finding, advice),
        _ => Check::ok(NAME, finding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_judged() {
        assert_eq!(free("out", 2048 * MIB), Check::ok(NAME, "out has 2048 MiB free"));
        assert_eq!(free("out", 500 * MIB).level, Level::Warn);
        assert_eq!(free("out", MIB).level, Level::Fail);
    }

    #[test]
    fn the_directory_of_the_sink_that_runs_is_looked_at_and_not_this_shells() {
        let configured = tempfile::tempdir().expect("temporary directory");
        let full = configured.path().join("file");
        std::fs::write(&full, "").expect("writes");
        let running = of(&BTreeSet::from([full.join("out")]), configured.path());
        assert_eq!((running.len(), running[0].level), (1, Level::Fail));
        assert!(running[0].finding.ends_with("(of the file_sink that runs)"), "{running:?}");
        let none = of(&BTreeSet::new(), configured.path());
        assert!(none[0].finding.contains("no file_sink runs on this machine"), "{none:?}");
    }

    #[test]
    fn a_directory_yet_to_be_made_is_judged_by_its_parent() {
        let parent = tempfile::tempdir().expect("temporary directory");
        let check = check(&parent.path().join("a").join("b"));
        assert!(check.finding.contains("MiB free"), "{check:?}");
        let file = parent.path().join("file");
        std::fs::write(&file, "").expect("writes");
        assert_eq!(super::check(&file.join("a")).level, Level::Fail);
    }
}
