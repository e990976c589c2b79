//! The map of the pipeline, drawn with what waits before each unit. Filled by `topology::Map` and
//! `runtime::operate::lag`; rates by what two looks at positions differ in.
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

/// Height of a row, and how far tracks lie apart.
const ROW: usize = 44;
const TRACK: usize = 14;
const MARGIN: usize = 16;
/// Where a row's dots and words lie in it.
const MIDDLE: usize = 20;

/// A topic as a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Track<'a> {
    pub(crate) topic: &'a str,
    pub(crate) x: usize,
    pub(crate) y1: usize,
    pub(crate) y2: usize,
    pub(crate) is_waiting: bool,
    pub(crate) column: usize,
}

/// Where a topic meets a unit.
pub(crate) struct Joint<'a> {
    pub(crate) topic: &'a str,
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) is_written: bool,
    pub(crate) is_waiting: bool,
}

/// A unit as a row.
pub(crate) struct Row<'a> {
    pub(crate) unit: &'a Unit,
    pub(crate) text_y: usize,
    pub(crate) small_y: usize,
    pub(crate) joints: Vec<Joint<'a>>,
    pub(crate) facts: String,
    pub(crate) is_waiting: bool,
}

/// The map as it is drawn.
pub(crate) struct Drawing<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) names_x: usize,
    pub(crate) tracks: Vec<Track<'a>>,
    pub(crate) rows: Vec<Row<'a>>,
}

impl Input {
    fn is_waiting(&self) -> bool {
        self.waiting.is_some_and(|it| it > 0)
    }
}

impl Unit {
    pub(crate) fn waiting(&self) -> u64 {
        self.inputs.iter().filter_map(|it| it.waiting).sum()
    }

    pub(crate) fn behind(&self) -> f64 {
        self.inputs.iter().map(|it| it.behind_seconds).fold(0.0, f64::max)
    }

    fn facts(&self, c: &Context<'_>) -> String {
        let mut facts = Vec::new();
        match self.members {
            Some(0) if self.is_optional => facts.push(c.w.not_used.to_owned()),
            Some(0) => facts.push(c.w.stopped.to_owned()),
            Some(members) => facts.push(c.count(members, &c.w.n_members)),
            None => {}
        }
        let waiting = self.waiting();
        if waiting > 0 {
            let about = if self.inputs.iter().any(|it| it.is_estimate) { "≈" } else { "" };
            facts.push(format!("{} {about}{}", c.w.waiting, c.number(waiting)));
            facts.push(format!("{} {}", c.w.behind, c.span(&self.behind())));
        }
        let rates: Vec<f64> = self.inputs.iter().filter_map(|it| it.per_second).collect();
        if !rates.is_empty() {
            facts.push(c.rate(&rates.iter().sum()));
        }
        facts.join(" · ")
    }
}

impl MapPage {
    /// Topics that a unit of the map writes and another reads, each with the rows that it runs through, in the order in which
    /// they begin.
    fn spans(&self) -> Vec<(&str, usize, usize)> {
        let mut topics: Vec<&str> = Vec::new();
        for topic in self.units.iter().flat_map(|unit| &unit.outputs) {
            if !topics.contains(&topic.as_str()) {
                topics.push(topic);
            }
        }
        let mut spans: Vec<(&str, usize, usize)> = topics
            .into_iter()
            .filter_map(|topic| {
                let reads = |unit: &Unit| unit.inputs.iter().any(|it| it.topic == topic);
                let meets = |unit: &Unit| unit.outputs.iter().any(|it| it == topic) || reads(unit);
                self.units.iter().any(reads).then_some(())?;
                Some((topic, self.units.iter().position(meets)?, self.units.iter().rposition(meets)?))
            })
            .collect();
        spans.sort_by_key(|(_, first, last)| (*first, usize::MAX - *last));
        spans
    }

    /// A line for each topic, on the first track that is free where it runs: long ones lie outside.
    fn tracks(&self) -> Vec<Track<'_>> {
        let mut spans = self.spans();
        spans.sort_by_key(|(_, first, last)| (usize::MAX - (last - first), *first));
        let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut tracks = Vec::new();
        for (topic, first, last) in spans {
            let is_free = |runs: &Vec<(usize, usize)>| runs.iter().all(|(a, b)| last < *a || first > *b);
            let column = taken.iter().position(is_free).unwrap_or(taken.len());
            if column == taken.len() {
                taken.push(Vec::new());
            }
            taken[column].push((first, last));
            let is_waiting =
                self.units.iter().flat_map(|it| &it.inputs).any(|it| it.topic == topic && it.is_waiting());
            let y = |row: usize| row * ROW + MIDDLE;
            tracks.push(Track {
                topic,
                x: MARGIN + column * TRACK,
                y1: y(first),
                y2: y(last),
                is_waiting,
                column,
            });
        }
        tracks
    }

    fn drawing(&self, c: &Context<'_>) -> Drawing<'_> {
        let tracks = self.tracks();
        let columns = tracks.iter().map(|it| it.column + 1).max().unwrap_or_default();
        let names_x = MARGIN + columns * TRACK + 6;
        let rows: Vec<Row<'_>> =
            self.units.iter().enumerate().map(|(at, unit)| row(unit, at * ROW, &tracks, c)).collect();
        Drawing { width: names_x + 360, height: self.units.len().max(1) * ROW, names_x, tracks, rows }
    }
}

fn row<'a>(unit: &'a Unit, y: usize, tracks: &[Track<'a>], c: &Context<'_>) -> Row<'a> {
    let joint = |track: &Track<'a>| {
        let input = unit.inputs.iter().find(|it| it.topic == track.topic);
        let is_written = unit.outputs.iter().any(|it| it == track.topic);
        let joint = Joint {
            topic: track.topic,
            x: track.x,
            y: y + MIDDLE,
            is_written,
            is_waiting: input.is_some_and(Input::is_waiting),
        };
        (is_written || input.is_some()).then_some(joint)
    };
    Row {
        unit,
        text_y: y + MIDDLE - 1,
        small_y: y + MIDDLE + 14,
        joints: tracks.iter().filter_map(joint).collect(),
        facts: unit.facts(c),
        is_waiting: unit.waiting() > 0,
    }
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
        let tracks = map.tracks();
        let told: Vec<_> = tracks.iter().map(|it| (it.topic, it.column, it.y1 / ROW, it.y2 / ROW)).collect();
        assert_eq!(told, [("messages", 0, 0, 3), ("ready", 1, 1, 2), ("digest", 2, 2, 3)]);
    }
}
