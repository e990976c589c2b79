//! Shows that the index of vectors is what Kafka holds, however often its sink is killed.
//!
//! `index_kills [KILLS]`: 50 kills unless told otherwise, on the stack that the environment names; `tests/qdrant_kills` runs it on
//! one of its own.

use anyhow::{Context, ensure};
use std::{
    io::{Write, stdout},
    time::Instant,
};
use tests::{
    Chat, PATIENCE, Pipeline, Points, end_children_on_signals, eventually, expected, items, kill_index_sink,
    settle,
};

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let kills = std::env::args().nth(1).map_or(Ok(50), |text| text.parse()).context("KILLS is a number")?;
    let began = Instant::now();
    let say = |text: &str| writeln!(stdout(), "{:7.1} s  {text}", began.elapsed().as_secs_f64());
    let pipeline = Pipeline::start("index_kills")?.context("there is no stack")?;
    let points = Points::of(&pipeline).context("there is no Qdrant")?;
    let up = pipeline.up_without(&[])?;
    for (group, days) in [("north", 30), ("south", 20), ("west", 20), ("east", 20)] {
        pipeline.import(&Chat::new(group, days, 12).write(pipeline.directory())?, group)?;
    }
    settle(&pipeline)?;
    say("four chats are imported")?;
    let killed = kill_index_sink(&pipeline, &points, kills)?;
    say(&format!("{killed} kills, {kills} of them between points and their offset"))?;
    let sink = points.sink()?;
    let wanted = |seen: &[tests::Seen]| expected(&pipeline, seen);
    eventually("the sink has claimed its partitions", PATIENCE, || {
        let offsets = pipeline.rows.sink_offsets()?;
        Ok(offsets.keys().any(|(sink, ..)| sink == "qdrant_sink").then_some(()))
    })?;
    let seen = settle(&pipeline)?.into_seen();
    let after_kills = points.read()?;
    ensure!(items(&after_kills)? == wanted(&seen)?, "the points are not what Kafka holds");
    say(&format!("{} points, which are what Kafka holds", after_kills.len()))?;
    sink.stop(PATIENCE)?;
    points.delete_collection()?;
    let sink = points.sink()?;
    let whole = after_kills.len();
    eventually("the collection is filled", PATIENCE, || Ok((points.count() == whole).then_some(())))?;
    settle(&pipeline)?;
    ensure!(points.read()? == after_kills, "a quiet run gives other points");
    say("a quiet run gives the same points, payloads and vectors")?;
    sink.stop(PATIENCE)?;
    up.stop(PATIENCE)?;
    points.delete_collection()?;
    pipeline.finish()
}
