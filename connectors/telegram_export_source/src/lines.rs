//! Lines of bounded length.

use std::io::{self, BufRead};

/// Longest line in bytes: a message of the largest size with every character escaped.
pub(crate) const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A line without its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Line {
    /// Cut at 4 MiB.
    pub(crate) bytes: Vec<u8>,
    /// It was longer.
    pub(crate) is_too_long: bool,
    /// It ended with a line feed, not with the input.
    pub(crate) is_ended: bool,
    /// Bytes it took, with its end.
    pub(crate) taken: u64,
}

impl Line {
    /// Reads on from where the last call stopped; returns true when a whole line is there. False: the input has
    /// no more for now.
    pub(crate) fn read(&mut self, input: &mut impl BufRead) -> io::Result<bool> {
        loop {
            let available = match input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(false);
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let content = &available[..end.unwrap_or(available.len())];
            let room = LINE_BYTES_MAX - self.bytes.len();
            self.is_too_long |= content.len() > room;
            self.bytes.extend_from_slice(&content[..content.len().min(room)]);
            let taken = content.len() + usize::from(end.is_some());
            self.taken += taken as u64;
            input.consume(taken);
            if end.is_some() {
                self.is_ended = true;
                return Ok(true);
            }
        }
    }

    /// Nothing but white space.
    pub(crate) fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_their_limit() {
        let long = "x".repeat(LINE_BYTES_MAX + 5);
        let input = format!("one\n\n{long}\nlast");
        let mut input = input.as_bytes();
        let mut next = || {
            let mut line = Line::default();
            (line.read(&mut input).expect("readable"), line)
        };
        let (whole, line) = next();
        assert_eq!((whole, line.bytes.as_slice(), line.taken), (true, &b"one"[..], 4));
        assert!(next().1.is_blank());
        let (whole, line) = next();
        assert!(whole && line.is_too_long && line.bytes.len() == LINE_BYTES_MAX);
        let (whole, line) = next();
        assert_eq!((whole, line.is_ended, line.bytes.as_slice()), (false, false, &b"last"[..]));
    }
}
