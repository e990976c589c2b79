//! Two processes with the same questions at once: each is asked once, and one that a killed process was asking is taken over once its
//! claim has ended.

use crate::models::{settings, written};
use std::{collections::BTreeSet, time::Duration};
use tests::{Chat, Models, PATIENCE, Pipeline, Process, TENANT, eventually, partition_of, settle_within};

const PARTITIONS: i32 = 4;
/// A killed member's session, and then its claims, end by themselves.
const LONG: Duration = Duration::from_mins(3);
const TWICE: &str = "SELECT count(*) FROM (SELECT FROM llm_requests WHERE status = 'settled' \
     GROUP BY tenant_id, question HAVING count(*) > 1) AS twice";
const UNSETTLED: &str = "SELECT count(*) FROM llm_requests WHERE status <> 'settled'";
const CLAIMS: &str = "SELECT count(*) FROM model_claims WHERE expires_at > now()";

/// A group in each partition, so that any two writers have some each.
fn groups() -> Vec<String> {
    let name = |partition: i32| {
        let names = (0..).map(|number| format!("twin{number}"));
        let mut here =
            names.filter(|name| partition_of(format!("{TENANT}/{name}").as_bytes(), PARTITIONS) == partition);
        here.next().expect("some name hashes there")
    };
    (0..PARTITIONS).map(name).collect()
}

fn writer(pipeline: &Pipeline, name: &str, config: &str) -> anyhow::Result<Process> {
    let arguments = ["run", "writer", "--config", config];
    pipeline.spawn(&format!("writer-{name}"), &arguments, &[("GISTMILL_INSTANCE", name)])
}

fn distinct(asked: &[String]) -> usize {
    asked.iter().collect::<BTreeSet<_>>().len()
}

#[test]
fn what_two_processes_ask_at_once_is_asked_once_and_a_dead_ones_question_is_taken_over() -> anyhow::Result<()>
{
    let Some(pipeline) = Pipeline::start("models_claims")? else { return Ok(()) };
    let pro = Models::start()?;
    pro.take(Duration::from_millis(300));
    let config = settings(&pipeline, &pro, None)?;
    let up = pipeline.up_without(&["writer"])?;
    // One chat, told by each group.
    let chat = Chat::new("twin", 12, 16);
    let (now, later) =
        (chat.write(pipeline.directory())?, Chat::later("twin", 12, 12, 16).write(pipeline.directory())?);
    for group in groups() {
        pipeline.import(&now, &group)?;
    }
    let (first, second) = (writer(&pipeline, "a", &config)?, writer(&pipeline, "b", &config)?);
    settle_within(&pipeline, &[], LONG)?;
    let asked = pro.asked();
    let worded = written(&pipeline)?.iter().filter(|run| run.model_id != "offline").count();
    assert_eq!(asked.len(), distinct(&asked), "a question was asked twice");
    assert!(worded >= 3 * asked.len() && !asked.is_empty(), "{worded} digests of {} answers", asked.len());
    assert_eq!(pipeline.rows.number(CLAIMS)?, 0);

    // Longer than the imports, so that calls are on their way when they end.
    pro.take(Duration::from_secs(8));
    for group in groups() {
        pipeline.import(&later, &group)?;
    }
    eventually(
        "a call is on its way",
        PATIENCE,
        || Ok((pipeline.rows.number(UNSETTLED)? > 0).then_some(())),
    )?;
    first.kill()?;
    pro.take(Duration::from_millis(300));
    settle_within(&pipeline, &[], LONG)?;
    let (asked, unsettled) = (pro.asked(), pipeline.rows.number(UNSETTLED)?);
    let again = asked.len() - distinct(&asked);
    assert!(again as i64 <= unsettled, "{again} questions were asked again, {unsettled} calls are unknown");
    assert_eq!((pipeline.rows.number(TWICE)?, pipeline.rows.number(CLAIMS)?), (0, 0));
    eprintln!("{} calls, {again} of them again, {unsettled} unknown", asked.len());
    second.stop(PATIENCE)?;
    up.stop(PATIENCE)?;
    pipeline.finish()
}
