//! A chat exported in ranges of dates: whatever a later file leaves out stays known, in either order of import.

use schemas::{ContextMessage, DigestContextPrepared};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use tests::{Pipeline, Seen, TENANT, assert_once, decode_all, settle};

const DAY_S: i64 = 86_400;
/// A midnight in UTC.
const MONDAY_S: i64 = 1_772_409_600;

fn service(id: i64) -> Value {
    let date_unixtime = (MONDAY_S + 60 * id).to_string();
    json!({"id": id, "type": "service", "action": "topic_created", "title": "A topic", "date_unixtime": date_unixtime})
}

/// Two talks at a time: each message answers the creation of its topic, or the one before it in its talk.
fn said(id: i64, reply_to: i64) -> Value {
    let sent_s = MONDAY_S + DAY_S * i64::from(id >= 40) + 60 * id;
    let text = match id % 2 {
        0 => format!("the deploy of build {id} failed in the migration step, who restarts it?"),
        _ => format!("lunch on Thursday for {id} people, I will order without meat"),
    };
    json!({
        "id": id, "type": "message", "date_unixtime": sent_s.to_string(), "text": text, "reply_to_message_id": reply_to,
        "from": format!("Person {}", id % 3), "from_id": format!("user{}", id % 3),
    })
}

/// A forum of two topics and two days; the second day answers the first.
fn forum() -> Vec<Value> {
    let created = [1, 2].map(service);
    let first = (10..26).map(|id| said(id, if id < 14 { 2 - id % 2 } else { id - 2 }));
    let second = (40..56).map(|id| said(id, if id < 42 { id - 18 } else { id - 2 }));
    created.into_iter().chain(first).chain(second).collect()
}

fn write(directory: &Path, name: &str, messages: &[Value]) -> anyhow::Result<PathBuf> {
    let export = json!({"name": "Case", "type": "private_supergroup", "id": 7, "messages": messages});
    let path = directory.join(format!("{name}.json"));
    std::fs::write(&path, serde_json::to_vec(&export)?)?;
    Ok(path)
}

/// What the newest revision of each window was made of, and the digests of the canonical export, by start.
type End = (BTreeMap<i64, Vec<ContextMessage>>, BTreeMap<i64, Value>);

fn end(pipeline: &Pipeline, seen: &[Seen], group: &str) -> anyhow::Result<End> {
    let mut newest: BTreeMap<i64, DigestContextPrepared> = BTreeMap::new();
    let contexts: Vec<DigestContextPrepared> = decode_all(pipeline, seen, "digest.context.prepared.v1")?;
    for context in contexts.into_iter().filter(|context| context.group_id == group) {
        let known = newest.get(&context.window.window_start);
        if known.is_none_or(|known| known.window.revision < context.window.revision) {
            newest.insert(context.window.window_start, context);
        }
    }
    let export =
        pipeline.gistmill(&["digest", "export", "--tenant", TENANT, "--group", group, "--canonical"])?;
    let mut digests = BTreeMap::new();
    for line in export.lines() {
        let exported: Value = serde_json::from_str(line)?;
        digests.insert(exported["window_start"].as_i64().unwrap_or_default(), exported["digest"].clone());
    }
    Ok((newest.into_iter().map(|(start, context)| (start, context.messages)).collect(), digests))
}

/// Imports a whole, and its two parts in either order, each into a group of its own; the end of all is the same.
fn assert_parts_make_the_whole(
    name: &str,
    [whole, first, later]: [&[Value]; 3],
) -> anyhow::Result<Option<End>> {
    let Some(pipeline) = Pipeline::start(name)? else { return Ok(None) };
    let files = [("whole", whole), ("first", first), ("later", later)];
    let files = files.map(|(name, messages)| write(pipeline.directory(), name, messages));
    let [whole, first, later] = files;
    let (whole, first, later) = (whole?, first?, later?);
    let _up = pipeline.up_without(&[])?;
    let imports =
        [("whole", &whole), ("onward", &first), ("onward", &later), ("back", &later), ("back", &first)];
    for (group, file) in imports {
        pipeline.import(file, group)?;
    }
    let seen = settle(&pipeline)?.into_seen();
    assert_once(&seen);
    let expected = end(&pipeline, &seen, "whole")?;
    for group in ["onward", "back"] {
        assert_eq!(end(&pipeline, &seen, group)?, expected, "{group}");
    }
    // Nothing that is known already makes a revision.
    pipeline.import(&whole, "onward")?;
    pipeline.import(&whole, "back")?;
    let again = settle(&pipeline)?.into_seen();
    let ready = |seen: &[Seen]| seen.iter().filter(|seen| seen.topic == "group.window.ready.v1").count();
    assert_eq!(ready(&again), ready(&seen));
    pipeline.finish()?;
    Ok(Some(expected))
}

#[test]
fn a_forum_in_two_ranges_ends_as_the_whole_in_either_order() -> anyhow::Result<()> {
    let whole = forum();
    let (first, later) = (&whole[..18], &whole[10..]);
    let Some((contexts, digests)) = assert_parts_make_the_whole("forum", [&whole, first, later])? else {
        return Ok(());
    };
    let topics = contexts.values().flatten().map(|message| (message.id, message.topic_id));
    let expected = (10..26).chain(40..56).map(|id| (id, Some(2 - id % 2)));
    assert_eq!(topics.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(digests.len(), 2);
    Ok(())
}

#[test]
fn a_sample_in_two_ranges_gives_the_digests_of_the_whole() -> anyhow::Result<()> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/engineering_en.json");
    let sample: Value = serde_json::from_str(&std::fs::read_to_string(sample)?)?;
    let whole = sample["messages"].as_array().cloned().unwrap_or_default();
    let (first, later) = (&whole[..220], &whole[150..]);
    let Some((contexts, digests)) = assert_parts_make_the_whole("cut", [&whole, first, later])? else {
        return Ok(());
    };
    assert_eq!((contexts.len(), digests.len()), (3, 3));
    Ok(())
}
