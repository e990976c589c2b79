//! A file of lines, item by item.

use crate::{
    draft::Item,
    error::Error,
    export::{Fault, FaultKind},
    input::{Input, Probe},
    line,
    lines::Line,
    meter::Damage,
    repair::Counts,
};
use std::io::{BufReader, Read};

/// The items of a file of lines.
pub(crate) struct LineReader {
    input: BufReader<Box<dyn Read + Send>>,
    probe: Probe,
    /// A line that is no JSON is an item, not an error.
    skips_bad: bool,
    /// Lines read.
    pub(crate) number: u64,
    /// Bytes read.
    pub(crate) bytes: u64,
}

impl LineReader {
    pub(crate) fn new(input: Input, skips_bad: bool) -> Self {
        Self { input: BufReader::new(input.reader), probe: input.probe, skips_bad, number: 0, bytes: 0 }
    }

    /// The next item and the slips in its line; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<(Item, Counts)>, Error> {
        loop {
            let mut line = Line::default();
            let is_ended = line
                .read(&mut self.input)
                .map_err(|_| self.probe.error(&Fault::new(FaultKind::Truncated, self.bytes, self.number)))?;
            if !is_ended && line.taken == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.bytes += line.taken;
            let mut slips = Counts::new();
            let item = match line::parse(&line, &mut slips) {
                Ok(item) => item,
                Err(bad) if self.skips_bad => Some(Item::Damaged(Damage::of_line(self.number, bad.0))),
                Err(bad) => return Err(self.bad_line(bad.0)),
            };
            if let Some(item) = item {
                return Ok(Some((item, slips)));
            }
        }
    }

    fn bad_line(&self, what: String) -> Error {
        Error::BadLine {
            path: self.probe.path(),
            line: self.number,
            what,
            consequence: "nothing was imported: correct it, or give --skip-damaged to import all other lines",
        }
    }
}
