//! The one corrective pass over a weak draft: unsupported statements go, threads that were left out come in.

use crate::{
    coverage::{Choice, Coverage},
    findings::Findings,
    quality::{Statement, attributed},
    source::Source,
    support::support,
};
use schemas::{Claim, Digest};
use std::collections::BTreeSet;

/// A thread of so many quotable messages may not be left out.
const THREAD_MESSAGES_MIN: usize = 2;
const SENTENCES_MAX: usize = 14;

/// Adds to the summary the most telling sentences of threads that it does not cite.
pub(crate) fn widen(findings: &mut Findings, source: &Source<'_>) {
    let cited: BTreeSet<usize> =
        findings.listed().map(|sentence| source.posts[source.sentences[sentence].post].thread).collect();
    let missing = |thread: &usize| {
        let quotable = source.threads[*thread].iter().filter(|post| source.posts[**post].quotable).count();
        !cited.contains(thread) && quotable >= THREAD_MESSAGES_MIN
    };
    let candidates: Vec<usize> = (0..source.threads.len())
        .filter(missing)
        .flat_map(|thread| findings.by_thread[thread].clone())
        .collect();
    let room = SENTENCES_MAX.saturating_sub(findings.summary.len());
    let choice = Choice { tokens_max: 200, sentences_max: room, overhead: 0.0, diversity: 0.0 };
    findings.summary.extend(Coverage::new(source).choose(&candidates, choice, |_| 1.0));
    findings.summary.sort_unstable();
    findings.summary.dedup();
}

/// Drops statements that their messages do not support in every sentence.
pub(crate) fn drop_unsupported(digest: &mut Digest, source: &Source<'_>) {
    let names = source.author_names();
    let holds = |speaker: Option<&str>, text: &str, message_ids: &[i64]| {
        let found = support(source, &Statement { speaker, text, message_ids });
        found.supported >= found.sentences as f64 && !found.invented
    };
    let claim_holds = |claim: &Claim| {
        attributed(&claim.text, &names)
            .into_iter()
            .all(|(speaker, text)| holds(speaker, text, &claim.message_ids))
    };
    digest.summary.retain(claim_holds);
    digest.decisions.retain(claim_holds);
    digest.questions.retain(claim_holds);
    digest.actions.retain(|action| holds(action.owner.as_deref(), &action.text, &action.message_ids));
    for thread in digest.topics.iter_mut().flat_map(|topic| &mut topic.threads) {
        thread.claims.retain(claim_holds);
    }
    for person in &mut digest.participants {
        let name = person.name.clone();
        person.did.retain(|claim| holds(Some(&name), &claim.text, &claim.message_ids));
    }
}
