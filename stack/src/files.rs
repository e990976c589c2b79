//! Files and directories: written whole or not at all, locked, measured.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::at;

/// Takes the lock of a file that is made for it. `None`: the file was deleted meanwhile, try again.
pub(crate) fn lock_file(path: &Path, waiting: &impl Fn()) -> Result<Option<File>, Error> {
    let open = || OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = open().map_err(at("open", path))?;
    if file.try_lock().is_err() {
        waiting();
        file.lock().map_err(at("lock", path))?;
    }
    let ours = file.metadata().map_err(at("read", path))?;
    Ok(fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (ours.dev(), ours.ino())).then_some(file))
}

/// Makes a directory and its parents, whose content others may see (Postgres runs as another user than root).
pub(crate) fn make_directory(path: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(at("create", path))
}

/// For deletions: what is not there need not be deleted.
pub(crate) fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Writes a file so that it is seen whole or not at all.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = PathBuf::from(name);
    fs::write(&temporary, content).map_err(at("write", &temporary))?;
    fs::rename(&temporary, path).map_err(at("write", path))
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let opened = options.create(true).truncate(true).write(true).mode(0o600).open(path);
    opened.and_then(|mut file| file.write_all(content)).map_err(at("write", path))
}

/// Writes a value for [`read_json`].
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    write_atomically(path, &json(path, value)?)
}

/// [`write_json`] of what only its owner may read.
pub(crate) fn write_json_private(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    write_private(path, &json(path, value)?)
}

fn json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec_pretty(value).map_err(|source| Error::Damaged { path: path.to_owned(), source })
}

/// Reads a value back; `None` when there is no such file.
pub(crate) fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, Error> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| Error::Damaged { path: path.to_owned(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at("read", path)(error)),
    }
}

/// Bytes that anyone may still write where a path lies, or is to lie; `None` when the system does not tell.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let path = std::path::absolute(path).ok()?;
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    let system = rustix::fs::statvfs(existing).ok()?;
    system.f_bavail.checked_mul(system.f_frsize)
}

/// Bytes on disk of a file, or of a directory with everything in it.
pub(crate) fn disk_bytes(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    let below = if metadata.is_dir() { fs::read_dir(path).ok() } else { None };
    metadata.blocks() * 512
        + below.into_iter().flatten().flatten().map(|entry| disk_bytes(&entry.path())).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_that_of_the_nearest_directory_there_is() {
        let outer = tempfile::tempdir().unwrap();
        assert!(free_bytes(&outer.path().join("not/made/yet")).is_some());
        assert!(free_bytes(Path::new("not-made-yet")).is_some());
    }
}
