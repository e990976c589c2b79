//! What passes between an export and its reader: bounded, counted, hashed.
//!
//! Invariant: no more is read of a part than it may have, and of one element no more than [`ELEMENT_BYTES_MAX`]: what
//! a reader gathers is bounded before it is gathered.

use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Bytes of one message with all that belongs to it: sixteen times the text that a message may have.
pub(crate) const ELEMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What was read so far of an export; shared by its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    /// Value of `bytes` when the element that is being read began.
    element: AtomicU64,
    is_unbounded: AtomicBool,
    hasher: Mutex<Option<Sha256>>,
}

impl Tally {
    /// One for a reader that bounds elements itself.
    pub(crate) fn unbounded() -> Self {
        let tally = Self::default();
        tally.0.is_unbounded.store(true, Ordering::Relaxed);
        tally
    }

    /// One that hashes what passes, too.
    pub(crate) fn hashing() -> Self {
        let tally = Self::default();
        tally.with(|hasher| *hasher = Some(Sha256::new()));
        tally
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Option<Sha256>) -> T) -> T {
        use_it(&mut self.0.hasher.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Bytes read, of parts without their compression.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// An element ends here.
    pub(crate) fn element(&self) {
        self.0.element.store(self.bytes(), Ordering::Relaxed);
    }

    /// SHA-256 over the bytes of all parts read, in hex: the same for a folder, for its zip, and for a lone file.
    pub(crate) fn sha256(&self) -> String {
        let hasher = self.with(|hasher| hasher.clone());
        hasher.map(|hasher| hex(&hasher.finalize())).unwrap_or_default()
    }

    fn take(&self, bytes: &[u8]) -> io::Result<()> {
        let count = self.0.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed) + bytes.len() as u64;
        let since = count - self.0.element.load(Ordering::Relaxed);
        if since > ELEMENT_BYTES_MAX && !self.0.is_unbounded.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a single message of more than 16 MiB"));
        }
        self.with(|hasher| {
            if let Some(hasher) = hasher {
                hasher.update(bytes);
            }
        });
        Ok(())
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

/// A part that is being read.
pub(crate) struct Guarded<R> {
    inner: R,
    tally: Tally,
    /// Bytes that may still come.
    left: u64,
}

impl<R: Read> Guarded<R> {
    pub(crate) fn new(inner: R, tally: Tally, bytes_max: u64) -> Self {
        Self { inner, tally, left: bytes_max }
    }
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::FileTooLarge,
                "more bytes than an export has, or than it says it has",
            )
        })?;
        self.tally.take(&buffer[..count])?;
        Ok(count)
    }
}

/// Checks what comes out of an archive against the sum that the archive holds of it.
pub(crate) struct Checked<R> {
    inner: R,
    sum: flate2::Crc,
    expected: u32,
    size: u64,
}

impl<R: Read> Checked<R> {
    pub(crate) fn new(inner: R, expected: u32, size: u64) -> Self {
        Self { inner, sum: flate2::Crc::new(), expected, size }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.sum.update(&buffer[..count]);
        let is_whole =
            u64::from(self.sum.amount()) == self.size % (1 << 32) && self.sum.sum() == self.expected;
        if count == 0 && !buffer.is_empty() && !is_whole {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is not what was put into the archive",
            ));
        }
        Ok(count)
    }
}
