//! A provider that judges what a model wrote: what it flags is in no digest, its judgement stands in the event and in the ledger, a replay
//! asks nobody, and where it is away the built-in lists decide alone, which the event says.

use crate::models::{write_again, written};
use schemas::{Digest, DigestStageCompleted};
use std::fs;
use tests::{Chat, Models, PATIENCE, Pipeline, settle};

/// In a tenth of the messages, so in some lines of the model's.
const FLAGGED: &str = "is broken again";
const JUDGED: &str = "judged_by_pro/omni";
const JUDGEMENTS: &str =
    "SELECT count(*) FROM llm_requests WHERE prompt = 'moderation' AND model = 'omni' AND status = 'settled'";

fn measured(run: &DigestStageCompleted, name: &str) -> f64 {
    run.quality_metrics.get(name).copied().unwrap_or_default()
}

/// The lines of a digest that are the model's.
fn lines(digest: &Digest) -> impl Iterator<Item = &str> {
    digest.summary.iter().map(|line| line.text.as_str())
}

#[test]
fn what_a_provider_flags_goes_into_no_digest_and_is_told_and_without_it_the_lists_decide()
-> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("models_judged")? else { return Ok(()) };
    let pro = Models::start()?;
    pro.flag(FLAGGED);
    let file = pipeline.directory().join("models.toml");
    let moderation = "[llm.moderation]\nprovider = \"pro\"\nmodel = \"omni\"\n";
    fs::write(&file, format!("{}[llm.chains]\nwriter = [\"pro\"]\n{moderation}", pro.provider("pro")))?;
    let config = file.to_string_lossy().into_owned();
    let up = pipeline.spawn("up", &["up", "--config", &config], &[])?;
    pipeline.import(&Chat::new("alpha", 30, 12).write(pipeline.directory())?, "alpha")?;
    settle(&pipeline)?;
    let runs = written(&pipeline)?;
    let judged: Vec<_> = runs.iter().filter(|run| measured(run, JUDGED) > 0.0).collect();
    let flagged = judged.iter().filter(|run| measured(run, "flagged_violence") > 0.0).count();
    assert!(flagged > 0 && flagged < judged.len(), "{flagged} of {}", judged.len());
    for run in judged.iter().filter(|run| run.model_id != "offline" && run.outcome != "fallback") {
        let Some(digest) = &run.state.digest else { panic!("no digest") };
        assert!(lines(digest).all(|line| !line.contains(FLAGGED)), "{:?}", run.quality_metrics);
    }
    // Versions of a window may have the same lines, which are judged once.
    let (seen, rows) = (pro.judged().len(), pipeline.rows.number(JUDGEMENTS)?);
    let texts = judged.iter().map(|run| measured(run, JUDGED)).sum::<f64>();
    assert!(
        seen > 0 && seen as f64 <= texts && rows <= judged.len() as i64,
        "{seen} of {texts}, {rows} rows"
    );
    up.stop(PATIENCE)?;

    // All of it again: nobody is asked, and the judgements are the same.
    write_again(&pipeline, &config, runs.len())?;
    assert_eq!(pro.judged().len(), seen);

    pro.refuse_to_judge(true);
    let up = pipeline.spawn("up", &["up", "--config", &config], &[])?;
    pipeline.import(&Chat::new("beta", 30, 12).write(pipeline.directory())?, "beta")?;
    settle(&pipeline)?;
    let later = written(&pipeline)?.split_off(2 * runs.len());
    let worded: Vec<_> = later.iter().filter(|run| run.model_id == "part/1 pro/small").collect();
    assert!(worded.len() > 5, "{} of {} runs are in the model's words", worded.len(), later.len());
    for run in worded {
        let why = ["unjudged_server_error", "unjudged_breaker_open"];
        assert!(why.iter().any(|why| measured(run, why) > 0.0), "{:?}", run.quality_metrics);
        assert!(measured(run, JUDGED) + measured(run, "flagged_violence") < 0.5);
    }
    assert_eq!(pipeline.rows.number(JUDGEMENTS)?, rows);
    up.stop(PATIENCE)?;
    pipeline.finish()
}
