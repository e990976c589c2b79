//! Files of digests that retention took, and those that belong to no digest.
//!
//! Invariant: a file goes only where the mark of its tenant says that no digest of it is written again; what merely has no digest
//! is told, since a sink that is behind may be about to store it.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Context;
use file_sink::{DigestFile, digest_file_stem, digest_files};
use jiff::Timestamp;
use state::Found;

use super::report::Report;

/// A file without a digest is told once it is so old: until then its digest may be on its way to the store.
const SETTLED_MS: i64 = 3_600_000;

/// Removes what is past, or counts it, and tells what belongs to no digest.
pub(super) fn sweep(
    folder: &Path,
    (tenant, due): (&str, Option<i64>),
    digests: &[Found],
    report: &mut Report,
) -> anyhow::Result<()> {
    let failed = || {
        format!("could not list the files of tenant {tenant}; give this user access to {}", folder.display())
    };
    let files = digest_files(folder, tenant).with_context(failed)?;
    let stem = |found: &Found| {
        let window = (&*found.window_id, found.window_start, found.size_hours);
        digest_file_stem((tenant, &found.group_id), window, found.revision)
    };
    let known: BTreeSet<_> = digests.iter().map(stem).collect();
    let now_ms = Timestamp::now().as_millisecond();
    for file in files {
        if is_past(&file, due) {
            report.add("files", 1);
            if !report.is_dry() {
                fs::remove_file(&file.path)
                    .with_context(|| format!("could not remove {}", file.path.display()))?;
            }
        } else if !known.contains(&file.stem) && now_ms - file.written_at > SETTLED_MS {
            report.without_digest(&file.path);
        }
    }
    Ok(())
}

/// A window of the clock is past once it begins before the time; one that was asked for ended before its file was written.
fn is_past(file: &DigestFile, due: Option<i64>) -> bool {
    due.is_some_and(
        |before| if file.is_asked { file.written_at <= before } else { file.window_start < before },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_past_goes_and_what_has_no_digest_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let day = 86_400_000;
        let file = |window_start, size_hours| {
            let stem = digest_file_stem(("acme", "qa"), ("w", window_start, size_hours), 1);
            let path = out.join(stem).with_added_extension("md");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "words").unwrap();
            let old = std::time::UNIX_EPOCH + std::time::Duration::from_hours(240);
            fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
            path
        };
        let (past, edge, stray, asked) =
            (file(day - 1_000, 24), file(day, 24), file(2 * day, 24), file(0, 0));
        let digests = [Found {
            group_id: "qa".to_owned(),
            window_id: "v".to_owned(),
            window_start: day,
            size_hours: 24,
            revision: 1,
        }];
        let swept = |due, is_dry| {
            let mut report = Report::new(is_dry);
            sweep(out, ("acme", Some(due)), &digests, &mut report).unwrap();
            (report.count("files"), report.files_without_digest)
        };
        assert_eq!(swept(day, true), (1, 2), "the one asked for has no digest, and its time is to come");
        assert!(past.exists());
        assert_eq!(swept(day, false), (1, 2));
        assert!(!past.exists() && edge.exists() && stray.exists() && asked.exists());
        assert_eq!(swept(10 * day, false), (3, 0));
        assert!(!edge.exists() && !stray.exists() && !asked.exists());
        sweep(&out.join("none"), ("acme", Some(0)), &digests, &mut Report::new(false)).unwrap();
    }
}
