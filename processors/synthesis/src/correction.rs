//! The one corrective pass over a weak draft: threads that were left out come in.

use crate::{
    coverage::{Choice, Coverage},
    findings::Findings,
    source::Source,
};
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
