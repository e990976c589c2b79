//! The index of vectors: it holds what Kafka holds, whenever its sink is killed; what is deleted stays away; Qdrant away holds up
//! nobody else.

use crate::undisturbed::{chats, import};
use std::collections::BTreeMap;
use tests::{
    Chat, PATIENCE, Pipeline, Points, Readiness, eventually, expected, free_port, items, kill_index_sink,
    settle, settle_without,
};

const KILLS: usize = 4;

#[test]
fn points_are_what_kafka_holds_whenever_the_sink_is_killed_or_its_collection_is_lost() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("index")? else { return Ok(()) };
    let Some(points) = Points::of(&pipeline) else { return pipeline.finish() };
    let _up = pipeline.up_without(&[])?;
    let chats = &chats()[2..];
    import(&pipeline, chats)?;
    settle(&pipeline)?;
    let kills = kill_index_sink(&pipeline, &points, KILLS)?;
    eprintln!("{kills} kills, {KILLS} between points and offset");
    let sink = points.sink()?;
    points.wait_for_claims()?;
    let seen = settle(&pipeline)?.into_seen();
    let wanted = expected(&pipeline, &seen)?;
    let by_kind = wanted.keys().fold(BTreeMap::<&str, usize>::new(), |mut counts, (_, kind, _)| {
        *counts.entry(kind).or_default() += 1;
        counts
    });
    eprintln!("{by_kind:?}");
    assert_eq!(by_kind.keys().copied().collect::<Vec<_>>(), ["digest", "message", "thread"]);
    let killed = points.read()?;
    assert_eq!(items(&killed)?, wanted);

    // What was deleted does not come again with an older state of it.
    import(&pipeline, chats)?;
    let later = chats.iter().map(|chat| Chat::later(&chat.group, 40, 2, 12)).collect::<Vec<_>>();
    import(&pipeline, &later)?;
    let seen = settle(&pipeline)?.into_seen();
    let again = points.read()?;
    assert_eq!(items(&again)?, expected(&pipeline, &seen)?);
    sink.stop(PATIENCE)?;

    // A quiet run fills a lost collection with the same.
    points.delete_collection()?;
    let sink = points.sink()?;
    eventually("the collection is filled", PATIENCE, || Ok((points.count() == again.len()).then_some(())))?;
    settle(&pipeline)?;
    assert!(points.read()? == again, "a collection that is filled anew differs");
    sink.stop(PATIENCE)?;
    points.delete_collection()?;
    pipeline.finish()
}

#[test]
fn qdrant_away_holds_up_its_sink_alone_which_says_so() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("no_index")? else { return Ok(()) };
    let (nobody, health) = (format!("http://127.0.0.1:{}", free_port()?), free_port()?);
    let listen = format!("127.0.0.1:{health}");
    let variables = [("GISTMILL_QDRANT__URL", &*nobody), ("GISTMILL_HTTP__LISTEN", &*listen)];
    let up = pipeline.spawn("up", &["up"], &variables)?;
    import(&pipeline, &chats()[2..])?;
    let seen = settle_without(&pipeline, &["qdrant_sink"])?.into_seen();
    assert!(seen.iter().any(|seen| seen.topic == "digest.persisted.v1"));
    let line = eventually("the sink says that it waits", PATIENCE, || {
        let told = Readiness::at(health)?.filter(|told| !told.is_ready);
        Ok(told.map(|told| told.of("qdrant_sink").to_owned()).filter(|line| line.contains("Qdrant")))
    })?;
    assert!(line.contains("could not ask Qdrant what it is") && line.contains(&nobody), "{line}");
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_collection_that_is_lost_while_the_sink_runs_is_filled_anew_and_somebody_elses_is_named_and_blames_no_record()
-> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("lost_index")? else { return Ok(()) };
    let Some(points) = Points::of(&pipeline) else { return pipeline.finish() };
    let health = free_port()?;
    let listen = format!("127.0.0.1:{health}");
    let [url, front] = points.variables();
    let variables = [url, front, ("GISTMILL_HTTP__LISTEN", &*listen)];
    let _up = pipeline.spawn("up", &["up"], &variables)?;
    let chats = &chats()[2..];
    import(&pipeline, chats)?;
    points.wait_for_claims()?;
    let seen = settle(&pipeline)?.into_seen();
    assert_eq!(items(&points.read()?)?, expected(&pipeline, &seen)?);
    let collection = format!("{}-lexical-512-v1", points.alias());

    // Qdrant comes back empty, and somebody makes a collection of that name by hand.
    points.delete(&collection)?;
    points.make_by_hand(&collection, 3)?;
    import(&pipeline, &[Chat::later("gamma", 40, 8, 12)])?;
    let named = "gistmill did not make it";
    eventually("the collection is named", PATIENCE, || {
        Ok(Readiness::at(health)?.filter(|told| told.of("qdrant_sink").contains(named)))
    })?;
    let seen = settle_without(&pipeline, &["qdrant_sink"])?.into_seen();
    assert_eq!(seen.iter().filter(|seen| seen.topic == "digest.dlq.v1").count(), 0);

    // It is deleted: the sink makes its own and reads the topics again.
    points.delete(&collection)?;
    let wanted = expected(&pipeline, &seen)?;
    eventually("the collection is filled", PATIENCE, || Ok((points.count() == wanted.len()).then_some(())))?;
    assert_eq!(items(&points.read()?)?, wanted);

    // Lost once more, with nobody else's in its place.
    points.delete(&collection)?;
    import(&pipeline, &[Chat::later("gamma", 60, 8, 12)])?;
    let seen = settle(&pipeline)?.into_seen();
    let wanted = expected(&pipeline, &seen)?;
    eventually("the collection is filled", PATIENCE, || Ok((points.count() == wanted.len()).then_some(())))?;
    assert_eq!(items(&points.read()?)?, wanted);
    points.delete_collection()?;
    pipeline.finish()
}
