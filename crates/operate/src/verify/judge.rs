//! What is wrong about a digest, from what was read of it.
//!
//! Invariant: pure; whatever may be explained by retention, an erasure, a withdrawal or a lag is no finding.

use super::{
    CitedPlace, DigestSeen, Finding, FindingKind, Held, Looked, Ready, Report, RunSeen, VerifyOptions,
    content::Content,
    sources::{Due, Said, Sources},
};
use schemas::Version;
use state::{StatedMessage, StoredDigest};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Versions of a window that are kept where nobody says otherwise: of more, the older ones are gone.
const VERSIONS_KEPT: usize = state::VERSIONS_KEPT as usize;

pub(super) struct Judge<'a> {
    pub(super) options: &'a VerifyOptions,
    /// Next offsets of the sink of digests.
    pub(super) passed: &'a BTreeMap<i32, i64>,
    /// What each tenant's retention took before, in ms.
    pub(super) marks: &'a HashMap<String, Option<i64>>,
    /// Newest revision of each window that was told.
    pub(super) revisions: &'a HashMap<String, i32>,
    pub(super) sources: &'a Sources,
    pub(super) ready: &'a HashMap<String, Ready>,
    pub(super) ready_held: &'a Held,
}

impl Judge<'_> {
    fn wants(&self, digest_id: &str) -> bool {
        self.options.digest.as_ref().is_none_or(|wanted| wanted == digest_id)
    }

    pub(super) fn all(&self, looked: &[Looked], report: &mut Report) {
        let mut newest: HashMap<&str, Version> = HashMap::new();
        for it in looked {
            if let Some(version) = it.row.order() {
                let known = newest.entry(&it.row.window_id).or_insert(version);
                *known = version.max(*known);
            }
        }
        for it in looked.iter().filter(|it| self.wants(&it.row.digest_id)) {
            report.digests += 1;
            self.row(it, report);
            let is_newest = it.row.order() == newest.get(it.row.window_id.as_str()).copied();
            self.citations(it, is_newest, report);
        }
        self.events(looked, report);
    }

    /// Whether the row says what its event said.
    fn row(&self, it: &Looked, report: &mut Report) {
        let Some(event) = self.ready.get(&it.row.digest_id) else {
            let partition = it.row.stored.as_ref().map(|stored| stored.source_partition);
            // All topics of groups are cut alike: the event lay in the partition of its messages.
            if partition.is_some_and(|partition| !self.ready_held.may_lack(partition, it.row.created_at)) {
                let detail = format!("version {} is stored, and no event of it was found", it.row.version);
                report.findings.push(of_row(it, FindingKind::RowWithoutEvent, detail));
            } else {
                report.took("events of stored digests");
            }
            return;
        };
        let Some(stored) = &it.row.stored else {
            return report.took("words of digests that were taken back");
        };
        let differences = Content::of_row(stored).differences(&event.content);
        if !differences.is_empty() {
            let detail = format!("{} is not what {} says", differences.join(", "), place_of(event));
            report.findings.push(of_row(it, FindingKind::RowDiffers, detail));
        }
        if self.options.digest.is_some() {
            report.digest = Some(DigestSeen {
                digest_id: it.row.digest_id.clone(),
                event: Some(place_of(event)),
                runs: runs(stored),
                cites: Vec::new(),
            });
        }
    }

    /// Whether each cited message was there, is what its record says, and was not changed behind the digest's back.
    fn citations(&self, it: &Looked, is_newest: bool, report: &mut Report) {
        let Some(stored) = &it.row.stored else { return };
        let mark = self.marks.get(&it.tenant).copied().flatten();
        if mark.is_some_and(|mark| stored.summary.window_start < mark) {
            return report.took("windows from before a tenant's retention");
        }
        for id in &it.cited {
            report.citations += 1;
            let state = it.then.get(id).filter(|state| !state.deleted);
            let Some(state) = state else {
                let detail = format!(
                    "message {id} was not there as of {}:{}",
                    stored.source_partition, stored.source_offset
                );
                report.findings.push(of_row(it, FindingKind::DanglingCitation, detail));
                continue;
            };
            self.source(it, state, report);
            if is_newest && stored.summary.size_hours > 0 {
                self.changed((it, stored), state, report);
            }
        }
    }

    fn source(&self, it: &Looked, state: &StatedMessage, report: &mut Report) {
        let said = self.sources.said(state);
        let place = format!(
            "message {} revision {} at {}:{}",
            state.id, state.revision, state.partition, state.offset
        );
        match said {
            Said::Same => {}
            Said::Taken => report.took("records of cited messages"),
            _ if it.erased.contains(&state.id) => report.took("words of erased messages"),
            Said::Differs => {
                let detail = format!("{place} is stored otherwise than its record says");
                report.findings.push(of_row(it, FindingKind::MessageDiffers, detail));
            }
            Said::Missing => {
                let detail = format!("{place} is not in its record");
                report.findings.push(of_row(it, FindingKind::MessageNotInRecord, detail));
            }
        }
        if let Some(digest) = &mut report.digest {
            digest.cites.push(CitedPlace {
                message_id: state.id,
                revision: state.revision,
                partition: state.partition,
                offset: state.offset,
                outcome: said.as_str(),
            });
        }
    }

    /// A change within the horizon makes a revision of the window.
    fn changed(&self, (it, stored): (&Looked, &StoredDigest), then: &StatedMessage, report: &mut Report) {
        let Some(now) = it.now.get(&then.id) else { return };
        if (now.revision, now.deleted) == (then.revision, then.deleted) {
            return;
        }
        let revision = it.row.order().map(|version| version.revision).unwrap_or_default();
        if self.revisions.get(&it.row.window_id).is_some_and(|newest| *newest > revision) {
            return report.waits("revisions of windows");
        }
        let key = format!("{}/{}", it.tenant, it.row.group_id);
        let window = (stored.summary.window_end, self.options.grace_and_horizon_ms);
        match self.sources.is_due(&key, (now.partition, now.offset), window) {
            Due::Later => report.waits("revisions of windows"),
            Due::TooLate | Due::Unknown => report.took("changes after the horizon"),
            Due::Yes => {
                let what = if now.deleted { "deleted" } else { "changed" };
                let detail = format!(
                    "message {} was {what} at {}:{}, and the window has no revision after {revision}",
                    then.id, now.partition, now.offset
                );
                report.findings.push(of_row(it, FindingKind::ChangedWithoutRevision, detail));
            }
        }
    }

    /// Whether each event is there once, and has its row.
    fn events(&self, looked: &[Looked], report: &mut Report) {
        let rows: BTreeSet<&str> = looked.iter().map(|it| it.row.digest_id.as_str()).collect();
        let mut versions: HashMap<&str, Vec<Version>> = HashMap::new();
        for event in self.ready.values() {
            if let Ok(version) = event.version.parse() {
                versions.entry(&event.window_id).or_default().push(version);
            }
        }
        for (digest_id, event) in self.ready.iter().filter(|(id, _)| self.wants(id)) {
            report.events += event.places.len() as u64;
            let finding = |kind, detail| Finding {
                kind,
                tenant_id: event.tenant_id.clone(),
                group_id: event.group_id.clone(),
                digest_id: digest_id.clone(),
                detail,
            };
            if event.places.len() > 1 {
                let detail = format!("its event is there {} times: {}", event.places.len(), place_of(event));
                report.findings.push(finding(FindingKind::EventTwice, detail));
            }
            if rows.contains(digest_id.as_str()) {
                continue;
            }
            let mark = self.marks.get(&event.tenant_id).copied().flatten();
            let newer = event.version.parse::<Version>().ok().map_or(0, |version| {
                versions
                    .get(event.window_id.as_str())
                    .map_or(0, |all| all.iter().filter(|it| **it > version).count())
            });
            let is_passed = event
                .places
                .iter()
                .any(|(partition, offset)| self.passed.get(partition).is_some_and(|next| offset < next));
            if !is_passed {
                report.waits("digests that are not stored yet");
            } else if state::is_past(&event.window, mark) {
                report.took("digests from before a tenant's retention");
            } else if newer >= VERSIONS_KEPT {
                report.took("versions that are too old to be kept");
            } else {
                let detail = format!("{} was passed by its sink, and nothing is stored", place_of(event));
                report.findings.push(finding(FindingKind::EventWithoutRow, detail));
            }
        }
    }

    /// Whether a digest that is stored must have been announced, and was not.
    pub(super) fn lacks_announcement(
        &self,
        it: &Looked,
        persisted: &HashMap<String, u64>,
        held: &Held,
    ) -> bool {
        let Some(stored) = &it.row.stored else { return false };
        self.wants(&it.row.digest_id)
            && !persisted.contains_key(&it.row.digest_id)
            && !held.may_lack(stored.source_partition, it.row.created_at)
    }

    pub(super) fn announced(
        &self,
        looked: &[Looked],
        (persisted, held): (&HashMap<String, u64>, &Held),
        report: &mut Report,
    ) {
        for it in looked.iter().filter(|it| self.wants(&it.row.digest_id)) {
            match persisted.get(&it.row.digest_id) {
                Some(1) => {}
                Some(times) => {
                    let detail = format!("digest.persisted.v1 has it {times} times");
                    report.findings.push(of_row(it, FindingKind::EventTwice, detail));
                }
                None if self.lacks_announcement(it, persisted, held) => {
                    let detail = "it is stored, and was never announced on digest.persisted.v1".to_owned();
                    report.findings.push(of_row(it, FindingKind::RowWithoutEvent, detail));
                }
                None => report.took("announcements of stored digests"),
            }
        }
        report.events +=
            persisted.iter().filter(|(id, _)| self.wants(id)).map(|(_, times)| times).sum::<u64>();
    }
}

fn of_row(it: &Looked, kind: FindingKind, detail: String) -> Finding {
    Finding {
        kind,
        tenant_id: it.tenant.clone(),
        group_id: it.row.group_id.clone(),
        digest_id: it.row.digest_id.clone(),
        detail,
    }
}

fn place_of(event: &Ready) -> String {
    let places: Vec<String> =
        event.places.iter().map(|(partition, offset)| format!("{partition}:{offset}")).collect();
    format!("digest.ready_for_delivery.v1 {}", places.join(" "))
}

fn runs(stored: &StoredDigest) -> Vec<RunSeen> {
    let run = |run: &schemas::StageRun| RunSeen {
        stage: run.stage.clone(),
        run_id: run.run_id.clone(),
        outcome: run.outcome.clone(),
        model_id: run.model_id.clone(),
        tokens: run.tokens,
    };
    stored.runs.iter().map(run).collect()
}
