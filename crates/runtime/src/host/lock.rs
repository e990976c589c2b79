//! One holder per instance name on a machine: two processes of one name would fence each other for ever.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{File, TryLockError},
    io::{Seek, Write},
    path::{Path, PathBuf},
};

/// What a holder of a lock tells other programs of this machine of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Bootstrap servers.
    pub brokers: String,
    /// Prefix of the pipeline.
    pub prefix: String,
    /// Where it writes digests to, absolute.
    pub files: PathBuf,
}

/// What those who hold `name` in a directory of locks now, under whatever instance, tell of themselves.
pub fn notes(directory: &Path, name: &str) -> Vec<Note> {
    let (begin, end) = (format!("gistmill-{name}-"), ".lock");
    let is_one = |path: &PathBuf| {
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
        file.starts_with(&begin) && file.ends_with(end)
    };
    let paths =
        std::fs::read_dir(directory).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(is_one).filter_map(|path| note_of(&path)).collect()
}

/// The note in a lock file that somebody holds.
fn note_of(path: &Path) -> Option<Note> {
    let file = File::open(path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok(),
        // Left by a process that has ended.
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// Held as long as the process lives; the system lets go of it however the process ends.
#[derive(Debug)]
pub(super) struct InstanceLock {
    file: File,
}

/// Why the name could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody has it.
    #[error(
        "{name} is already running here as instance {instance:?}; stop it, or give this one another name with \
         GISTMILL_INSTANCE"
    )]
    Held {
        /// Processor or connector.
        name: String,
        /// Instance name.
        instance: String,
    },
    /// The lock file cannot be used.
    #[error("could not use lock file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl InstanceLock {
    /// Takes the name of `name`'s `instance` on the pipeline that `scope` names (brokers and prefix). While somebody has
    /// it, `is_patient` waits a moment and says whether to try again: a predecessor may be about to end, and even a
    /// killed one keeps its lock for some milliseconds.
    pub(super) fn take(
        directory: &Path,
        scope: &str,
        (name, instance): (&str, &str),
        is_patient: &mut dyn FnMut() -> bool,
    ) -> Result<Self, LockError> {
        let digest = Sha256::digest(format!("{scope}\n{name}\n{instance}").as_bytes());
        let tag = digest.iter().take(8).fold(String::new(), |tag, byte| format!("{tag}{byte:02x}"));
        let path = directory.join(format!("gistmill-{name}-{tag}.lock"));
        let opened = std::fs::create_dir_all(directory)
            .and_then(|()| File::options().create(true).truncate(false).write(true).open(&path));
        let file = opened.map_err(|source| LockError::File { path: path.clone(), source })?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::WouldBlock) if is_patient() => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held { name: name.to_owned(), instance: instance.to_owned() });
                }
                Err(TryLockError::Error(source)) => return Err(LockError::File { path, source }),
            }
        }
    }
}

impl InstanceLock {
    /// Writes what others may read of the holder, in the place of what a predecessor wrote.
    pub(super) fn tell(&mut self, note: &Note) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        serde_json::to_writer(&mut self.file, note)?;
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_held_once_and_freed_with_its_holder() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let take = |instance| {
            InstanceLock::take(directory.path(), "broker/prefix", ("topic", instance), &mut || false)
        };
        let first = take("0").expect("free");
        let error = take("0").expect_err("held").to_string();
        assert!(error.contains("topic is already running") && error.contains("GISTMILL_INSTANCE"), "{error}");
        take("1").expect("another name");
        drop(first);
        take("0").expect("freed");
    }

    #[test]
    fn only_those_who_hold_a_name_now_tell_where_they_write() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let take = |name, instance| {
            InstanceLock::take(directory.path(), "broker/prefix", (name, instance), &mut || false)
                .expect("free")
        };
        let note = |files: &str| Note { brokers: "b:1".into(), prefix: String::new(), files: files.into() };
        let mut sink = take("file_sink", "0");
        sink.tell(&note("/a/longer/path/than/the/next")).expect("written");
        sink.tell(&note("/out")).expect("written");
        let mut ended = take("file_sink", "1");
        ended.tell(&note("/old")).expect("written");
        drop(ended);
        take("topic", "0").tell(&note("/other")).expect("written");
        assert_eq!(notes(directory.path(), "file_sink"), [note("/out")]);
        assert_eq!(notes(&directory.path().join("none"), "file_sink"), []);
    }

    #[test]
    fn a_name_is_waited_for_while_its_holder_ends() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let take = |is_patient: &mut dyn FnMut() -> bool| {
            InstanceLock::take(directory.path(), "broker/prefix", ("topic", "0"), is_patient)
        };
        let mut holder = Some(take(&mut || false).expect("free"));
        let mut waits = 0;
        let successor = take(&mut || {
            waits += 1;
            if waits == 3 {
                holder = None;
            }
            true
        });
        assert!(successor.is_ok() && waits == 3, "{successor:?} after {waits} waits");
    }
}
