//! Bytes that are repaired while they are read, and where the repaired ones were.

use super::{LOOKAHEAD, Mender, Undone};
use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

const BUFFER_BYTES: usize = 64 * 1024;
/// Output that is made at once.
const OUT_BYTES: usize = 1024;
/// Places that are remembered: more than a parser reads ahead, few enough for a file that is nothing but slips.
const PLACES_MAX: usize = 4096;

/// Slips by name.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

/// Gives what it reads, repaired.
pub(crate) struct RepairReader<'a> {
    input: Input<'a>,
    mender: Mender,
    out: Vec<u8>,
    out_start: usize,
    repairs: Repairs,
}

/// Where the bytes come from.
enum Input<'a> {
    Stream(Stream<'a>),
    /// All of it, from the first byte not taken.
    Whole(&'a [u8]),
}

struct Stream<'a> {
    inner: Box<dyn Read + Send + 'a>,
    buffer: Vec<u8>,
    start: usize,
    is_end: bool,
    failure: Option<io::Error>,
}

impl<'a> RepairReader<'a> {
    /// Repairs what `inner` gives.
    pub(crate) fn stream(inner: Box<dyn Read + Send + 'a>) -> Self {
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        Self::new(Input::Stream(Stream { inner, buffer, start: 0, is_end: false, failure: None }))
    }

    /// Repairs bytes that are all there.
    pub(crate) fn whole(bytes: &'a [u8]) -> Self {
        Self::new(Input::Whole(bytes))
    }

    fn new(input: Input<'a>) -> Self {
        let (mender, repairs) = (Mender::default(), Repairs::default());
        Self { input, mender, out: Vec::with_capacity(OUT_BYTES + 16), out_start: 0, repairs }
    }

    /// What is repaired.
    pub(crate) fn repairs(&self) -> Repairs {
        self.repairs.clone()
    }

    fn refill(&mut self) {
        self.out.clear();
        self.out_start = 0;
        let mut undone = |undone| self.repairs.with(|log| log.push(undone));
        let out = (&mut self.out, OUT_BYTES);
        match &mut self.input {
            Input::Whole(rest) => {
                let taken = self.mender.run((rest, true), out, &mut undone);
                *rest = &rest[taken..];
            }
            Input::Stream(stream) => {
                stream.fill();
                let rest = (&stream.buffer[stream.start..], stream.is_end);
                stream.start += self.mender.run(rest, out, &mut undone);
            }
        }
    }
}

impl Stream<'_> {
    /// Has enough to decide about the next byte, or all there is.
    fn fill(&mut self) {
        if self.is_end || self.buffer.len() - self.start >= LOOKAHEAD {
            return;
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let missing = (BUFFER_BYTES - self.buffer.len()) as u64;
        // What came before a failure is in the buffer and goes out first.
        match (&mut self.inner).take(missing).read_to_end(&mut self.buffer) {
            Ok(count) => self.is_end = (count as u64) < missing,
            Err(error) => {
                self.is_end = true;
                self.failure = Some(error);
            }
        }
    }
}

impl Read for RepairReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.out_start == self.out.len() && !buffer.is_empty() {
            self.refill();
        }
        let ready = &self.out[self.out_start..];
        if ready.is_empty()
            && let Input::Stream(Stream { failure, .. }) = &mut self.input
            && let Some(failure) = failure.take()
        {
            return Err(failure);
        }
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.out_start += count;
        Ok(count)
    }
}

/// Bytes without their slips, and what those were.
pub(crate) fn repaired(bytes: &[u8]) -> (Vec<u8>, Counts) {
    let mut reader = RepairReader::whole(bytes);
    let mut out = Vec::with_capacity(bytes.len());
    // What is in memory does not fail to be read.
    drop(reader.read_to_end(&mut out));
    (out, reader.repairs.take(u64::MAX))
}

/// What a [`RepairReader`] repaired, for whoever parses what it gives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repairs(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    /// The newest, oldest first.
    places: VecDeque<Undone>,
    /// The newest of those that are no longer in `places`.
    base: Base,
    /// Of those no longer in `places`: not asked for yet.
    counts: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Base {
    taken: u64,
    given: u64,
    /// Line feeds lost up to here.
    lines: u64,
}

impl Base {
    fn after(self, undone: &Undone) -> Self {
        Self { taken: undone.taken, given: undone.given, lines: self.lines + u64::from(undone.is_line) }
    }
}

impl Log {
    fn push(&mut self, undone: Undone) {
        if self.places.len() == PLACES_MAX {
            self.forget();
        }
        self.places.push_back(undone);
    }

    fn forget(&mut self) {
        if let Some(undone) = self.places.pop_front() {
            self.base = self.base.after(&undone);
            *self.counts.entry(undone.slip.name()).or_default() += 1;
        }
    }
}

impl Repairs {
    fn with<T>(&self, use_it: impl FnOnce(&mut Log) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Slips before this place of the output that were not asked for before.
    pub(crate) fn take(&self, until: u64) -> Counts {
        self.with(|log| {
            while log.places.front().is_some_and(|undone| undone.given <= until) {
                log.forget();
            }
            std::mem::take(&mut log.counts)
        })
    }

    /// The place in the input of a place in the output, and how many line feeds were lost before it. Exact for a place
    /// not before the last one that [`Repairs::take`] was asked for.
    pub(crate) fn place(&self, given: u64) -> (u64, u64) {
        self.with(|log| {
            let passed = log.places.iter().take_while(|undone| undone.given <= given);
            let base = passed.fold(log.base, Base::after);
            (base.taken + given.saturating_sub(base.given), base.lines)
        })
    }
}
