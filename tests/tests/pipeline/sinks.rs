//! Sinks killed in the middle of a write: rows and offset together, once.

use crate::undisturbed::{chats, export, import, undisturbed};
use std::time::Duration;
use tests::{Isolation, Pipeline, assert_equal, kill_in_write, read, settle};

const CATCH: Duration = Duration::from_secs(10);
const KILLS_MAX: usize = 12;
/// Sinks, the tables that tell of their writes, and kills that have to hit.
const VICTIMS: [(&str, &str, usize); 2] =
    [("postgres_sink", "messages,digests", 3), ("file_sink", "deliveries", 2)];
/// Keeps a write open for long enough to be killed in.
const SLOW_WRITES: [&str; 3] = [
    "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END'",
    "CREATE TRIGGER slowly AFTER INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
    "CREATE TRIGGER slowly AFTER INSERT ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
];

#[test]
fn killed_sinks_leave_each_row_once_and_exact_offsets() -> anyhow::Result<()> {
    let Some(calm) = undisturbed() else { return Ok(()) };
    let Some(pipeline) = Pipeline::start("sinks")? else { return Ok(()) };
    for statement in SLOW_WRITES {
        pipeline.rows.query(statement, &[])?;
    }
    let _up = pipeline.up_without(&VICTIMS.map(|victim| victim.0))?;
    import(&pipeline, &calm.chats)?;
    let mut survivors = Vec::new();
    for (name, tables, wanted) in VICTIMS {
        let mut hits = 0;
        for _ in 0..KILLS_MAX {
            if hits == wanted {
                break;
            }
            if let Some(hit) = kill_in_write(pipeline.unit(name, &[])?, &pipeline, tables, CATCH)? {
                eprintln!("{name}: {hit:?}");
                hits += 1;
            }
        }
        assert_eq!(hits, wanted, "{name}: kills that hit an open write");
        survivors.push(pipeline.unit(name, &[])?);
    }
    let stranger = settle(&pipeline)?;
    let offsets = pipeline.rows.sink_offsets()?;
    for ((sink, topic, partition), offset) in offsets {
        assert_eq!(offset, stranger.end(&topic, partition), "{sink} on {topic}/{partition}");
    }
    assert_equal(&calm.seen, stranger.seen());
    assert_equal(&calm.seen, &read(&pipeline, Isolation::Committed)?);
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, calm.message_rows);
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM digests")?, calm.digest_rows);
    assert_eq!(export(&pipeline)?, calm.export);
    pipeline.finish()
}

#[test]
fn a_second_import_of_the_same_files_adds_nothing() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("again")? else { return Ok(()) };
    let _up = pipeline.up_without(&[])?;
    let chats = &chats()[2..];
    import(&pipeline, chats)?;
    let first = settle(&pipeline)?.into_seen();
    import(&pipeline, chats)?;
    let second = settle(&pipeline)?.into_seen();
    assert_equal(&first, &second);
    let states: usize = chats.iter().map(|chat| chat.states.len()).sum();
    assert_eq!(pipeline.rows.number("SELECT count(*) FROM messages")?, states as i64);
    pipeline.finish()
}
