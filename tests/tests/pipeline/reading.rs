//! What exports hold beside plain text reaches the context of a digest, and an import tells what was new.

use schemas::{ChecklistItem, DigestContextPrepared, PollOption};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tests::{Pipeline, TENANT, decode_all, settle};

const CONTEXT: &str = "digest.context.prepared.v1";

fn message(id: i64, fields: &Value) -> Value {
    let mut message = json!({
        "id": id, "type": "message", "date_unixtime": (1_772_442_000 + id * 60).to_string(),
        "from": "Ann", "from_id": "user1", "text": format!("the build of day {id} is broken"),
    });
    if let (Some(message), Some(fields)) = (message.as_object_mut(), fields.as_object()) {
        message.extend(fields.clone());
    }
    message
}

fn write(directory: &Path, name: &str, messages: &[Value]) -> anyhow::Result<PathBuf> {
    let path = directory.join(name);
    let document = json!({"name": "Chat", "type": "private_group", "id": 7, "messages": messages});
    std::fs::write(&path, serde_json::to_string_pretty(&document)?)?;
    Ok(path)
}

#[test]
fn polls_checklists_and_the_last_names_known_reach_the_context_of_a_digest() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("reading")? else { return Ok(()) };
    let poll = json!({"question": "Friday or Monday?", "closed": true, "total_voters": 3,
        "answers": [{"text": "Friday", "voters": 2}, {"text": "Monday", "voters": 1}]});
    let list = json!({"title": "Before release", "answers": [{"text": "tag", "id": 1}]});
    let elements = [
        message(1, &json!({"text": "", "poll": poll})),
        message(2, &json!({"text": "", "todo_list": list, "from": "Bob", "from_id": "user2"})),
        message(3, &json!({"from": null, "from_id": "user2"})),
        message(4, &json!({"from": null, "from_id": "user3"})),
        message(5, &json!({"reactions": [{"type": "custom_emoji", "count": 2, "document_id": "5188"}]})),
    ];
    let early = write(pipeline.directory(), "early.json", &elements[..3])?;
    let late = write(pipeline.directory(), "late.json", &elements[1..])?;
    assert_eq!(pipeline.import(&early, "alpha")?["new"], 3, "the group is empty");
    let summary = pipeline.import(&late, "alpha")?;
    assert_eq!(
        (&summary["given"], &summary["new"]),
        (&json!(4), &Value::Null),
        "nobody has stored the group yet"
    );
    let _up = pipeline.up_without(&[])?;
    settle(&pipeline)?;
    let whole =
        write(pipeline.directory(), "whole.json", &[&elements[..], &[message(6, &json!({}))]].concat())?;
    let summary = pipeline.import(&whole, "alpha")?;
    assert_eq!((&summary["read"], &summary["given"], &summary["new"]), (&json!(6), &json!(6), &json!(1)));
    let summary = pipeline.import(&whole, "alpha")?;
    assert_eq!((&summary["read"], &summary["given"], &summary["new"]), (&json!(6), &json!(0), &json!(0)));

    let seen = settle(&pipeline)?.into_seen();
    let contexts: Vec<DigestContextPrepared> = decode_all(&pipeline, &seen, CONTEXT)?;
    let newest = contexts
        .iter()
        .filter(|context| context.tenant_id == TENANT)
        .max_by_key(|context| context.window.revision);
    let messages = &newest.expect("a context").messages;
    assert_eq!(messages.iter().map(|message| message.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let poll = messages[0].poll.as_ref().expect("a poll");
    let option = |text: &str, votes| PollOption { text: text.to_owned(), votes: Some(votes) };
    assert_eq!((poll.question.as_str(), poll.closed, poll.voters), ("Friday or Monday?", true, Some(3)));
    assert_eq!(poll.options, [option("Friday", 2), option("Monday", 1)]);
    assert_eq!(messages[0].text, "Friday or Monday?\n- Friday: 2\n- Monday: 1\n[closed]");
    let list = messages[1].checklist.as_ref().expect("a checklist");
    assert_eq!(list.items, [ChecklistItem { text: "tag".to_owned(), done: None }]);
    let names: Vec<&str> = messages.iter().map(|message| message.author_name.as_str()).collect();
    assert_eq!(names, ["Ann", "Bob", "Bob", "Deleted account", "Ann", "Ann"]);
    assert_eq!(messages[4].reactions, 2);
    pipeline.finish()
}

#[test]
fn a_damaged_export_is_imported_but_for_what_is_damaged() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("damaged")? else { return Ok(()) };
    let elements: Vec<Value> = (1..=4).map(|id| message(id, &json!({}))).collect();
    let path = write(pipeline.directory(), "result.json", &elements)?;
    let text =
        std::fs::read_to_string(&path)?.replace("day 3 is", "\"day 3\" is").replace("day 2", "day\\x0c 2");
    std::fs::write(&path, text)?;
    let refused = pipeline.import(&path, "beta").expect_err("refused").to_string();
    assert!(refused.contains("nothing was imported") && refused.contains("--skip-damaged"), "{refused}");
    let file = path.to_str().expect("UTF-8");
    let arguments = Pipeline::import_arguments(file, "beta");
    let summary: Value =
        serde_json::from_str(&pipeline.gistmill(&[&arguments[..], &["--skip-damaged"]].concat())?)?;
    assert_eq!((&summary["read"], &summary["new"]), (&json!(3), &json!(3)));
    assert_eq!((&summary["damaged"][0]["id"], &summary["skipped"]), (&json!(3), &json!({"damaged": 1})));
    assert_eq!(summary["repaired"], json!({"hex_escape": 1}));
    pipeline.finish()
}
