//! A whole file into a lane of its own, exactly once.
//!
//! Invariant: the records after a position are the same whether the run before them was interrupted or not; a
//! restart reads the file again up to the position, without giving anything.

use crate::{
    batch::{self, Batch, Origin},
    cursor::Cursor,
    error::Error,
    foreign, input,
    meter::{Meter, Phase, Snapshot, Summary},
    options::FileOptions,
    survey::{self, Content, Survey},
};
use ingest::Group;
use jiff::tz::TimeZone;
use processor::PortSpec;
use runtime::{Position, Source, SourceBatch, SourceError};
use schemas::{delivered_lane, lane_id};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// Elements read in one call at most, so that a stretch of service messages moves the position too.
const ELEMENTS_MAX: u64 = 5000;
/// Elements passed over in one call at most, so that a restart far into a file still answers a stop.
const SEEK_ELEMENTS_MAX: u64 = 20_000;
/// How soon to go on passing over.
const IDLE: Duration = Duration::from_millis(1);
const POSITION_VERSION: u32 = 1;
/// Zone of local times unless another is given.
const UTC: &str = "UTC";

/// How much of a file is committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePosition {
    version: u32,
    /// Elements of the file (messages, service messages, lines) before the position.
    elements: u64,
    /// Decompressed bytes before it.
    bytes: u64,
    /// The end of the lane is committed too.
    is_ended: bool,
}

impl FilePosition {
    const START: Self = Self { version: POSITION_VERSION, elements: 0, bytes: 0, is_ended: false };

    fn parse(position: Option<&Position>) -> Result<Self, Error> {
        let Some(Position(text)) = position else { return Ok(Self::START) };
        let parsed =
            serde_json::from_str(text).ok().filter(|position: &Self| position.version == POSITION_VERSION);
        parsed.ok_or_else(|| Error::Position { position: text.clone() })
    }

    fn position(&self) -> Result<Position, SourceError> {
        serde_json::to_string(self).map(Position).map_err(|error| SourceError::Fatal(error.to_string()))
    }
}

/// Reads a file that does not change. Reading is synchronous: a call takes the time of a thousand messages, or
/// of passing over twenty thousand.
#[derive(Debug)]
pub struct FileSource {
    path: PathBuf,
    survey: Survey,
    /// Zone of local times.
    zone: TimeZone,
    origin: Origin,
    meter: Meter,
    cursor: Option<Cursor>,
    /// Whether its digests go to all of the group's channels.
    delivered: bool,
    /// Messages that an earlier run had committed.
    known: Option<u64>,
}

impl FileSource {
    /// Checks the whole file and names it by its content. Everything that can be wrong with it is found here.
    pub fn open(options: &FileOptions, meter: Meter) -> Result<Self, Error> {
        let zone = zone(options.time_zone.as_deref().unwrap_or(UTC))?;
        let (path, survey) = if let Some(found) = exports::find(&options.path)? {
            (options.path.clone(), foreign::survey(found, options, &meter)?)
        } else {
            let path = input::resolve(&options.path)?;
            let survey = survey::survey(&path, options, &meter)?;
            (path, survey)
        };
        let origin = origin(&options.group, &survey, &zone, false);
        Ok(Self { path, survey, zone, origin, meter, cursor: None, delivered: false, known: None })
    }

    /// How many messages are dated by local times, which need a zone.
    pub fn zone_assumed(&self) -> u64 {
        self.survey.zone_assumed
    }

    /// The same file with its local times in another zone, which is another import: other times, another lane.
    pub fn in_time_zone(mut self, name: &str) -> Result<Self, Error> {
        self.zone = zone(name)?;
        self.origin = origin(&self.origin.group, &self.survey, &self.zone, self.delivered);
        Ok(self)
    }

    /// The same file with digests for all of the group's channels, which is another import.
    #[must_use]
    pub fn delivered(mut self) -> Self {
        self.delivered = true;
        self.origin = origin(&self.origin.group, &self.survey, &self.zone, true);
        self
    }

    /// Id of the lane that the file is read into.
    pub fn lane(&self) -> &str {
        &self.origin.lane
    }

    fn batch(&mut self, from: &FilePosition) -> Result<SourceBatch, SourceError> {
        let Some(cursor) = &mut self.cursor else { return Ok(SourceBatch::Idle(IDLE)) };
        let mut batch = Batch::default();
        let mut is_ended = false;
        while !batch.is_full() && cursor.elements - from.elements < ELEMENTS_MAX {
            let at = cursor.elements;
            let Some(item) = cursor.next()? else {
                batch.end(&self.origin, cursor.newest());
                is_ended = true;
                break;
            };
            batch::push(&mut batch, &self.origin, (at, cursor.newest()), item);
        }
        let (elements, bytes) = (cursor.elements, cursor.bytes());
        self.report();
        let after = FilePosition { elements, bytes, is_ended, ..FilePosition::START };
        let emissions = batch::emit(batch.finish(&self.origin));
        Ok(SourceBatch::Records { emissions, position: after.position()? })
    }

    /// Moves the cursor towards a position, from the start of the file if it is past it; true when it is there.
    fn seek(&mut self, to: &FilePosition) -> Result<bool, Error> {
        let cursor = match &mut self.cursor {
            Some(cursor) if cursor.elements <= to.elements => cursor,
            cursor => cursor.insert(Cursor::open(&self.path, &self.survey, &self.zone)?),
        };
        let stop = to.elements.min(cursor.elements + SEEK_ELEMENTS_MAX);
        while cursor.elements < stop {
            if cursor.next()?.is_none() {
                return Err(Error::Changed { path: self.path.display().to_string() });
            }
        }
        let (is_there, read) = (cursor.elements == to.elements, cursor.summary.read);
        if is_there && self.known.is_none() {
            self.known = Some(read);
        }
        self.report();
        Ok(is_there)
    }

    fn report(&self) {
        let Some(cursor) = &self.cursor else { return };
        let bytes = cursor.bytes();
        let known = self.known.unwrap_or(cursor.summary.read);
        let given = cursor.summary.read.saturating_sub(known);
        let time_zone = self.zone.iana_name().unwrap_or(UTC).to_owned();
        let (topics, notes) = (cursor.topics(), self.survey.notes());
        let summary = Summary { given, time_zone, topics, notes, bytes, ..cursor.summary.clone() };
        let bytes_total = Some(self.survey.bytes);
        self.meter.update(|snapshot| {
            *snapshot = Snapshot { phase: Phase::Reading, bytes_done: bytes, bytes_total, summary };
        });
    }
}

fn zone(name: &str) -> Result<TimeZone, Error> {
    TimeZone::get(name).map_err(|_| Error::Setting {
        field: "time_zone",
        value: name.to_owned(),
        expected: "give an IANA name such as Europe/Berlin",
    })
}

/// The import by its content, by the zone where that changes what is imported, and by whether its digests are delivered.
fn origin(group: &Group, survey: &Survey, zone: &TimeZone, delivered: bool) -> Origin {
    let mut what = format!("sha256:{}", survey.sha256);
    match &survey.content {
        Content::Chat { ordinal } => what = format!("{what}/chat:{ordinal}"),
        Content::Foreign(export) => what = format!("{what}/{}", export.identity),
        Content::Export | Content::Lines => {}
    }
    if let Some(name) = zone.iana_name().filter(|name| *name != UTC && survey.zone_assumed > 0) {
        what = format!("{what}/zone:{name}");
    }
    if delivered {
        what.push_str("/delivered");
    }
    let identity = group.identity("import", &what);
    let lane = lane_id(&identity);
    let lane = if delivered { delivered_lane(&lane) } else { lane };
    Origin { group: group.clone(), lane, identity }
}

impl Source for FileSource {
    const NAME: &'static str = crate::NAME;

    fn ports(&self) -> Vec<PortSpec> {
        crate::ports()
    }

    fn identity(&self) -> String {
        self.origin.identity.clone()
    }

    async fn next(&mut self, position: Option<&Position>) -> Result<SourceBatch, SourceError> {
        let from = FilePosition::parse(position)?;
        if !self.seek(&from)? {
            return Ok(SourceBatch::Idle(IDLE));
        }
        if !from.is_ended {
            return self.batch(&from);
        }
        self.meter.update(|snapshot| {
            snapshot.phase = Phase::Done;
            snapshot.bytes_done = self.survey.bytes;
        });
        Ok(SourceBatch::End)
    }
}
