//! A unit that cannot go on, in a process with others that can.

use std::fs;
use tests::{Chat, PATIENCE, Pipeline, Readiness, eventually, free_port, settle, settle_without};

#[test]
fn an_output_folder_that_cannot_be_made_stops_file_sink_alone_until_it_can() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("units")? else { return Ok(()) };
    let chat = Chat::new("alpha", 6, 12);
    let (port, in_the_way) = (free_port()?, pipeline.directory().join("in_the_way"));
    fs::write(&in_the_way, "")?;
    let (listen, files) = (format!("127.0.0.1:{port}"), in_the_way.join("files"));
    let variables =
        [("GISTMILL_HTTP__LISTEN", &*listen), ("GISTMILL_FILES__DIRECTORY", files.to_str().expect("UTF-8"))];
    let mut up = pipeline.spawn("up", &["up"], &variables)?;
    pipeline.import(&chat.write(pipeline.directory())?, &chat.group)?;
    let readiness = eventually("file_sink has stopped", PATIENCE, || {
        Ok(Readiness::at(port)?.filter(|found| found.of("file_sink").starts_with("stopped")))
    })?;
    assert!(!readiness.is_ready, "{readiness:?}");
    assert!(readiness.of("file_sink").contains("clear the way"), "{readiness:?}");
    let others = settle_without(&pipeline, &["file_sink"])?;
    assert!(others.count("digest.persisted.v1") > 0, "the others go on");
    assert_eq!(others.count("digest.delivered.v1"), 0);

    fs::remove_file(&in_the_way)?;
    let all = settle(&pipeline)?;
    assert_eq!(all.count("digest.delivered.v1"), all.count("digest.persisted.v1"));
    eventually("all are ready", PATIENCE, || {
        Ok(Readiness::at(port)?.filter(|found| found.is_ready).map(drop))
    })?;
    let reset = pipeline.output(&["reset", "postgres_outbox_source", "--to", "beginning", "--yes"], &[])?;
    let said = String::from_utf8_lossy(&reset.stderr).into_owned();
    assert_eq!(reset.status.code(), Some(1), "{said}");
    assert!(said.contains("postgres_outbox_source is running: its group has a member"), "{said}");
    assert!(up.is_running()?, "{}", up.log()?);
    up.stop(PATIENCE)?;
    pipeline.finish()
}
