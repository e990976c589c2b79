//! Search by words, by meaning and by both: hits of the same form, the same filters, and never one way in the place of another.

use crate::undisturbed::{chats, import};
use anyhow::Context;
use serde_json::Value;
use tests::{PATIENCE, Pipeline, Points, TENANT, eventually, free_port, settle};

/// How a search ends: its exit code, its hits, what it says beside them.
fn search(pipeline: &Pipeline, url: &str, arguments: &[&str]) -> anyhow::Result<(i32, Vec<Value>, String)> {
    let variables = [("GISTMILL_QDRANT__URL", url), ("GISTMILL_QDRANT__DEVELOPMENT_FRONT", "true")];
    let arguments = [&["search", "--json"], arguments].concat();
    let output = pipeline.output(&arguments, &variables)?;
    let lines = String::from_utf8(output.stdout)?;
    let hits = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    Ok((
        output.status.code().context("it was killed")?,
        hits,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}

#[test]
fn a_search_by_meaning_or_both_ways_keeps_its_filters_and_fails_where_the_index_does() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("search")? else { return Ok(()) };
    let Some(points) = Points::of(&pipeline) else { return pipeline.finish() };
    let url = points.url().to_owned();
    let up = pipeline.up_without(&[])?;
    import(&pipeline, &chats()[1..])?;
    settle(&pipeline)?;
    let (code, hits, said) = search(&pipeline, &url, &["anything", "--hybrid"])?;
    assert!(code == 1 && hits.is_empty() && said.contains("holds nothing yet"), "{code} {said}");

    let sink = points.sink()?;
    let wanted = pipeline.rows.query("SELECT 1 FROM messages_current", &[])?.len();
    eventually("the messages are indexed", PATIENCE, || Ok((points.count() >= wanted).then_some(())))?;
    settle(&pipeline)?;
    let (_, words, _) = search(&pipeline, &url, &["deploy", "--kind", "message", "--limit", "1"])?;
    let known = words.first().context("the chats speak of it")?;
    let (text, group) =
        (known["snippet"].as_str().context("a text")?, known["group_id"].as_str().context("a group")?);
    for way in ["--semantic", "--hybrid"] {
        let (code, hits, said) =
            search(&pipeline, &url, &[text, way, "--kind", "message", "--group", group])?;
        assert_eq!(code, 0, "{said}");
        let first = hits.first().context("the message itself")?;
        assert_eq!(first["snippet"], known["snippet"], "{way}");
        assert!(first["digests"].is_array() && first["source_offset"].is_i64(), "{first}");
        assert!(hits.iter().all(|hit| hit["group_id"] == group), "{way}");
        let author = known["author_name"].as_str().context("an author")?;
        let (_, of_author, _) = search(&pipeline, &url, &[text, way, "--author", author])?;
        assert!(!of_author.is_empty() && of_author.iter().all(|hit| hit["author_name"] == author), "{way}");
        let (_, later, _) = search(&pipeline, &url, &[text, way, "--since", "2100-01-01"])?;
        assert_eq!(later, Vec::<Value>::new(), "{way}");
        let (_, digests, _) = search(&pipeline, &url, &[text, way, "--kind", "digest"])?;
        assert!(!digests.is_empty() && digests.iter().all(|hit| hit["kind"] == "digest"), "{way}");
        let (code, hits, said) = search(&pipeline, &url, &[text, way, "--tenant", "acmee"])?;
        assert!(code == 0 && hits.is_empty() && said.contains("nothing is stored of tenant acmee"), "{said}");
        let (code, hits, said) =
            search(&pipeline, &url, &[text, way, "--tenant", TENANT, "--group", "nowhere"])?;
        assert!(
            code == 0 && hits.is_empty() && said.contains("nothing is stored of group nowhere"),
            "{said}"
        );
        let nobody = format!("http://127.0.0.1:{}", free_port()?);
        let (code, hits, said) = search(&pipeline, &nobody, &[text, way])?;
        assert!(code == 3 && hits.is_empty() && said.contains("GISTMILL_QDRANT__URL"), "{code} {said}");
    }
    let report = pipeline.output(
        &["doctor", "--json"],
        &[("GISTMILL_QDRANT__URL", &*url), ("GISTMILL_QDRANT__DEVELOPMENT_FRONT", "true")],
    )?;
    let report: Value = serde_json::from_slice(&report.stdout)?;
    let checks = report["checks"].as_array().context("checks")?;
    let qdrant = checks.iter().find(|check| check["name"] == "qdrant").context("a check of Qdrant")?;
    let finding = qdrant["finding"].as_str().context("a finding")?;
    assert!(qdrant["level"] == "ok" && finding.contains("qdrant_sink is 0 records behind"), "{qdrant}");
    sink.stop(PATIENCE)?;
    up.stop(PATIENCE)?;
    points.delete_collection()?;
    pipeline.finish()
}
