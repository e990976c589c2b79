//! One holder per instance name on a machine: two processes of one name would fence each other for ever.

use sha2::{Digest, Sha256};
use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

/// Held as long as the process lives; the system lets go of it however the process ends.
#[derive(Debug)]
pub(super) struct InstanceLock {
    _file: File,
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
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if is_patient() => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held { name: name.to_owned(), instance: instance.to_owned() });
                }
                Err(TryLockError::Error(source)) => return Err(LockError::File { path, source }),
            }
        }
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
