//! Opens a file: follows folders, undoes gzip, tells archives and web pages, counts and hashes what is read.
//!
//! Invariant: the bytes given out are the decompressed content without a byte-order mark; the hash and the count
//! are over all of the decompressed content.

use crate::{
    error::{AGAIN_OR_SKIP, Error},
    export::{Fault, FaultKind},
};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

const BUFFER_BYTES: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const GZIP: &[u8] = &[0x1f, 0x8b];

/// A file that is being read.
pub(crate) struct Input {
    /// The content.
    pub(crate) reader: Box<dyn Read + Send>,
    /// The first [`BUFFER_BYTES`] of the content, or all of it.
    pub(crate) head: Vec<u8>,
    /// What was read so far.
    pub(crate) probe: Probe,
    /// It lies in a zip; the bytes of the file that are read are then those of the content.
    pub(crate) is_archive: bool,
}

/// The file itself, for a folder the `result.json` in it.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, Error> {
    let name = path.display().to_string();
    let metadata = path.metadata().map_err(|source| unreadable(&name, source))?;
    if !metadata.is_dir() {
        return Ok(path.to_owned());
    }
    let inside = ["result.json", "result.json.gz"].map(|inside| path.join(inside));
    // Other folders were looked into before: `exports::find`.
    let found = inside.into_iter().find(|inside| inside.is_file());
    found.ok_or(Error::Changed { path: name })
}

/// Opens a file; `hashes` asks for the hash of its content.
pub(crate) fn open(path: &Path, hashes: bool) -> Result<Input, Error> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| unreadable(&name, source))?;
    let probe = Probe::new(name.clone(), hashes);
    let mut raw = Watched { inner: file, watch: Watch::File, probe: probe.clone() };
    let head = read_head(&mut raw, 4).map_err(|source| unreadable(&name, source))?;
    let (is_archive, is_gzip) = (is_zip(&head), head.starts_with(GZIP));
    let raw = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(head).chain(raw));
    let content: Box<dyn Read + Send> = if is_archive {
        let inner = exports::open_telegram_json(path)?.ok_or_else(|| Error::Zip { path: name.clone() })?;
        Box::new(Watched { inner, watch: Watch::File, probe: probe.clone() })
    } else if is_gzip {
        Box::new(MultiGzDecoder::new(raw))
    } else {
        Box::new(raw)
    };
    let watch = Watch::Content { is_packed: is_gzip || is_archive };
    let mut content = Watched { inner: content, watch, probe: probe.clone() };
    let mut head = read_head(&mut content, BUFFER_BYTES)
        .map_err(|_| probe.error(&Fault::new(FaultKind::Input, 0, 1)))?;
    if head.starts_with(BYTE_ORDER_MARK) {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    if is_zip(&head) {
        return Err(Error::Zip { path: name });
    }
    let rest = BufReader::with_capacity(BUFFER_BYTES, content);
    Ok(Input { reader: Box::new(Cursor::new(head.clone()).chain(rest)), head, probe, is_archive })
}

fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

fn read_head(reader: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(bytes);
    reader.take(bytes as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn unreadable(path: &str, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: path.to_owned() },
        _ => Error::Unreadable { path: path.to_owned(), source },
    }
}

/// What was read of a file.
#[derive(Clone)]
pub(crate) struct Probe {
    path: Arc<str>,
    state: Arc<Mutex<ProbeState>>,
}

#[derive(Default)]
struct ProbeState {
    hasher: Option<Sha256>,
    file_bytes: u64,
    content_bytes: u64,
    /// The content was read to its end.
    is_at_end: bool,
    failure: Option<Failure>,
}

enum Failure {
    Gzip,
    System(io::Error),
}

impl Probe {
    fn new(path: String, hashes: bool) -> Self {
        let state = ProbeState { hasher: hashes.then(Sha256::new), ..ProbeState::default() };
        Self { path: path.into(), state: Arc::new(Mutex::new(state)) }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut ProbeState) -> T) -> T {
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The file as messages for people name it.
    pub(crate) fn path(&self) -> String {
        self.path.to_string()
    }

    /// Bytes of the file read.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.with(|state| state.file_bytes)
    }

    /// Decompressed bytes read.
    pub(crate) fn content_bytes(&self) -> u64 {
        self.with(|state| state.content_bytes)
    }

    /// SHA-256 of the decompressed bytes read so far, in hex; empty when none was asked for.
    pub(crate) fn sha256(&self) -> String {
        let hasher = self.with(|state| state.hasher.clone());
        hasher.map(|hasher| hex(&hasher.finalize())).unwrap_or_default()
    }

    /// A fault of the content, or of the file below it.
    pub(crate) fn error(&self, fault: &Fault) -> Error {
        let path = self.path.to_string();
        let (failure, bytes, is_at_end) =
            self.with(|state| (state.failure.take(), state.content_bytes, state.is_at_end));
        let ways = AGAIN_OR_SKIP;
        let Fault { kind, at, line, message } = *fault;
        match (failure, kind) {
            (Some(Failure::Gzip), _) => Error::Gzip { path, at: bytes },
            (Some(Failure::System(source)), _) => Error::Unreadable { path, source },
            (None, FaultKind::Truncated) => Error::Truncated { path, at: bytes, ways },
            (None, FaultKind::Input) => Error::InvalidUtf8 { path, at, line, message, ways },
            // The parser asks for what is missing (a colon, a comma) before it sees that nothing is left.
            (None, FaultKind::Malformed(_)) if is_at_end && at >= bytes => {
                Error::Truncated { path, at: bytes, ways }
            }
            (None, FaultKind::Malformed(what)) => Error::Malformed { path, at, line, message, what, ways },
        }
    }
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

/// Tells the probe what passes.
struct Watched<R> {
    inner: R,
    watch: Watch,
    probe: Probe,
}

#[derive(Clone, Copy)]
enum Watch {
    File,
    Content { is_packed: bool },
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        let watch = self.watch;
        self.probe.with(|state| match (&result, watch) {
            (Ok(count), Watch::File) => state.file_bytes += *count as u64,
            (Ok(count), Watch::Content { .. }) => {
                state.content_bytes += *count as u64;
                state.is_at_end |= *count == 0;
                if let Some(hasher) = &mut state.hasher {
                    hasher.update(&buffer[..*count]);
                }
            }
            (Err(error), _) if error.kind() == io::ErrorKind::Interrupted || state.failure.is_some() => {}
            (Err(_), Watch::Content { is_packed: true }) => state.failure = Some(Failure::Gzip),
            (Err(error), _) => {
                state.failure = Some(Failure::System(io::Error::new(error.kind(), error.to_string())));
            }
        });
        result
    }
}
