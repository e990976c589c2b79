//! Files that appear whole or not at all: written aside, synced, renamed, and their folder synced.
//!
//! Invariant: the partial folder carries the epoch, so that a zombie and its successor never write the same bytes aside; it
//! is made only while the partition's row is locked, and a successor takes it away: what a zombie writes then has nowhere
//! to be written and is never renamed over newer files.

use runtime::SinkError;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

/// A file to be written.
#[derive(Debug)]
pub(crate) struct FileJob {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

/// Writes `jobs` in order, each first into `partial_dir`, which is on the same file system as they are.
pub(crate) async fn write(partial_dir: PathBuf, jobs: Vec<FileJob>) -> Result<(), SinkError> {
    if jobs.is_empty() {
        return Ok(());
    }
    blocking(move || write_all(&partial_dir, &jobs)).await
}

/// Makes the partial folder. To be called while the claim is known to hold.
pub(crate) async fn make_partial(partial_dir: PathBuf) -> Result<(), SinkError> {
    blocking(move || fs::create_dir_all(&partial_dir).map_err(|error| refused(&partial_dir, &error))).await
}

/// Removes what earlier holders of a partition left half-written. Each folder is renamed first: an earlier holder that
/// still writes does so by the old name, and no longer into what is being removed.
pub(crate) async fn clear_partial(partial_root: PathBuf, prefix: String) -> Result<(), SinkError> {
    blocking(move || clear_all(&partial_root, &prefix)).await
}

/// What the name of a folder begins with that is on its way out.
const GONE: &str = "gone-";

fn clear_all(partial_root: &Path, prefix: &str) -> Result<(), SinkError> {
    let entries = match fs::read_dir(partial_root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| refused(partial_root, &error))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| refused(partial_root, &error))?;
        names.extend(entry.file_name().into_string());
    }
    // What an earlier clean-up did not finish comes first: nothing is renamed onto it.
    for name in names.iter().filter(|name| name.strip_prefix(GONE).is_some_and(|of| of.starts_with(prefix))) {
        let path = partial_root.join(name);
        unless_gone(fs::remove_dir_all(&path)).map_err(|error| refused(&path, &error))?;
    }
    for name in names.iter().filter(|name| name.starts_with(prefix)) {
        let (from, to) = (partial_root.join(name), partial_root.join(format!("{GONE}{name}")));
        unless_gone(fs::rename(&from, &to)).map_err(|error| refused(&from, &error))?;
        unless_gone(fs::remove_dir_all(&to)).map_err(|error| refused(&to, &error))?;
    }
    Ok(())
}

/// Somebody else may have removed it.
fn unless_gone(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Runs what waits for the file system on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SinkError> + Send + 'static,
) -> Result<T, SinkError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|source| {
        Err(SinkError::Transient { what: "files: the writing thread ended", source: Box::new(source) })
    })
}

fn write_all(partial_dir: &Path, jobs: &[FileJob]) -> Result<(), SinkError> {
    let partial = partial_dir.join("file");
    let mut folders = BTreeSet::new();
    for job in jobs {
        write_one(&partial, job).map_err(|error| refused(&job.path, &error))?;
        folders.extend(job.path.parent());
    }
    sync(folders)
}

/// Sees to it that what was renamed or removed in folders stays so.
pub(crate) fn sync(folders: BTreeSet<&Path>) -> Result<(), SinkError> {
    folders.into_iter().try_for_each(|folder| {
        File::open(folder).and_then(|open| open.sync_all()).map_err(|error| refused(folder, &error))
    })
}

fn write_one(partial: &Path, job: &FileJob) -> io::Result<()> {
    if let Some(folder) = job.path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(partial)?;
    file.write_all(&job.bytes)?;
    file.sync_all()?;
    fs::rename(partial, &job.path)
}

/// Some causes go away by themselves, or by somebody making room or allowing it; for the others the folder itself has to
/// be another one.
pub(crate) fn refused(path: &Path, error: &io::Error) -> SinkError {
    let what = match error.kind() {
        ErrorKind::StorageFull => "file: no space left on the device",
        ErrorKind::QuotaExceeded => "file: the disk quota is used up",
        ErrorKind::ReadOnlyFilesystem => "file: the file system of the output folder is read-only",
        ErrorKind::PermissionDenied => "file: the output folder has to be made writable",
        ErrorKind::Interrupted
        | ErrorKind::ResourceBusy
        | ErrorKind::NotFound
        | ErrorKind::DirectoryNotEmpty => "file",
        _ if error.raw_os_error().is_some_and(|code| [EIO, EMFILE, ENFILE].contains(&code)) => "file",
        _ => {
            return SinkError::Fatal(format!(
                "could not write or remove {}: {error}; clear the way, or choose another output folder",
                path.display()
            ));
        }
    };
    SinkError::Transient { what, source: format!("{}: {error}", path.display()).into() }
}

/// Errors of the device and of too many open files, which have no name in `std`.
const EIO: i32 = 5;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_replace_each_other_whole_and_leave_nothing_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let (partial, path) = (folder.path().join(".partial/0-1"), folder.path().join("t/g/w.md"));
        fs::create_dir_all(&partial).expect("made");
        for text in ["first", "2nd"] {
            let job = FileJob { path: path.clone(), bytes: text.as_bytes().to_vec() };
            write_all(&partial, &[job]).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
        }
        assert_eq!(fs::read_dir(&partial).expect("read").count(), 0);
    }

    #[test]
    fn a_path_that_cannot_be_made_is_fatal_and_says_where() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("t");
        fs::write(&file, "in the way").expect("written");
        let job = FileJob { path: file.join("g/w.md"), bytes: Vec::new() };
        fs::create_dir_all(folder.path().join(".partial")).expect("made");
        let error = write_all(&folder.path().join(".partial"), &[job]).expect_err("refused");
        assert!(matches!(&error, SinkError::Fatal(text) if text.contains("t/g/w.md")), "{error}");
        assert_eq!(fs::read_to_string(&file).expect("read"), "in the way");
    }

    #[test]
    fn a_zombie_renames_nothing_once_its_folder_was_taken_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, path) = (folder.path().join(".partial"), folder.path().join("t/g/w.md"));
        let (old, new) = (root.join("topic-0-1"), root.join("topic-0-2"));
        let job = |text: &str| FileJob { path: path.clone(), bytes: text.as_bytes().to_vec() };
        for of_others in ["topic-1-1", "topic-0-1", "other-0-1"] {
            fs::create_dir_all(root.join(of_others)).expect("made");
        }
        // Half-written, and what a clean-up that was killed has left.
        fs::write(old.join("file"), "half").expect("written");
        fs::create_dir_all(root.join("gone-topic-0-1/more")).expect("made");
        clear_all(&root, "topic-0-").expect("cleared");
        fs::create_dir_all(&new).expect("made");
        write_all(&new, &[job("newer attempt")]).expect("written");
        let error = write_all(&old, &[job("older attempt")]).expect_err("has nowhere to write");
        assert!(
            matches!(error, SinkError::Transient { .. }),
            "{error}: its next transaction tells it the truth"
        );
        assert_eq!(fs::read_to_string(&path).expect("read"), "newer attempt");
        let mut left: Vec<_> =
            fs::read_dir(&root).expect("read").map(|entry| entry.expect("read").file_name()).collect();
        left.sort();
        assert_eq!(left, ["other-0-1", "topic-0-2", "topic-1-1"]);
    }

    #[test]
    fn a_folder_that_fills_while_it_is_removed_is_removed_later() {
        let error = refused(Path::new("/out/.partial"), &io::Error::from(ErrorKind::DirectoryNotEmpty));
        assert!(matches!(error, SinkError::Transient { .. }), "{error}");
    }

    #[test]
    fn what_somebody_can_mend_is_waited_for() {
        for (kind, said) in [
            (ErrorKind::StorageFull, "no space left on the device"),
            (ErrorKind::QuotaExceeded, "the disk quota is used up"),
            (ErrorKind::ReadOnlyFilesystem, "the file system of the output folder is read-only"),
            (ErrorKind::PermissionDenied, "the output folder has to be made writable"),
        ] {
            let error = refused(Path::new("/out/w.md"), &io::Error::from(kind));
            assert_eq!(error.to_string(), format!("could not write file: {said}"));
            assert!(matches!(error, SinkError::Transient { .. }), "{kind:?}");
        }
    }
}
