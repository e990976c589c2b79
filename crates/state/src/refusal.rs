//! What Postgres can never store, found before it is asked. Invariant: pure; the same record is always refused or never.
//!
//! A NUL character in a *text* is not refused: it is stored as U+FFFD, for one bad character is no reason to lose the
//! messages around it. In a *name* it is, because two names must not become one.

use schemas::{DigestBlocked, DigestDlq, DigestReadyForDelivery, DigestStageCompleted, StageRun, Version};

/// Longest name in bytes: an index entry holds four of them below Postgres' limit of 2,704 bytes.
const NAME_BYTES_MAX: usize = 512;

/// A record that can never be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// Why, as a metric label.
    pub reason: &'static str,
    /// What exactly; never message text.
    pub detail: String,
}

fn name(what: &str, value: &str) -> Result<(), Refusal> {
    let problem = if value.is_empty() {
        "is empty"
    } else if value.len() > NAME_BYTES_MAX {
        "is longer than 512 bytes"
    } else if value.contains('\0') {
        "contains a NUL character"
    } else {
        return Ok(());
    };
    Err(Refusal { reason: "bad_name", detail: format!("{what} {problem}") })
}

/// The version as numbers, or why it is none.
pub(crate) fn version(text: &str) -> Result<Version, Refusal> {
    text.parse().map_err(|_| Refusal {
        reason: "bad_version",
        detail: "version is not <revision>.<attempt>".to_owned(),
    })
}

fn not_finite(what: &str) -> Refusal {
    Refusal { reason: "not_finite", detail: format!("{what} is not a finite number") }
}

/// Tells whether a digest can be stored, and what is said of it published: JSON has no NaN and no infinity.
pub fn accept_ready(record: &DigestReadyForDelivery) -> Result<(), Refusal> {
    name("tenant_id", &record.tenant_id)?;
    name("group_id", &record.group_id)?;
    name("window_id", &record.window_id)?;
    name("digest_id", &record.digest_id)?;
    version(&record.version)?;
    let digest = &record.delivery_payload;
    let finite = digest.mood.is_finite()
        && digest.quality.is_finite()
        && record.quality_score.is_finite()
        && record.runs.iter().all(|run| run.cost.is_finite());
    if !finite {
        return Err(not_finite("a score, share or cost"));
    }
    match StageRun::totals(&record.runs) {
        Some(_) => Ok(()),
        None => Err(bad_totals()),
    }
}

/// Refuses runs whose tokens or costs add up to no number.
pub fn bad_totals() -> Refusal {
    Refusal { reason: "bad_totals", detail: "the tokens or costs of the runs add up to no number".to_owned() }
}

/// Tells whether a blocked digest can be stored.
pub fn accept_blocked(record: &DigestBlocked) -> Result<(), Refusal> {
    name("tenant_id", &record.tenant_id)?;
    name("group_id", &record.group_id)?;
    name("window_id", &record.window_id)?;
    version(&record.version)?;
    if record.quality_score.is_none_or(f64::is_finite) { Ok(()) } else { Err(not_finite("the score")) }
}

/// Tells whether what a stage found can be told from what others found.
pub fn accept_stage(record: &DigestStageCompleted) -> Result<(), Refusal> {
    name("tenant_id", &record.tenant_id)?;
    name("group_id", &record.group_id)?;
    name("window_id", &record.window_id)?;
    version(&record.version).map(drop)
}

/// JSON that does not read back as what it was made of.
pub(crate) fn unreadable(what: &'static str, error: &serde_json::Error) -> Refusal {
    Refusal { reason: "unreadable", detail: format!("{what} does not read back: {error}") }
}

/// The dead letter as it can be stored: names that Postgres would refuse are left empty, as they are for a key that
/// does not tell them; the key itself is kept in its bytes.
pub fn accept_dead_letter(mut record: DigestDlq) -> DigestDlq {
    if name("tenant_id", &record.tenant_id).is_err() || name("group_id", &record.group_id).is_err() {
        record.tenant_id.clear();
        record.group_id.clear();
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_keys_are_refused() {
        let check = |tenant: &str| name("tenant_id", tenant).map_err(|refusal| refusal.detail);
        assert_eq!(check("acme"), Ok(()));
        assert_eq!(check(""), Err("tenant_id is empty".to_owned()));
        assert_eq!(check("a\0b"), Err("tenant_id contains a NUL character".to_owned()));
        assert_eq!(check(&"x".repeat(513)), Err("tenant_id is longer than 512 bytes".to_owned()));
    }

    #[test]
    fn a_version_is_two_numbers() {
        assert_eq!(version("2.1"), Ok(Version { revision: 2, attempt: 1 }));
        assert_eq!(version("2").map_err(|refusal| refusal.reason), Err("bad_version"));
    }
}
