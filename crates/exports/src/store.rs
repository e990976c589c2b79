//! Where the parts of an export lie: one file, a folder, a zip.
//!
//! Invariant: nothing is unpacked to the disk, an archive in an archive is not opened, and what an archive says of
//! its sizes is a limit for what comes out of it.

mod archive;

use crate::{
    error::Error,
    guard::{Checked, Guarded, Tally},
};
use archive::Method;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// Parts that an export may have: channels by days of many years.
const PARTS_MAX: usize = 500_000;
/// Bytes of one part without its compression.
const PART_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;
/// Folders in folders that are looked into.
const DEPTH_MAX: usize = 4;
const BUFFER_BYTES: usize = 64 * 1024;
/// What a part with messages ends with; all else is media.
const EXTENSIONS: [&str; 4] = [".html", ".json", ".txt", ".jsonl"];

/// A file of an export.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Path inside the export, with `/`.
    pub(crate) name: String,
    /// Bytes without compression, as far as that is known.
    pub(crate) size: u64,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Gzip(PathBuf),
    Archive(archive::Entry),
}

impl Part {
    /// The folder inside the export, `""` for the top one.
    pub(crate) fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The name without its folder.
    pub(crate) fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// The files of an export.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    path: PathBuf,
    /// By name.
    pub(crate) parts: Vec<Part>,
    /// Names of other files, the first few.
    pub(crate) others: Vec<String>,
    pub(crate) is_archive: bool,
}

impl Store {
    /// One file, gzipped or not.
    pub(crate) fn file(path: &Path, is_gzip: bool) -> Result<Self, Error> {
        let size = fs::metadata(path).map_err(|source| unreadable(path, source))?.len();
        let place = if is_gzip { Place::Gzip(path.to_owned()) } else { Place::File(path.to_owned()) };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (parts, others) = (vec![Part { name, size, place }], Vec::new());
        Ok(Self { path: path.to_owned(), parts, others, is_archive: false })
    }

    /// Adds the files beside the only one that belong to it.
    pub(crate) fn add_siblings(&mut self, path: &Path, belongs: impl Fn(&str) -> bool) -> Result<(), Error> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.parts.clear();
        for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
            let path = entry.map_err(|source| unreadable(folder, source))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| belongs(name))
            else {
                continue;
            };
            let size = fs::metadata(&path).map_err(|source| unreadable(&path, source))?.len();
            self.parts.push(Part { name: name.to_owned(), size, place: Place::File(path.clone()) });
        }
        self.parts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    /// All files under a folder.
    pub(crate) fn folder(path: &Path) -> Result<Self, Error> {
        let mut store =
            Self { path: path.to_owned(), parts: Vec::new(), others: Vec::new(), is_archive: false };
        store.walk(path, "", 0)?;
        store.sorted()
    }

    /// The directory of a zip.
    pub(crate) fn archive(path: &Path) -> Result<Self, Error> {
        let mut store =
            Self { path: path.to_owned(), parts: Vec::new(), others: Vec::new(), is_archive: true };
        for (name, entry) in archive::entries(path, is_wanted, &mut store.others)? {
            store.parts.push(Part { name, size: entry.size, place: Place::Archive(entry) });
        }
        store.sorted()
    }

    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Error> {
        for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
            let path = entry.map_err(|source| unreadable(folder, source))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let metadata = fs::metadata(&path).map_err(|source| unreadable(&path, source))?;
            let inside = format!("{prefix}{name}");
            if metadata.is_dir() && depth < DEPTH_MAX {
                self.walk(&path, &format!("{inside}/"), depth + 1)?;
            } else if metadata.is_file() && is_wanted(&inside) {
                let (size, place) = (metadata.len(), Place::File(path));
                self.parts.push(Part { name: inside, size, place });
            } else if metadata.is_file() {
                archive::note(&mut self.others, &inside);
            }
            self.check_count()?;
        }
        Ok(())
    }

    fn check_count(&self) -> Result<(), Error> {
        if self.parts.len() > PARTS_MAX {
            return Err(Error::TooLarge { path: self.name(), what: format!("more than {PARTS_MAX} files") });
        }
        Ok(())
    }

    fn sorted(mut self) -> Result<Self, Error> {
        self.check_count()?;
        self.parts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(self)
    }

    /// The same export with these parts alone.
    pub(crate) fn with(&self, parts: Vec<Part>) -> Self {
        Self { path: self.path.clone(), parts, others: Vec::new(), is_archive: self.is_archive }
    }

    /// The export as messages for people name it.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// A part as messages for people name it.
    pub(crate) fn part_name(&self, part: &Part) -> String {
        match &part.place {
            Place::File(path) | Place::Gzip(path) => path.display().to_string(),
            Place::Archive(_) => format!("{} in {}", part.name, self.name()),
        }
    }

    /// Reads a part; the tally sees what passes.
    pub(crate) fn open(&self, part: &Part, tally: &Tally) -> Result<Box<dyn Read + Send>, Error> {
        let named = |source| self.fault(part, source);
        let reader: Box<dyn Read + Send> = match &part.place {
            Place::File(path) => Box::new(File::open(path).map_err(named)?),
            Place::Gzip(path) => {
                let file = File::open(path).map_err(named)?;
                Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, file)))
            }
            Place::Archive(entry) => {
                let mut file = File::open(&self.path).map_err(named)?;
                file.seek(SeekFrom::Start(entry.start)).map_err(named)?;
                let packed = BufReader::with_capacity(BUFFER_BYTES, file.take(entry.packed));
                match entry.method {
                    Method::Stored => Box::new(Checked::new(packed, entry.sum, entry.size)),
                    Method::Deflated => {
                        Box::new(Checked::new(DeflateDecoder::new(packed), entry.sum, entry.size))
                    }
                }
            }
        };
        let bytes_max = if let Place::Archive(entry) = &part.place { entry.size } else { PART_BYTES_MAX };
        tally.element();
        Ok(Box::new(Guarded::new(reader, tally.clone(), bytes_max)))
    }

    /// What a failure to read a part means.
    pub(crate) fn fault(&self, part: &Part, source: io::Error) -> Error {
        let path = self.part_name(part);
        let is_packed = !matches!(part.place, Place::File(_));
        match source.kind() {
            io::ErrorKind::FileTooLarge => Error::TooLarge { path, what: source.to_string() },
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
                if is_packed =>
            {
                let (place, what) = ("its compression".to_owned(), source.to_string());
                Error::Damaged { path, place, what }
            }
            _ => Error::Unreadable { path, source },
        }
    }

    /// The first bytes of a part, without a byte-order mark.
    pub(crate) fn head(&self, part: &Part, bytes: u64) -> Result<Vec<u8>, Error> {
        let mut head = Vec::new();
        let reader = self.open(part, &Tally::default())?;
        reader.take(bytes).read_to_end(&mut head).map_err(|source| self.fault(part, source))?;
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(head)
    }
}

/// What some programs put before UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// The `result.json` of Telegram Desktop in a zip; `None` where there is none.
pub fn open_telegram_json(path: &Path) -> Result<Option<Box<dyn Read + Send>>, Error> {
    let store = Store::archive(path)?;
    let Some(part) = store.parts.iter().find(|part| part.file_name() == "result.json") else {
        return Ok(None);
    };
    let tally = Tally::unbounded();
    store.open(part, &tally).map(Some)
}

fn is_wanted(name: &str) -> bool {
    let lower = name.to_lowercase();
    let is_hidden =
        lower.starts_with("__macosx/") || lower.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    !is_hidden && EXTENSIONS.iter().any(|extension| lower.ends_with(extension))
}

pub(crate) fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Unreadable { path: path.display().to_string(), source }
}
