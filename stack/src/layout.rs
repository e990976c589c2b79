//! The data directory: where everything of one stack lies, its lock, its layout version and its remembered state.
//!
//! Invariant: nothing is written to, and nothing deleted in, a directory that is not known to be ours.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::at;
use crate::files::{
    absent_is_fine, disk_bytes, lock_file, make_directory, read_json, write_atomically, write_json,
};
use crate::part::{Part, Ports};
use crate::process::Identity;

/// Content of the VERSION file. The number changes when an older program could not read the directory, or the other
/// way round (a new major version of Postgres, another place of a file).
const VERSION: &str = "gistmill-stack 1";
const VERSION_NAME: &str = "gistmill-stack ";

/// How the parts of a stack run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// As processes of this machine.
    Native,
    /// As containers of docker compose.
    Compose,
}

/// What is remembered from one start to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) mode: Mode,
    pub(crate) base_port: u16,
    /// Where Postgres keeps its data when that is outside of the data directory.
    pub(crate) postgres_outside: Option<PathBuf>,
    /// Whether the stack has Qdrant. Written only where it has, so that an older program can read what it can run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) qdrant: bool,
}

impl State {
    pub(crate) fn ports(&self) -> Result<Ports, Error> {
        Ports::from_base(self.base_port)
    }

    pub(crate) fn parts(&self) -> &'static [Part] {
        Part::of_stack(self.qdrant)
    }
}

/// An existing data directory of this layout.
#[derive(Clone, Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
}

/// Held while parts are started or stopped; released when dropped.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl DataDir {
    /// Opens the directory; `None` when nothing of a stack is there.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, Error> {
        let Some(found) = version(path)? else { return Ok(None) };
        if !found.starts_with(VERSION_NAME) {
            return Err(Error::ForeignDirectory { path: path.to_owned() });
        }
        if found != VERSION {
            return Err(Error::OtherLayout { path: path.to_owned(), found, expected: VERSION });
        }
        Self::at(path).map(Some)
    }

    /// Opens the directory of whatever layout version, to delete it.
    pub(crate) fn open_any_version(path: &Path) -> Result<Option<Self>, Error> {
        match version(path)? {
            Some(found) if found.starts_with(VERSION_NAME) => Self::at(path).map(Some),
            None if is_empty(path)? => Ok(None),
            Some(_) | None => Err(Error::ForeignDirectory { path: path.to_owned() }),
        }
    }

    /// Opens the directory, or makes it if it is missing or empty, and locks it. `waiting` is called when another
    /// command holds the lock.
    pub(crate) fn create_locked(path: &Path, waiting: impl Fn()) -> Result<(Self, Lock), Error> {
        loop {
            if Self::open(path)?.is_none() && !is_empty(path)? {
                return Err(Error::ForeignDirectory { path: path.to_owned() });
            }
            make_directory(path)?;
            let Some(lock) = Self::at(path)?.try_lock_once(&waiting)? else { continue };
            if let Some(directory) = Self::open(path)? {
                return Ok((directory, lock));
            }
            write_atomically(&path.join("VERSION"), format!("{VERSION}\n").as_bytes())?;
        }
    }

    /// Locks the directory against other commands.
    pub(crate) fn lock(&self, waiting: impl Fn()) -> Result<Option<Lock>, Error> {
        while self.root.exists() {
            if let Some(lock) = self.try_lock_once(&waiting)? {
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    /// `None` when the directory was deleted while its lock was awaited.
    fn try_lock_once(&self, waiting: &impl Fn()) -> Result<Option<Lock>, Error> {
        lock_file(&self.root.join("lock"), waiting).map(|lock| lock.map(Lock))
    }

    fn at(path: &Path) -> Result<Self, Error> {
        Ok(Self { root: fs::canonicalize(path).map_err(at("open", path))? })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn log(&self, part: Part) -> PathBuf {
        self.root.join("logs").join(format!("{part}.log"))
    }

    pub(crate) fn kafka(&self) -> PathBuf {
        self.root.join("kafka")
    }

    /// For files of a moment, and for what records the processes.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("run")
    }

    pub(crate) fn make_subdirectories(&self) -> Result<(), Error> {
        ["logs", "run", "kafka"].into_iter().try_for_each(|name| make_directory(&self.root.join(name)))
    }

    /// The recorded process of a part, running or not.
    pub(crate) fn recorded(&self, part: Part) -> Result<Option<Identity>, Error> {
        read_json(&self.pid_file(part))
    }

    /// The process of a part if it runs.
    pub(crate) fn running(&self, part: Part) -> Result<Option<Identity>, Error> {
        Ok(self.recorded(part)?.filter(Identity::is_alive))
    }

    pub(crate) fn record(&self, part: Part, identity: &Identity) -> Result<(), Error> {
        write_json(&self.pid_file(part), identity)
    }

    pub(crate) fn forget(&self, part: Part) -> Result<(), Error> {
        absent_is_fine(fs::remove_file(self.pid_file(part))).map_err(at("delete", &self.pid_file(part)))
    }

    fn pid_file(&self, part: Part) -> PathBuf {
        self.work().join(format!("{part}.pid.json"))
    }

    pub(crate) fn state(&self) -> Result<Option<State>, Error> {
        read_json(&self.root.join("state.json"))
    }

    pub(crate) fn write_state(&self, state: &State) -> Result<(), Error> {
        write_json(&self.root.join("state.json"), state)
    }

    /// Deletes the directory; the VERSION file last but one, so that an interrupted deletion can be repeated.
    pub(crate) fn delete(self, lock: Lock) -> Result<(), Error> {
        for entry in fs::read_dir(&self.root).map_err(at("read", &self.root))? {
            let path = entry.map_err(at("read", &self.root))?.path();
            if path.ends_with("VERSION") || path.ends_with("lock") {
                continue;
            }
            let is_directory = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
            let removed = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(at("delete", &path))?;
        }
        fs::remove_dir_all(&self.root).map_err(at("delete", &self.root))?;
        drop(lock);
        Ok(())
    }

    /// Bytes on disk, Postgres' outside directory included.
    pub(crate) fn disk_bytes(&self) -> Result<u64, Error> {
        let outside = self.state()?.and_then(|state| state.postgres_outside);
        Ok(disk_bytes(&self.root) + outside.map_or(0, |path| disk_bytes(&path)))
    }
}

fn version(path: &Path) -> Result<Option<String>, Error> {
    let file = path.join("VERSION");
    match fs::read(&file) {
        Ok(bytes) => {
            Ok(Some(String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().trim().to_owned()))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(at("read", &file)(error)),
    }
}

/// Whether the directory is missing or holds nothing but what an interrupted `up` leaves before VERSION.
fn is_empty(path: &Path) -> Result<bool, Error> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.all(|entry| {
            entry.is_ok_and(|entry| entry.file_name() == "lock" || entry.file_name() == "VERSION.new")
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(at("open", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent() {}

    #[test]
    fn a_directory_is_made_once_and_remembers() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("deep/stack");
        assert!(DataDir::open(&path).unwrap().is_none());
        let (made, lock) = DataDir::create_locked(&path, silent).unwrap();
        let state =
            State { mode: Mode::Native, base_port: 4000, postgres_outside: Some("/x".into()), qdrant: false };
        made.write_state(&state).unwrap();
        drop(lock);
        let (again, lock) = DataDir::create_locked(&path, silent).unwrap();
        assert_eq!(again.state().unwrap(), Some(state));
        again.delete(lock).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn another_layout_is_refused_but_can_be_deleted() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("VERSION"), "gistmill-stack 0\n").unwrap();
        let refused = DataDir::create_locked(outer.path(), silent).unwrap_err().to_string();
        assert!(refused.contains("`gistmill-stack 0`") && refused.contains("reset"), "{refused}");
        assert!(DataDir::open_any_version(outer.path()).unwrap().is_some());
    }

    #[test]
    fn a_foreign_directory_is_neither_used_nor_deleted() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("thesis.txt"), "").unwrap();
        assert!(matches!(DataDir::create_locked(outer.path(), silent), Err(Error::ForeignDirectory { .. })));
        assert!(matches!(DataDir::open_any_version(outer.path()), Err(Error::ForeignDirectory { .. })));
        fs::write(outer.path().join("VERSION"), "3.1").unwrap();
        assert!(matches!(DataDir::create_locked(outer.path(), silent), Err(Error::ForeignDirectory { .. })));
        assert!(matches!(DataDir::open_any_version(outer.path()), Err(Error::ForeignDirectory { .. })));
    }

    #[test]
    fn a_damaged_state_file_is_named() {
        let outer = tempfile::tempdir().unwrap();
        let (made, _lock) = DataDir::create_locked(outer.path(), silent).unwrap();
        fs::write(outer.path().join("state.json"), "{\"mode\":1").unwrap();
        assert!(made.state().unwrap_err().to_string().contains("state.json is damaged"));
    }
}
