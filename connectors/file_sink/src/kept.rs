//! The files of a tenant, by what their names tell. Invariant: what is not named as a digest's file is nobody's, and left out.

use crate::paths::{START, component, named};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// A digest's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its path below the folder of all digests, without extension, as [`digest_file_stem`] makes it.
    pub stem: PathBuf,
    /// Start of its window in ms.
    pub window_start: i64,
    /// True where somebody asked for it.
    pub is_asked: bool,
    /// When it was written, in ms.
    pub written_at: i64,
}

/// Path of a digest's files below the folder of all, without extension, by what is stored of it: tenant and group, its window's
/// id, start and size, and its revision.
pub fn digest_file_stem(
    (tenant_id, group_id): (&str, &str),
    (window_id, window_start, size_hours): (&str, i64, i32),
    revision: i32,
) -> PathBuf {
    let asked = (size_hours == schemas::ASKED_SIZE_HOURS).then_some(window_id);
    named((tenant_id, group_id), (window_start, size_hours), asked, revision)
}

/// The files of a tenant below the folder of all digests; none where that is no folder.
///
/// # Errors
/// Where a folder cannot be listed.
pub fn digest_files(out_dir: &Path, tenant_id: &str) -> io::Result<Vec<DigestFile>> {
    let mut files = Vec::new();
    for group in below(&out_dir.join(component(tenant_id)))? {
        for path in below(&group)? {
            files.extend(digest_file(out_dir, path));
        }
    }
    Ok(files)
}

fn below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", folder.display()))),
    }
}

fn digest_file(out_dir: &Path, path: PathBuf) -> Option<DigestFile> {
    let extension = path.extension()?.to_str()?;
    let name = path.file_stem()?.to_str()?;
    let (start, rest) = name.split_once('_')?;
    let window_start = DateTime::strptime(START, start).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    if !["md", "json"].contains(&extension) || !rest.contains("_r") {
        return None;
    }
    let written = fs::metadata(&path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(DigestFile {
        stem: path.strip_prefix(out_dir).ok()?.with_extension(""),
        window_start: Timestamp::as_millisecond(window_start),
        is_asked: rest.starts_with("asked_"),
        written_at: i64::try_from(written.as_millis()).unwrap_or(i64::MAX),
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_the_names_that_they_were_given() {
        let folder = tempfile::tempdir().unwrap();
        let day = digest_file_stem(("a/c", "v1.2"), ("w", 86_400_000, 24), 3);
        let asked = digest_file_stem(("a/c", "v1.2"), ("w", 0, 0), 1);
        assert_eq!(day, Path::new("a%2Fc/v1.2/1970-01-02T000000Z_24h_r3"));
        assert_eq!(asked, Path::new("a%2Fc/v1.2/1970-01-01T000000Z_asked_w_r1"));
        fs::create_dir_all(folder.path().join("a%2Fc/v1.2")).unwrap();
        for stem in [&day, &asked] {
            for extension in ["md", "json"] {
                fs::write(folder.path().join(stem).with_added_extension(extension), "").unwrap();
            }
        }
        for other in ["notes.md", "1970-01-02T000000Z_24h_r3.txt", "now_24h_r1.md"] {
            fs::write(folder.path().join("a%2Fc/v1.2").join(other), "").unwrap();
        }
        fs::write(folder.path().join("a%2Fc/file"), "").unwrap();
        let mut files = digest_files(folder.path(), "a/c").unwrap();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let found: Vec<_> = files.iter().map(|it| (&*it.stem, it.window_start, it.is_asked)).collect();
        let (day, asked) = ((&*day, 86_400_000, false), (&*asked, 0, true));
        assert_eq!(found, [asked, asked, day, day]);
        assert!(files.iter().all(|file| file.written_at > 1_700_000_000_000 && file.path.exists()));
        assert_eq!(digest_files(folder.path(), "nobody").unwrap(), []);
    }
}
