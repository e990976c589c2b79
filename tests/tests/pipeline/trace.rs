//! `gistmill trace` of a window, its digest and a message of it: the same events, whose times add up, and words on what there is
//! not.

use anyhow::Context;
use serde_json::{Value, json};
use sqlx::Row;
use std::{fs, time::Duration};
use tests::{Models, PATIENCE, Pipeline, settle};

/// 2026-01-05T12:00:00Z.
const NOON: i64 = 1_767_614_400_000;
const GROUP: [&str; 4] = ["--tenant", "acme", "--group", "alpha"];
/// Topics of a digest that is delivered, in the order of their events but for those of sinks.
const TOPICS: [&str; 5] = [
    "group.message.ingested.v1",
    "group.window.ready.v1",
    "digest.generate.requested.v1",
    "digest.context.prepared.v1",
    "digest.ready_for_delivery.v1",
];

fn said(id: i64, person: &str, text: &str) -> Value {
    let author = json!({ "id": format!("u_{}", person.to_lowercase()), "name": person });
    json!({ "id": id, "sent_at": NOON + id * 60_000, "author": author, "text": text })
}

fn traced(pipeline: &Pipeline, id: &str, more: &[&str]) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&pipeline.gistmill(&[&["trace", id, "--json"], more].concat())?)?)
}

fn refused(pipeline: &Pipeline, arguments: &[&str]) -> anyhow::Result<String> {
    let output = pipeline.output(&[&["trace"], arguments].concat(), &[])?;
    assert!(!output.status.success(), "{arguments:?}");
    Ok(String::from_utf8(output.stderr)?)
}

/// Holds the times of the events to their sum, and to the order in which the broker had them.
fn assert_adds_up(trace: &Value) -> anyhow::Result<()> {
    let steps = trace["steps"].as_array().context("steps")?;
    let topics: Vec<&str> = steps.iter().filter_map(|step| step["topic"].as_str()).collect();
    let of_way: Vec<&&str> = topics.iter().filter(|topic| TOPICS.contains(topic)).collect();
    assert_eq!(of_way, TOPICS.iter().collect::<Vec<_>>(), "{topics:?}");
    for topic in ["digest.persisted.v1", "digest.delivered.v1", "digest.stage.writer.completed.v1"] {
        assert_eq!(topics.iter().filter(|found| **found == topic).count(), 1, "{topic}");
    }
    assert_eq!(trace["missing"], json!([]));
    let times: Vec<i64> = steps.iter().filter_map(|step| step["appended_at_ms"].as_i64()).collect();
    assert!(times.is_sorted() && times.len() == steps.len(), "{times:?}");
    let parts: f64 = steps.iter().filter_map(|step| step["after_seconds"].as_f64()).sum();
    let whole = trace["seconds"].as_f64().context("seconds")?;
    assert!((parts - whole).abs() < 0.000_5 && whole >= 0.0, "{parts} and {whole}");
    assert!((whole - (times[times.len() - 1] - times[0]) as f64 / 1000.0).abs() < 0.000_5);
    assert_waits(steps)
}

/// Every event was in a transaction, and its input could be read as long before it as it says.
fn assert_waits(steps: &[Value]) -> anyhow::Result<()> {
    let at = |topic: &str| {
        steps.iter().find(|step| step["topic"] == topic).with_context(|| format!("no event of {topic}"))
    };
    let seconds =
        |step: &Value, name: &str| step[name].as_f64().with_context(|| format!("no {name}: {step}"));
    for step in steps {
        assert!(seconds(step, "transaction_seconds")? >= 0.0, "{step}");
        let is_of_digest = !step["topic"].as_str().is_some_and(|topic| topic.starts_with("group."));
        assert_eq!(step["queue_and_work_seconds"].is_number(), is_of_digest, "{step}");
        // Stages tell their work, and context_builder alone has looked something up.
        let unit = step["unit"].as_str().context("a unit")?;
        let is_silent = ["digest_trigger", "postgres_outbox_source"].contains(&unit);
        assert_eq!(step["work_seconds"].is_number(), is_of_digest && !is_silent, "{step}");
        let looked_up = step["lookup_seconds"].as_f64();
        assert_eq!(looked_up.is_some(), unit == "context_builder", "{step}");
        assert!(looked_up <= step["work_seconds"].as_f64(), "{step}");
    }
    for (input, output) in [
        ("group.window.ready.v1", "digest.generate.requested.v1"),
        ("digest.generate.requested.v1", "digest.context.prepared.v1"),
        ("digest.stage.writer.completed.v1", "digest.ready_for_delivery.v1"),
        ("digest.ready_for_delivery.v1", "digest.delivered.v1"),
    ] {
        let (input, output) = (at(input)?, at(output)?);
        let parts = seconds(input, "transaction_seconds")? + seconds(output, "queue_and_work_seconds")?;
        let appended = |step: &Value| step["appended_at_ms"].as_i64().context("a time");
        let whole = (appended(output)? - appended(input)?) as f64 / 1000.0;
        assert!((parts - whole).abs() < 0.000_5, "{parts} of {whole}: {output}");
    }
    Ok(())
}

/// Imports a day that is worth one digest, and waits until it is delivered.
fn import(pipeline: &Pipeline) -> anyhow::Result<()> {
    let chat = [
        said(1, "Cy", "Which day does the release go out?"),
        said(2, "Ann", "We decided: the release goes out on Thursday."),
        said(3, "Bo", "I will write the notes by Friday."),
        said(4, "Ann", "Could somebody look at the invoice export?"),
        said(5, "Bo", "The invoice export works again since this morning."),
        said(6, "Ann", "Thanks, the invoice export looks great now!"),
        said(7, "Bo", "ok"),
    ];
    let path = pipeline.directory().join("chat.jsonl");
    fs::write(&path, chat.map(|line| line.to_string()).join("\n"))?;
    pipeline.import(&path, "alpha")?;
    settle(pipeline)?;
    Ok(())
}

#[test]
fn a_window_its_digest_and_a_message_of_it_lead_to_the_same_events() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("trace")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    import(&pipeline)?;
    let rows = pipeline.rows.query("SELECT window_id, digest_id FROM digests", &[])?;
    let row = rows.first().context("a digest")?;
    let (window_id, digest_id): (String, String) = (row.try_get("window_id")?, row.try_get("digest_id")?);

    let of_window = traced(&pipeline, &window_id, &[])?;
    assert_adds_up(&of_window)?;
    assert_eq!((&of_window["digest_id"], &of_window["group_id"]), (&json!(digest_id), &json!("alpha")));
    assert_eq!(traced(&pipeline, &digest_id, &[])?, of_window);
    assert_eq!(traced(&pipeline, &digest_id, &GROUP)?, of_window, "one partition is enough");

    let cited = traced(&pipeline, "2", &GROUP)?;
    assert_eq!(cited["states"][0]["kind"], "new");
    let windows = cited["windows"].as_array().context("windows")?;
    assert_eq!(windows.len(), 1);
    assert_eq!((&windows[0]["window_id"], &windows[0]["cites"]), (&json!(window_id), &json!(true)));
    assert_eq!(windows[0]["trace"], of_window);
    let delivery = &windows[0]["deliveries"][0];
    assert_eq!((&delivery["channel"], &delivery["status"]), (&json!("file"), &json!("sent")));
    assert_eq!(traced(&pipeline, "7", &GROUP)?["windows"][0]["cites"], false);

    let text = pipeline.gistmill(&[&["trace", "2"], &GROUP[..]].concat())?;
    for part in [
        "message 2 of acme/alpha",
        "which cites the message",
        "file  v1.0 part 1  sent",
        "delivery_manager → digest.ready_for",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = pipeline.gistmill(&["trace", &window_id])?;
    assert!(
        text.contains("window_builder → group.window.ready.v1") && text.contains("from its first event"),
        "{text}"
    );

    assert!(
        refused(&pipeline, &["6f0c2c0e-6d3b-5d0c-9a43-3a6f1a4d7b11"])?
            .contains("no window and no digest has the id")
    );
    assert!(refused(&pipeline, &["3"])?.contains("give --tenant and --group with 3"));
    assert!(
        refused(&pipeline, &[&["99"], &GROUP[..]].concat())?
            .contains("group alpha of tenant acme has no message 99")
    );
    let elsewhere = refused(&pipeline, &["3", "--tenant", "acme", "--group", "alfa"])?;
    assert!(elsewhere.contains("groups with messages: alpha"), "{elsewhere}");
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn of_what_a_model_wrote_is_told_how_long_it_took_to_answer() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("trace_model")? else { return Ok(()) };
    let model = Models::start()?;
    model.take(Duration::from_millis(400));
    let config = crate::models::settings(&pipeline, &model, None)?;
    let up = pipeline.spawn("up", &["up", "--config", &config], &[])?;
    import(&pipeline)?;
    assert_eq!(model.asked().len(), 1);
    let rows = pipeline.rows.query("SELECT window_id FROM digests", &[])?;
    let window_id: String = rows.first().context("a digest")?.try_get("window_id")?;
    let trace = traced(&pipeline, &window_id, &[])?;
    for step in trace["steps"].as_array().context("steps")? {
        let (model, work) = (step["model_seconds"].as_f64(), step["queue_and_work_seconds"].as_f64());
        if step["topic"] == "digest.stage.writer.completed.v1" {
            assert!(model >= Some(0.4) && work >= model, "{step}");
        } else {
            assert_eq!(model, None, "{step}");
        }
    }
    let text = pipeline.gistmill(&["trace", &window_id])?;
    assert!(text.contains(" in the queue, then ") && text.contains(" for the model, then "), "{text}");
    assert!(text.contains(" in work, of it ") && text.contains(" for lookups, then "), "{text}");
    up.stop(PATIENCE)?;
    pipeline.finish()
}
