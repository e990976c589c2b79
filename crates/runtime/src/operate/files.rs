//! The directory that digests are written to: may we write there, and is there room?

use super::doctor::{Check, Level};
use rustix::fs::{Access, access, statvfs};
use std::path::Path;

const NAME: &str = "files";
const MIB: u64 = 1 << 20;
/// A digest is a few KiB: with less room than this something else has filled the disk.
const FREE_MIN: u64 = 100 * MIB;
const FREE_WARN: u64 = 1024 * MIB;

/// Looks at a directory, or where it is not made yet, at the one that it will be made in.
pub(super) fn check(directory: &Path) -> Check {
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
    fn a_directory_yet_to_be_made_is_judged_by_its_parent() {
        let parent = tempfile::tempdir().expect("temporary directory");
        let check = check(&parent.path().join("a").join("b"));
        assert!(check.finding.contains("MiB free"), "{check:?}");
        let file = parent.path().join("file");
        std::fs::write(&file, "").expect("writes");
        assert_eq!(super::check(&file.join("a")).level, Level::Fail);
    }
}
