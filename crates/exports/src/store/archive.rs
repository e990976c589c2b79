//! The directory of a zip: what is in it, and what of that is refused.

use super::unreadable;
use crate::error::Error;
use std::{fs::File, io::BufReader, path::Path};
use zip::{CompressionMethod, ZipArchive, result::ZipError};

/// A part may be so many times its packed size: text is packed to a fifth or a twentieth, a bomb to a thousandth.
const RATIO_MAX: u64 = 200;
/// Below this size any ratio is harmless.
const RATIO_FROM_BYTES: u64 = 16 * 1024 * 1024;
/// Other names that are kept, to say what an archive looks like.
const OTHERS_MAX: usize = 5;
const EXPORT_AGAIN: &str = "copy or export it again";

/// Where a file lies in an archive.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Byte of the archive at which its data begins.
    pub(super) start: u64,
    pub(super) packed: u64,
    pub(super) size: u64,
    /// CRC-32.
    pub(super) sum: u32,
    pub(super) method: Method,
}

/// How it is packed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// The files whose names are wanted; `others` takes a few of the other names.
pub(super) fn entries(
    path: &Path,
    is_wanted: impl Fn(&str) -> bool,
    others: &mut Vec<String>,
) -> Result<Vec<(String, Entry)>, Error> {
    let refuse = |what: String, todo| Error::Archive { path: path.display().to_string(), what, todo };
    let broken = |error: ZipError| match error {
        ZipError::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            unreadable(path, source)
        }
        _ => refuse("its directory is damaged or missing: it may be half a file".to_owned(), EXPORT_AGAIN),
    };
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let name = match archive.name_for_index(index) {
            Some(Ok(name)) => name.replace('\\', "/"),
            _ => continue,
        };
        if leads_out(&name) {
            let what = format!("{name:?} leads out of the archive");
            return Err(refuse(what, "no export has that: do not open it elsewhere either"));
        }
        if !is_wanted(&name) {
            note(others, &name);
            continue;
        }
        let file = archive.by_index_raw(index).map_err(broken)?;
        if file.encrypted() {
            let what = format!("{name:?} is encrypted");
            return Err(refuse(what, "unpack it with its password and import the folder"));
        }
        let method = match file.compression() {
            CompressionMethod::Stored => Method::Stored,
            CompressionMethod::Deflated => Method::Deflated,
            other => {
                let what = format!("{name:?} is packed by {other}");
                return Err(refuse(what, "unpack it and import the folder"));
            }
        };
        let (packed, size, sum) = (file.compressed_size(), file.size(), file.crc32());
        if size > RATIO_FROM_BYTES && size / RATIO_MAX > packed {
            let what = format!("{name:?} says it is {size} bytes packed into {packed}");
            return Err(refuse(what, "no export is that: do not open it elsewhere either"));
        }
        let start = file.data_start().ok_or_else(|| broken(ZipError::FileNotFound))?;
        found.push((name, Entry { start, packed, size, sum, method }));
    }
    Ok(found)
}

/// Keeps a name, if there are few.
pub(super) fn note(others: &mut Vec<String>, name: &str) {
    if others.len() < OTHERS_MAX && !name.ends_with('/') {
        others.push(name.to_owned());
    }
}

/// True for a name that would be outside of the folder that the archive is unpacked into.
fn leads_out(name: &str) -> bool {
    let is_drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with('/') || is_drive || name.contains('\0') || name.split('/').any(|part| part == "..")
}
