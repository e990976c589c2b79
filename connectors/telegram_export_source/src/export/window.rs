//! A damaged document, some of which is in memory: values are read from its front, or passed over.
//!
//! Invariant: no more than [`VALUE_BYTES_MAX`] and one read ahead are in memory.

use super::{
    fault::{Fault, FaultKind},
    json::{self, Json},
};
use crate::repair::{Counts, LOOKAHEAD, RepairReader};
use std::io::Read;

/// What is read at once.
const READ_BYTES: usize = 512 * 1024;
/// Enough for nearly every element.
pub(super) const FIRST_BYTES: usize = 64 * 1024;
/// A value that has not ended after so many bytes is taken for damaged.
const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The part of a document that is in memory.
pub(super) struct Window {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    /// Bytes before the front.
    at: u64,
    /// Line of the front, from 1.
    line: u64,
    is_end: bool,
}

impl Window {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, buffer: Vec::new(), start: 0, at: 0, line: 1, is_end: false }
    }

    /// What is in memory from the front on: so many bytes or more, or all there are.
    pub(super) fn look(&mut self, bytes: usize) -> Result<&[u8], Fault> {
        if self.buffer.len() - self.start < bytes && !self.is_end {
            self.buffer.drain(..self.start);
            self.start = 0;
            let missing = (bytes.max(READ_BYTES) - self.buffer.len()) as u64;
            let read = (&mut self.input).take(missing).read_to_end(&mut self.buffer);
            let count = read.map_err(|_| self.fault(FaultKind::Input))?;
            self.is_end = (count as u64) < missing;
        }
        Ok(&self.buffer[self.start..])
    }

    /// True when [`Window::look`] shows all there is.
    pub(super) fn is_end(&self) -> bool {
        self.is_end
    }

    /// Moves the front.
    pub(super) fn pass(&mut self, bytes: usize) {
        let passed = &self.buffer[self.start..self.start + bytes];
        self.line += passed.split(|byte| *byte == b'\n').count() as u64 - 1;
        self.at += bytes as u64;
        self.start += bytes;
    }

    /// Bytes before the front.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// A fault at the front.
    pub(super) fn fault(&self, kind: FaultKind) -> Fault {
        Fault::new(kind, self.at, self.line)
    }

    /// Passes white space and commas; `indent` becomes what stands before the next byte if it is the first of its
    /// line. The byte, or `None` at the end.
    pub(super) fn significant(&mut self, indent: &mut Option<Vec<u8>>) -> Result<Option<u8>, Fault> {
        loop {
            let rest = self.look(LOOKAHEAD)?;
            let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
            let next = rest.get(blank).copied();
            if let Some(line) = rest[..blank].iter().rposition(|byte| *byte == b'\n') {
                *indent = Some(rest[line + 1..blank].to_vec());
            }
            self.pass(blank);
            if next.is_some() || blank == 0 {
                return Ok(next);
            }
        }
    }

    /// Reads a value at the front and passes it; a fault passes nothing.
    pub(super) fn value<T>(
        &mut self,
        mut read: impl FnMut(&mut Json) -> Result<T, Fault>,
    ) -> Result<(T, Counts), Fault> {
        let mut bytes = FIRST_BYTES;
        loop {
            let rest = self.look(bytes)?;
            let length = rest.len();
            let (taken, read) = attempt(rest, &mut read);
            // So near to the end of what is in memory the next bytes may tell another story.
            let is_short = !self.is_end && taken + LOOKAHEAD > length;
            match read {
                _ if is_short && bytes < VALUE_BYTES_MAX => bytes *= 4,
                Err(_) if is_short => return Err(self.fault(FaultKind::Malformed("it does not end"))),
                read => return self.passed(taken, read),
            }
        }
    }

    /// As [`Window::value`], of a value that ends before `bound`, at which another one begins.
    pub(super) fn value_before<T>(
        &mut self,
        bound: usize,
        mut read: impl FnMut(&mut Json) -> Result<T, Fault>,
    ) -> Result<(T, Counts), Fault> {
        let (taken, read) = attempt(&self.look(bound)?[..bound], &mut read);
        self.passed(taken, read)
    }

    fn passed<T>(&mut self, taken: usize, read: Result<T, Fault>) -> Result<T, Fault> {
        let (at, line) = (self.at, self.line);
        let value =
            read.map_err(|fault| Fault { at: at + fault.at, line: line + fault.line - 1, ..fault })?;
        self.pass(taken);
        Ok(value)
    }
}

/// The value at the front of `rest` and the slips in it; and the bytes that it takes, or those before its fault.
fn attempt<T>(
    rest: &[u8],
    read: &mut impl FnMut(&mut Json) -> Result<T, Fault>,
) -> (usize, Result<(T, Counts), Fault>) {
    let (mut json, repairs) = json::open(RepairReader::whole(rest));
    match read(&mut json) {
        Ok(value) => {
            let given = json::position(&json);
            let taken = repairs.place(given).0;
            (taken as usize, Ok((value, repairs.take(given))))
        }
        Err(fault) => {
            let fault = fault.before_repairs(&repairs);
            (fault.at as usize, Err(fault))
        }
    }
}
