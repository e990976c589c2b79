//! A place in a file that is being read.

use crate::{
    draft::Item,
    error::Error,
    export::{ExportReader, Fault},
    foreign::ForeignReader,
    input::{self, Probe},
    line_reader::LineReader,
    meter::Summary,
    repair::Counts,
    survey::{Content, Survey},
};
use jiff::tz::TimeZone;
use std::path::Path;

/// A place in a file that is being read.
pub(crate) struct Cursor {
    reader: Reader,
    /// Elements before it.
    pub(crate) elements: u64,
    /// What those are.
    pub(crate) summary: Summary,
}

enum Reader {
    Export(ExportReader, Probe),
    Foreign(Box<ForeignReader>),
    Lines(Box<LineReader>),
}

impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cursor").field("elements", &self.elements).finish_non_exhaustive()
    }
}

impl Cursor {
    /// At the start of what the survey found.
    pub(crate) fn open(path: &Path, survey: &Survey, zone: &TimeZone) -> Result<Self, Error> {
        let open = || input::open(path, false);
        let reader = match &survey.content {
            Content::Lines => Reader::Lines(Box::new(LineReader::new(open()?, survey.skips_damaged))),
            Content::Export => Self::export(open()?, 0, survey.skips_damaged, zone)?,
            Content::Chat { ordinal } => Self::export(open()?, *ordinal, survey.skips_damaged, zone)?,
            Content::Foreign(export) => Reader::Foreign(Box::new(ForeignReader::open(export, zone)?)),
        };
        Ok(Self { reader, elements: 0, summary: Summary::default() })
    }

    fn export(
        input: input::Input,
        ordinal: usize,
        is_damaged: bool,
        zone: &TimeZone,
    ) -> Result<Reader, Error> {
        let open = if is_damaged { ExportReader::open_damaged } else { ExportReader::open };
        let opened =
            open(input.reader, ordinal, zone.clone()).map_err(|fault| changed(&input.probe, &fault))?;
        let reader = opened.ok_or_else(|| Error::Changed { path: input.probe.path() })?;
        Ok(Reader::Export(reader, input.probe))
    }

    /// The next element; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Error> {
        let next = match &mut self.reader {
            Reader::Export(reader, probe) => reader.next().map_err(|fault| changed(probe, &fault))?,
            Reader::Foreign(reader) => reader.next()?.map(|item| (item, Counts::new())),
            Reader::Lines(reader) => reader.next().map_err(|error| match error {
                Error::BadLine { path, .. } => Error::Changed { path },
                other => other,
            })?,
        };
        let Some((item, slips)) = next else { return Ok(None) };
        self.elements += 1;
        self.summary.count(&item);
        self.summary.repair(&slips);
        Ok(Some(item))
    }

    /// The lane's clock: the newest send time read so far.
    pub(crate) fn newest(&self) -> i64 {
        self.summary.last_sent_at.unwrap_or_default()
    }

    /// Decompressed bytes before it.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.reader {
            Reader::Export(reader, _) => reader.bytes(),
            Reader::Foreign(reader) => reader.bytes(),
            Reader::Lines(reader) => reader.bytes,
        }
    }

    /// Forum topics met.
    pub(crate) fn topics(&self) -> u64 {
        match &self.reader {
            Reader::Export(reader, _) => reader.topics(),
            Reader::Foreign(reader) => reader.topics,
            Reader::Lines(_) => 0,
        }
    }
}

/// A fault that the survey did not see: the file is another one by now, or the disk fails.
fn changed(probe: &Probe, fault: &Fault) -> Error {
    match probe.error(fault) {
        failure @ Error::Unreadable { .. } => failure,
        _ => Error::Changed { path: probe.path() },
    }
}
