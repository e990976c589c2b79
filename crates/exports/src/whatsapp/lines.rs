//! Lines of a WhatsApp export, and the messages that they make up.

use super::head::{self, Form, Head, Stamp};
use crate::{
    error::Error,
    guard::Tally,
    store::{BYTE_ORDER_MARK, Part, Store},
};
use std::io::{BufRead, BufReader, Read};

const BUFFER_BYTES: usize = 64 * 1024;

/// A line without its end.
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    pub(super) text: String,
}

/// The lines of a part.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    number: u64,
    store: Store,
    part: Part,
    pub(super) tally: Tally,
}

impl Lines {
    pub(super) fn open(store: &Store, part: &Part, tally: &Tally) -> Result<Self, Error> {
        let reader = BufReader::with_capacity(BUFFER_BYTES, store.open(part, tally)?);
        let store = store.with(Vec::new());
        Ok(Self { reader, number: 0, store, part: part.clone(), tally: tally.clone() })
    }

    pub(super) fn next(&mut self) -> Result<Option<Line>, Error> {
        let mut bytes = Vec::new();
        let read = self.reader.read_until(b'\n', &mut bytes);
        if read.map_err(|source| self.store.fault(&self.part, source))? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let is_ended = bytes.pop_if(|byte| *byte == b'\n').is_some();
        bytes.pop_if(|byte| *byte == b'\r');
        if self.number == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(Line { number: self.number, text })),
            Err(error) if !is_ended && error.utf8_error().error_len().is_none() => Err(Error::Partial {
                path: self.name(),
                what: format!("it ends in the middle of a character, in line {}", self.number),
            }),
            Err(_) => Err(Error::Damaged {
                path: self.name(),
                place: format!("line {}", self.number),
                what: "it is not UTF-8".to_owned(),
            }),
        }
    }

    pub(super) fn name(&self) -> String {
        self.store.part_name(&self.part)
    }
}

/// A message as it stands in the file.
pub(super) struct Block {
    pub(super) stamp: Stamp,
    /// What follows the head, over all its lines.
    pub(super) text: String,
}

/// The messages of a part, each with its lines.
pub(super) struct Blocks {
    lines: Lines,
    form: Form,
    /// One whose further lines are to come.
    open: Option<Block>,
}

/// What [`Blocks`] gives.
pub(super) enum Found {
    Block(Block),
    /// A line before the first message: the end of one that is not there.
    Stray,
}

impl Blocks {
    pub(super) fn new(lines: Lines, form: Form) -> Self {
        Self { lines, form, open: None }
    }

    pub(super) fn next(&mut self) -> Result<Option<Found>, Error> {
        loop {
            let Some(line) = self.lines.next()? else { return Ok(self.open.take().map(Found::Block)) };
            match head::parse(&line.text).filter(|head| head.form == self.form) {
                Some(Head { stamp, rest, .. }) => {
                    self.lines.tally.element();
                    let begun = Block { stamp, text: rest.to_owned() };
                    if let Some(block) = self.open.replace(begun) {
                        return Ok(Some(Found::Block(block)));
                    }
                }
                None => match &mut self.open {
                    Some(block) => {
                        block.text.push('\n');
                        block.text.push_str(&line.text);
                    }
                    None if line.text.trim().is_empty() => {}
                    None => return Ok(Some(Found::Stray)),
                },
            }
        }
    }
}
