//! The map of the pipeline, drawn with what waits before each unit. Filled by `topology::Map` and
//! `operate::lag`; rates by what two looks at positions differ in.
//!
//! Invariant: drawn as text is read: units stand below each other in the order of the flow, each topic is a line from who
//! writes it to who reads it, and no two lines share a track where both run.

use crate::{Page, Section, context::Context, locale::Words};
use serde::{Deserialize, Serialize};

/// What a unit is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// Reads outside, writes topics.
    Source,
    /// Reads a topic, writes topics.
    #[default]
    Processor,
    /// Reads topics, writes outside.
    Sink,
}

/// An input of a unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Logical topic.
    pub topic: String,
    /// Records that are still to be consumed; none where nobody knows.
    pub waiting: Option<u64>,
    /// Whether that is a distance between offsets, markers with it.
    pub is_estimate: bool,
    /// Seconds since the first of them was appended.
    pub behind_seconds: f64,
    /// Records consumed a second; none before two looks.
    pub per_second: Option<f64>,
}

/// A unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name in the map.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Processes that are connected; none where nobody knows.
    pub members: Option<u64>,
    /// Whether it may be left out.
    pub is_optional: bool,
    /// What it reads.
    pub inputs: Vec<Input>,
    /// Logical topics that it writes.
    pub outputs: Vec<String>,
    /// Why it does not go on; empty where it does.
    pub problem: String,
}

/// The map.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MapPage {
    /// Units in the order of the flow: sources, processors, sinks.
    pub units: Vec<Unit>,
    /// When lag was measured, in ms; none where it could not be.
    pub measured_at_ms: Option<i64>,
}

/// How far tracks lie apart, and where the first lies.
const TRACK: usize = 14;
const MARGIN: usize = 16;
/// Height of a unit's name, of each line below it, and of the room after them.
const NAME: usize = 24;
const LINE: usize = 19;
const AFTER: usize = 14;
/// Room for the words of a line.
const WORDS: usize = 560;

/// A topic as a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Track<'a> {
    pub(crate) topic: &'a str,
    pub(crate) x: usize,
    pub(crate) y1: usize,
    pub(crate) y2: usize,
    pub(crate) is_waiting: bool,
}

/// Where a topic meets a unit.
#[derive(Debug)]
pub(crate) struct Joint<'a> {
    pub(crate) topic: &'a str,
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) is_written: bool,
    pub(crate) is_waiting: bool,
    /// What waits there, and how fast it is read.
    pub(crate) facts: String,
}

/// A unit and what it reads and writes.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) unit: &'a Unit,
    pub(crate) y: usize,
    pub(crate) joints: Vec<Joint<'a>>,
    pub(crate) facts: String,
}

/// The map as it is drawn.
pub(crate) struct Drawing<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) words_x: usize,
    pub(crate) tracks: Vec<Track<'a>>,
    pub(crate) rows: Vec<Row<'a>>,
}

impl Input {
    fn is_waiting(&self) -> bool {
        self.waiting.is_some_and(|it| it > 0)
    }

    fn facts(&self, c: &Context<'_>) -> String {
        let mut facts = Vec::new();
        if let Some(waiting) = self.waiting.filter(|it| *it > 0) {
            let about = if self.is_estimate { "≈" } else { "" };
            facts.push(format!("{} {about}{}", c.w.waiting, c.number(waiting)));
            facts.push(format!("{} {}", c.w.behind, c.span(&self.behind_seconds)));
        }
        facts.extend(self.per_second.map(|rate| c.rate(&rate)));
        facts.join(" · ")
    }
}

impl Unit {
    fn facts(&self, c: &Context<'_>) -> String {
        match self.members {
            Some(0) if self.is_optional => c.w.not_used.to_owned(),
            Some(0) => c.w.stopped.to_owned(),
            Some(members) => c.count(members, &c.w.n_members),
            None => String::new(),
        }
    }

    fn is_off(&self) -> bool {
        self.members == Some(0)
    }
}

impl MapPage {
    /// Topics that one unit of the map writes and another reads.
    fn topics(&self) -> Vec<&str> {
        let reads = |topic: &str| self.units.iter().flat_map(|it| &it.inputs).any(|it| it.topic == topic);
        let mut topics: Vec<&str> = Vec::new();
        for topic in self.units.iter().flat_map(|unit| &unit.outputs) {
            if !topics.contains(&topic.as_str()) && reads(topic) {
                topics.push(topic);
            }
        }
        topics
    }

    /// Units below each other, each with a line for each topic that it reads or writes, on no track yet.
    fn rows(&self, c: &Context<'_>) -> Vec<Row<'_>> {
        let topics = self.topics();
        let mut y = AFTER / 2;
        let mut rows = Vec::new();
        for unit in &self.units {
            let joints = joints(unit, &topics, y + NAME, c);
            let height = NAME + joints.len() * LINE + AFTER;
            rows.push(Row { unit, y, joints, facts: unit.facts(c) });
            y += height;
        }
        rows
    }

    fn drawing(&self, c: &Context<'_>) -> Drawing<'_> {
        let mut rows = self.rows(c);
        let tracks = tracks(&self.topics(), &rows);
        for joint in rows.iter_mut().flat_map(|row| &mut row.joints) {
            joint.x = tracks.iter().find(|it| it.topic == joint.topic).map_or(MARGIN, |it| it.x);
        }
        let words_x = tracks.iter().map(|it| it.x).max().unwrap_or(MARGIN) + TRACK + 8;
        let height = rows.last().map_or(NAME, |row| row.y + NAME + row.joints.len() * LINE + AFTER);
        Drawing { width: words_x + WORDS, height, words_x, tracks, rows }
    }
}

fn joints<'a>(unit: &'a Unit, topics: &[&str], top: usize, c: &Context<'_>) -> Vec<Joint<'a>> {
    let joint = |topic: &'a str, is_written, is_waiting, facts| Joint {
        topic,
        x: 0,
        y: 0,
        is_written,
        is_waiting,
        facts,
    };
    let read = unit.inputs.iter().map(|it| joint(&it.topic, false, it.is_waiting(), it.facts(c)));
    let written = unit.outputs.iter().map(|it| joint(it, true, false, String::new()));
    let mut joints: Vec<Joint<'a>> = read.chain(written).filter(|it| topics.contains(&it.topic)).collect();
    for (at, joint) in joints.iter_mut().enumerate() {
        joint.y = top + at * LINE + LINE / 2;
    }
    joints
}

/// A line for each topic, on the first track that is free where it runs: long ones lie outside.
fn tracks<'a>(topics: &[&'a str], rows: &[Row<'_>]) -> Vec<Track<'a>> {
    let span = |topic: &'a str| {
        let met = rows.iter().flat_map(|row| &row.joints).filter(move |it| it.topic == topic);
        let is_waiting = met.clone().any(|it| it.is_waiting);
        let (first, last) = (met.clone().map(|it| it.y).min()?, met.map(|it| it.y).max()?);
        Some((topic, first, last, is_waiting))
    };
    let mut spans: Vec<_> = topics.iter().copied().filter_map(span).collect();
    spans.sort_by_key(|(_, first, last, _)| (usize::MAX - (last - first), *first));
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut tracks = Vec::new();
    for (topic, y1, y2, is_waiting) in spans {
        let is_free = |runs: &Vec<(usize, usize)>| runs.iter().all(|(a, b)| y2 < *a || y1 > *b);
        let column = taken.iter().position(is_free).unwrap_or(taken.len());
        if column == taken.len() {
            taken.push(Vec::new());
        }
        taken[column].push((y1, y2));
        tracks.push(Track { topic, x: MARGIN + column * TRACK, y1, y2, is_waiting });
    }
    tracks
}

impl Page for MapPage {
    fn title(&self, words: &'static Words) -> String {
        words.map.to_owned()
    }

    fn section(&self) -> Section {
        Section::Map
    }

    html!(MapPage, "map.html");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    fn unit(name: &str, inputs: &[&str], outputs: &[&str]) -> Unit {
        let input = |topic: &&str| Input { topic: (*topic).to_owned(), ..Input::default() };
        Unit {
            name: name.to_owned(),
            inputs: inputs.iter().map(input).collect(),
            outputs: outputs.iter().map(|it| (*it).to_owned()).collect(),
            ..Unit::default()
        }
    }

    #[test]
    fn no_two_topics_share_a_track_where_both_run() {
        let map = MapPage {
            units: vec![
                unit("source", &[], &["messages"]),
                unit("windows", &["messages"], &["ready", "unread"]),
                unit("writer", &["ready"], &["digest"]),
                unit("sink", &["messages", "digest"], &[]),
            ],
            measured_at_ms: None,
        };
        let frame = Frame::default();
        let drawing = map.drawing(&Context::of(&frame, &map));
        let told: Vec<_> = drawing.tracks.iter().map(|it| (it.topic, (it.x - MARGIN) / TRACK)).collect();
        assert_eq!(told, [("messages", 0), ("digest", 1), ("ready", 1)]);
        let joints = drawing.rows.iter().flat_map(|row| &row.joints);
        let on_its_track = |joint: &Joint<'_>| {
            let found = drawing.tracks.iter().find(|it| it.topic == joint.topic).unwrap();
            found.x == joint.x && (found.y1..=found.y2).contains(&joint.y)
        };
        assert_eq!(joints.clone().count(), 7);
        assert!(joints.clone().all(on_its_track));
    }
}
