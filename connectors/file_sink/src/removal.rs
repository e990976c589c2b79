//! Files are taken away, and only those that were meant.
//!
//! Invariant: what came into a file's place after it was looked at stays, however long the removal takes. The connection
//! that keeps others from writing can be lost in between, and a newer attempt be written meanwhile.

use crate::files::{blocking, refused, sync};
use runtime::SinkError;
use std::{
    collections::BTreeSet,
    fs::{self, File, Metadata},
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Files that were there when they were looked at; held open, so that each is known again.
#[derive(Debug)]
pub(crate) struct Seen {
    partial_dir: PathBuf,
    files: Vec<(PathBuf, File)>,
}

/// Looks at those of `paths` that are there. To be called while nobody else may write them, which the caller makes sure
/// of afterwards, before it removes them. Makes the partial folder, too: by it a zombie is known.
pub(crate) async fn look(partial_dir: PathBuf, paths: Vec<PathBuf>) -> Result<Seen, SinkError> {
    blocking(move || look_at(partial_dir, paths)).await
}

/// Removes what was looked at, and sees to it that it stays away.
pub(crate) async fn remove(seen: Seen) -> Result<(), SinkError> {
    blocking(move || remove_all(&seen)).await
}

fn look_at(partial_dir: PathBuf, paths: Vec<PathBuf>) -> Result<Seen, SinkError> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        match File::open(&path).and_then(|file| Ok((file.metadata()?.is_dir(), file))) {
            Ok((false, file)) => files.push((path, file)),
            Ok((true, _)) => return Err(refused(&path, &ErrorKind::IsADirectory.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(refused(&path, &error)),
        }
    }
    if !files.is_empty() {
        fs::create_dir_all(&partial_dir).map_err(|error| refused(&partial_dir, &error))?;
    }
    Ok(Seen { partial_dir, files })
}

fn remove_all(seen: &Seen) -> Result<(), SinkError> {
    let aside = seen.partial_dir.join("removed");
    let mut folders = BTreeSet::new();
    for (path, file) in &seen.files {
        if take(path, file, &aside).map_err(|error| refused(path, &error))? {
            folders.extend(path.parent());
        }
    }
    sync(folders)
}

/// Moves a file aside and removes it there when it is the one that was seen; another one goes back, unless there is a
/// newer one already. True when something changed. Without the partial folder, which a successor takes away, nothing is
/// moved.
fn take(path: &Path, seen: &File, aside: &Path) -> io::Result<bool> {
    match fs::rename(path, aside) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound && aside.parent().is_some_and(Path::is_dir) => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    if !is_same(&seen.metadata()?, &fs::metadata(aside)?) {
        match fs::hard_link(aside, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return fs::rename(aside, path).map(|()| true);
            }
            _ => {}
        }
    }
    fs::remove_file(aside).map(|()| true)
}

fn is_same(left: &Metadata, right: &Metadata) -> bool {
    (left.dev(), left.ino()) == (right.dev(), right.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(root: &Path, names: &[&str]) -> Seen {
        look_at(root.join(".partial/topic-0-1"), names.iter().map(|name| root.join(name)).collect())
            .expect("seen")
    }

    #[test]
    fn what_was_seen_is_removed_and_what_is_gone_is_no_error() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.md", "a.json", "b.md"] {
            fs::write(folder.path().join(name), name).expect("written");
        }
        let seen = seen(folder.path(), &["a.md", "a.json", "never.md"]);
        fs::remove_file(folder.path().join("a.json")).expect("removed");
        remove_all(&seen).expect("removed");
        remove_all(&seen).expect("again");
        let left: Vec<_> = ["a.md", "a.json", "b.md"].map(|name| folder.path().join(name).exists()).into();
        assert_eq!(left, [false, false, true]);
        assert_eq!(fs::read_dir(&seen.partial_dir).expect("read").count(), 0);
    }

    #[test]
    fn a_newer_attempt_that_came_between_deciding_and_removing_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, aside) = (folder.path().join("a.md"), folder.path().join("new"));
        fs::write(&path, "older").expect("written");
        let seen = seen(folder.path(), &["a.md"]);
        fs::write(&aside, "newer").expect("written");
        fs::rename(&aside, &path).expect("replaced");
        remove_all(&seen).expect("nothing of its own is there");
        assert_eq!(fs::read_to_string(&path).expect("read"), "newer");
        assert_eq!(fs::read_dir(&seen.partial_dir).expect("read").count(), 0);
    }

    #[test]
    fn a_zombie_removes_nothing_once_its_folder_was_taken_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.md");
        fs::write(&path, "text").expect("written");
        let seen = seen(folder.path(), &["a.md"]);
        fs::remove_dir_all(folder.path().join(".partial")).expect("taken away");
        let error = remove_all(&seen).expect_err("another process holds the partition");
        assert!(matches!(error, SinkError::Transient { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("read"), "text");
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_is_not_moved() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("a.md")).expect("made");
        let looked = look_at(folder.path().join(".partial/x"), vec![folder.path().join("a.md")]);
        assert!(matches!(&looked, Err(SinkError::Fatal(text)) if text.contains("a.md")), "{looked:?}");
    }
}
