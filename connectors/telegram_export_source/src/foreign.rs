//! Exports of other makers, as this source's elements.
//!
//! Invariant: what they give goes the same way as Telegram's JSON: checked whole, named by content, cut by position.

use crate::{
    draft::{Draft, Item},
    error::Error,
    meter::{Meter, Phase, Summary},
    options::FileOptions,
    survey::{Content, Survey},
};
use exports::{Choice, Entry, Export, Found, Sent, Stream};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Reads all of an export.
pub(crate) fn survey(found: Found, options: &FileOptions, meter: &Meter) -> Result<Survey, Error> {
    let path = options.path.display().to_string();
    let choice = Choice { chat: options.chat.clone(), date_order: options.date_order };
    let mut summary = Summary::default();
    let mut tick = |done, total| {
        meter.update(|snapshot| {
            snapshot.phase = Phase::Checking;
            (snapshot.bytes_done, snapshot.bytes_total) = (done, Some(total));
        });
    };
    let export = found.survey(&choice, &mut |entry| summary.count(&item(entry.clone())), &mut tick)?;
    if summary.read == 0 {
        return Err(Error::NoMessages { path, skipped: summary.skipped_text() });
    }
    let (sha256, bytes, zone_assumed) = (export.sha256.clone(), export.bytes, summary.zone_assumed);
    let content = Content::Foreign(Arc::new(export));
    Ok(Survey { sha256, bytes, content, zone_assumed, skips_damaged: false })
}

/// The messages of an export.
pub(crate) struct ForeignReader {
    stream: Stream,
    path: String,
    pub(crate) topics: u64,
}

impl ForeignReader {
    pub(crate) fn open(export: &Export, zone: &TimeZone) -> Result<Self, Error> {
        let path = export.path().display().to_string();
        Ok(Self { stream: export.open(zone)?, path, topics: 0 })
    }

    /// The next element; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Error> {
        let next = self.stream.next_entry().map_err(|error| match error {
            failure @ exports::Error::Unreadable { .. } => failure.into(),
            // A fault that the survey did not see: the file is another one by now.
            _ => Error::Changed { path: self.path.clone() },
        })?;
        self.topics += u64::from(matches!(next, Some(Entry::Topic(_))));
        Ok(next.map(item))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.stream.bytes()
    }
}

fn item(entry: Entry) -> Item {
    match entry {
        Entry::Message(sent) => {
            let Sent { message, text, zone } = *sent;
            Item::Message(Box::new(Draft { message, text, zone }))
        }
        Entry::Topic(id) => Item::Topic(id),
        Entry::Skipped(reason) => Item::Skipped(reason),
    }
}
