//! What is said of a digest once it is stored. Invariant: a pure function of the digest, and every number of it is one.

use schemas::{DigestPersisted, DigestReadyForDelivery, StageRun};
use state::Refusal;
use std::collections::BTreeMap;

/// `digest.persisted` of a digest.
///
/// # Errors
/// The tokens or costs of its runs add up to no number.
pub fn persisted(ready: &DigestReadyForDelivery) -> Result<DigestPersisted, Refusal> {
    Ok(DigestPersisted {
        tenant_id: ready.tenant_id.clone(),
        group_id: ready.group_id.clone(),
        digest_id: ready.digest_id.clone(),
        window_id: ready.window_id.clone(),
        version: ready.version.clone(),
        metrics: metrics(ready)?,
        topics: ready.delivery_payload.topics.iter().map(|topic| topic.title.clone()).collect(),
        window_end: ready.window.window_end,
    })
}

fn metrics(ready: &DigestReadyForDelivery) -> Result<BTreeMap<String, f64>, Refusal> {
    let (digest, quality) = (&ready.delivery_payload, &ready.delivery_payload.quality);
    let (tokens, cost) = StageRun::totals(&ready.runs).ok_or_else(state::bad_totals)?;
    let metrics = [
        ("quality_score", ready.quality_score),
        ("faithfulness", quality.faithfulness),
        ("coverage", quality.coverage),
        ("message_count", f64::from(digest.message_count)),
        ("participant_count", f64::from(digest.participant_count)),
        ("topic_count", digest.topics.len() as f64),
        ("decision_count", digest.decisions.len() as f64),
        ("question_count", digest.questions.len() as f64),
        ("action_count", digest.actions.len() as f64),
        ("tokens", tokens as f64),
        ("cost", cost),
    ];
    Ok(metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
