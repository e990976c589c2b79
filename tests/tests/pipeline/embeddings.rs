//! Vectors of an endpoint: whatever that answers nothing is lost and nothing is asked for twice; a new model is a new collection,
//! which is searched once it holds what the old one did.

use crate::undisturbed::{chats, import};
use anyhow::Context;
use schemas::DigestDlq;
use std::{collections::BTreeSet, fs};
use tests::{
    Embeddings, LETTERS, PATIENCE, Pipeline, Points, Readiness, Scripted, decode_all, eventually, expected,
    free_port, items, settle, settle_without,
};

/// What an endpoint may answer, and what is said of it.
fn faults() -> Vec<(Scripted, &'static str)> {
    let of = |text: &str| (200, text.to_owned());
    let one = |numbers: &str| of(&format!(r#"{{"data": [{{"embedding": [{numbers}]}}]}}"#));
    vec![
        ((401, String::new()), "embedding.api_key"),
        ((307, String::new()), "307"),
        ((404, String::new()), "embedding.url"),
        (of("<html>busy</html>"), "could not read the answer"),
        (of(&"[".repeat(100_000)), "could not read the answer"),
        (one("1, 2"), "gave 1 vectors for"),
        (of(r#"{"data": []}"#), "gave 0 vectors for"),
    ]
}

#[test]
fn an_endpoint_may_do_what_it_likes_and_a_new_model_is_searched_once_it_is_filled() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("embeddings")? else { return Ok(()) };
    let Some(points) = Points::of(&pipeline) else { return pipeline.finish() };
    let up = pipeline.up_without(&[])?;
    import(&pipeline, &chats()[2..])?;
    settle(&pipeline)?;
    let sink = points.sink()?;
    let seen = settle_without(&pipeline, &[])?.into_seen();
    let wanted = expected(&pipeline, &seen)?;
    eventually("the built-in index is filled", PATIENCE, || {
        Ok((points.count() == wanted.len()).then_some(()))
    })?;
    let built_in = points.read()?;
    sink.stop(PATIENCE)?;

    // Each fault is said by name while the old collection is searched; then all is made good.
    let peer = Embeddings::start()?;
    let (health, size) = (free_port()?, LETTERS.to_string());
    let listen = format!("127.0.0.1:{health}");
    let variables = [
        ("GISTMILL_QDRANT__URL", points.url()),
        ("GISTMILL_QDRANT__DEVELOPMENT_FRONT", "true"),
        ("GISTMILL_EMBEDDING__URL", peer.url()),
        ("GISTMILL_EMBEDDING__MODEL", "letters"),
        ("GISTMILL_EMBEDDING__DIMENSION", &*size),
        ("GISTMILL_EMBEDDING__API_KEY", "hunter2"),
        ("GISTMILL_HTTP__LISTEN", &*listen),
    ];
    let mut sink = None;
    for (fault, named) in faults() {
        peer.answer_always(fault);
        if sink.is_none() {
            sink = Some(pipeline.unit("qdrant_sink", &variables)?);
        }
        let line = eventually(named, PATIENCE, || {
            let told = Readiness::at(health)?.filter(|told| !told.is_ready);
            Ok(told.map(|told| told.of("qdrant_sink").to_owned()).filter(|line| line.contains(named)))
        })?;
        assert!(!line.contains("hunter2"), "{line}");
        assert!(points.read()? == built_in, "{named}: what is searched has changed");
    }
    assert_eq!(peer.asked(), Vec::<String>::new());
    peer.answer_first(vec![(429, String::new()), (503, String::new())]);
    eventually("the alias has moved to a collection that holds as much", PATIENCE, || {
        let found = points.read()?;
        let size = found.values().next().map_or(0, |(_, vector)| vector.len());
        Ok((size == LETTERS && items(&found)? == wanted).then_some(()))
    })?;
    let asked = peer.asked();
    assert_eq!(asked.len(), asked.iter().collect::<BTreeSet<_>>().len(), "a text was asked for twice");
    assert_eq!(points.count_of(&format!("{}-lexical-512-v1", points.alias()))?, built_in.len());

    // By the collection's model; the built-in one cannot read it.
    let is_message = |text: &&String| text.contains("deployed") && !text.contains('\n');
    let text = asked.iter().find(is_message).context("the chats speak of it")?;
    let search = ["search", text, "--semantic", "--json", "--kind", "message"];
    let found = pipeline.output(&search, &variables)?;
    let first = String::from_utf8(found.stdout)?;
    assert!(first.lines().next().is_some_and(|line| line.contains("deployed")), "{first}");
    let other = pipeline.output(&search, &variables[..2])?;
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!other.status.success() && said.contains("is of model letters-16"), "{said}");

    // A replay pays nothing.
    let before = peer.asked().len();
    let filled = points.read()?;
    sink.context("it was started")?.stop(PATIENCE)?;
    points.delete_collection()?;
    let running = pipeline.unit("qdrant_sink", &variables)?;
    eventually("the collection is filled again", PATIENCE, || {
        Ok(points.read().is_ok_and(|found| found == filled).then_some(()))
    })?;
    assert_eq!(peer.asked().len(), before);
    running.stop(PATIENCE)?;
    up.stop(PATIENCE)?;
    points.delete_collection()?;
    pipeline.finish()
}

#[test]
fn a_text_that_the_endpoint_refuses_is_a_dead_letter_of_its_record_and_all_else_is_indexed()
-> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("refused_text")? else { return Ok(()) };
    let Some(points) = Points::of(&pipeline) else { return pipeline.finish() };
    let peer = Embeddings::start()?;
    peer.refuse("unspeakable");
    let size = LETTERS.to_string();
    let variables = [
        ("GISTMILL_QDRANT__URL", points.url()),
        ("GISTMILL_QDRANT__DEVELOPMENT_FRONT", "true"),
        ("GISTMILL_EMBEDDING__URL", peer.url()),
        ("GISTMILL_EMBEDDING__MODEL", "letters"),
        ("GISTMILL_EMBEDDING__DIMENSION", &*size),
    ];
    // A record of its own, which others stand beside in the batch.
    let file = pipeline.directory().join("whisper.jsonl");
    fs::write(&file, r#"{"id": 1, "sent_at": 1767571200000, "text": "the unspeakable word"}"#)?;
    pipeline.import(&file, "whisper")?;
    import(&pipeline, &chats()[2..])?;
    let up = pipeline.spawn("up", &["up"], &variables)?;
    points.wait_for_claims()?;
    let seen = settle(&pipeline)?.into_seen();

    let letters: Vec<DigestDlq> = decode_all(&pipeline, &seen, "digest.dlq.v1")?;
    let [letter] = &letters[..] else { anyhow::bail!("{} dead letters", letters.len()) };
    let of = (letter.stage.as_str(), letter.error_class.as_str(), letter.group_id.as_str());
    assert_eq!(of, ("qdrant_sink", "refused_by_embeddings", "whisper"));
    assert!(letter.error.contains("400") && !letter.error.contains("unspeakable"), "{}", letter.error);
    let mut wanted = expected(&pipeline, &seen)?;
    assert!(wanted.remove(&("whisper".to_owned(), "message".to_owned(), "1".to_owned())).is_some());
    assert_eq!(items(&points.read()?)?, wanted);
    up.stop(PATIENCE)?;
    points.delete_collection()?;
    pipeline.finish()
}
