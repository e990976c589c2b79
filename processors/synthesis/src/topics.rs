//! Topics of a digest: titled, told and put in the order of what matters.
//!
//! Invariant: no thread is shown in two topics; what nobody can be told about is left out.

use crate::{
    compose::{claim, line_claim},
    compress::fit,
    findings::Findings,
    source::Source,
    story::{stands_alone, story},
    title::title,
};
use schemas::{Claim, Digest, DigestState, DigestThread, DigestTopic, Topic, topic_outcome};
use std::{cmp::Reverse, collections::BTreeSet};

const TOPICS_MAX: usize = 12;
const THREADS_PER_TOPIC_MAX: usize = 8;
/// Messages that make a thread worth a title of its own.
const THREAD_MESSAGES_MIN: usize = 3;
const TITLE_CHARS_MAX: usize = 70;

/// Topics as the topic stage found them; without them, one topic per conversation.
pub(crate) fn topics(state: &DigestState, source: &Source<'_>, findings: &Findings) -> Vec<DigestTopic> {
    let found = state.topics.as_ref().map_or(&[][..], |topics| &topics.topics);
    let mut topics: Vec<DigestTopic> = Vec::new();
    let mut placed: BTreeSet<usize> = BTreeSet::new();
    for topic in found.iter().take(TOPICS_MAX) {
        let threads = threads_of(source, topic, &placed);
        placed.extend(&threads);
        let keyword = topic.keywords.first().map(String::as_str);
        let drafted = drafted(source, findings, &threads, (&topic.message_ids, keyword));
        topics.extend(drafted.map(|draft| DigestTopic { keywords: topic.keywords.clone(), ..draft }));
    }
    if topics.is_empty() {
        topics = conversations(source, findings);
    }
    let mut titles = BTreeSet::new();
    for topic in &mut topics {
        // Topics that share a thread's words may choose the same clause; the later one then takes its thread's.
        if let Some(thread) = topic.threads.first().filter(|_| titles.contains(&topic.title)) {
            topic.title.clone_from(&thread.title);
        }
        titles.insert(topic.title.clone());
    }
    sort(&mut topics);
    topics
}

/// By what matters, then by size.
fn sort(topics: &mut [DigestTopic]) {
    topics.sort_by_key(|topic| (Reverse(rank(topic.outcome.as_deref())), Reverse(topic.message_count)));
}

/// Says again what came out of each topic, by what the digest claims, and puts them in order.
pub(crate) fn settle(digest: &mut Digest) {
    let of = |claims: &[Claim]| -> BTreeSet<i64> {
        claims.iter().flat_map(|claim| &claim.message_ids).copied().collect()
    };
    let (decided, open) = (of(&digest.decisions), of(&digest.questions));
    let planned: BTreeSet<i64> =
        digest.actions.iter().flat_map(|action| &action.message_ids).copied().collect();
    let answered: BTreeSet<i64> =
        digest.answers.iter().flat_map(|answer| &answer.question.message_ids).copied().collect();
    let outcomes = [
        (topic_outcome::DECIDED, decided),
        (topic_outcome::PLANNED, planned),
        (topic_outcome::OPEN, open),
        (topic_outcome::ANSWERED, answered),
    ];
    for topic in &mut digest.topics {
        let came = |ids: &BTreeSet<i64>| topic.message_ids.iter().any(|id| ids.contains(id));
        let outcome = outcomes.iter().find(|(_, ids)| came(ids));
        topic.outcome = outcome.map(|(outcome, _)| (*outcome).to_owned());
    }
    sort(&mut digest.topics);
}

/// What came out of a topic, as its place in the digest.
fn rank(outcome: Option<&str>) -> u8 {
    match outcome {
        Some(topic_outcome::DECIDED) => 4,
        Some(topic_outcome::PLANNED) => 3,
        Some(topic_outcome::ANSWERED) => 2,
        Some(topic_outcome::OPEN) => 1,
        _ => 0,
    }
}

/// A topic of threads, largest first; none where nothing in them has a subject.
fn drafted(
    source: &Source<'_>,
    findings: &Findings,
    threads: &[usize],
    (message_ids, keyword): (&[i64], Option<&str>),
) -> Option<DigestTopic> {
    if threads.is_empty() {
        return None;
    }
    let posts: Vec<usize> = message_ids.iter().filter_map(|id| source.index(*id)).collect();
    let lines = story(source, findings, threads);
    let named = title(source, findings, &posts);
    let told = lines.first().map(|line| source.text(&source.sentences[line.sentence()]));
    let title = named.or_else(|| told.and(keyword).or(told).map(|text| fit(text, TITLE_CHARS_MAX)))?;
    Some(DigestTopic {
        title,
        keywords: Vec::new(),
        message_count: message_ids.len() as i32,
        threads: digest_threads(source, findings, threads),
        message_ids: message_ids.to_vec(),
        story: lines.iter().map(|line| line_claim(source, findings, line)).collect(),
        outcome: outcome(source, findings, threads).map(str::to_owned),
    })
}

/// The weightiest thing that came out of the threads.
fn outcome(source: &Source<'_>, findings: &Findings, threads: &[usize]) -> Option<&'static str> {
    let within = |sentence: usize| threads.contains(&source.posts[source.sentences[sentence].post].thread);
    let answered = findings.answers.iter().any(|found| within(found.sentence));
    if findings.decisions.iter().any(|found| within(found.sentence)) {
        Some(topic_outcome::DECIDED)
    } else if findings.actions.iter().any(|action| within(action.sentence)) {
        Some(topic_outcome::PLANNED)
    } else if findings.questions.iter().any(|found| within(found.sentence)) {
        Some(topic_outcome::OPEN)
    } else {
        answered.then_some(topic_outcome::ANSWERED)
    }
}

/// Threads of a topic that no earlier topic has shown, largest first.
fn threads_of(source: &Source<'_>, topic: &Topic, placed: &BTreeSet<usize>) -> Vec<usize> {
    let mut threads: Vec<usize> = topic
        .thread_ids
        .iter()
        .filter_map(|id| source.post(*id).map(|post| post.thread))
        .filter(|thread| !placed.contains(thread))
        .collect();
    threads.sort_unstable_by_key(|thread| (Reverse(source.threads[*thread].len()), *thread));
    threads.dedup();
    threads
}

fn conversations(source: &Source<'_>, findings: &Findings) -> Vec<DigestTopic> {
    let mut threads: Vec<usize> = (0..source.threads.len()).collect();
    threads.sort_unstable_by_key(|thread| (Reverse(source.threads[*thread].len()), *thread));
    let topic = |thread: &usize| {
        let ids: Vec<i64> = ids(source, *thread);
        drafted(source, findings, &[*thread], (&ids, None))
    };
    threads.iter().filter_map(topic).take(TOPICS_MAX).collect()
}

fn ids(source: &Source<'_>, thread: usize) -> Vec<i64> {
    source.threads[thread].iter().map(|post| source.posts[*post].message.id).collect()
}

/// Threads as they are shown: those of some size, or the first where all are small.
fn digest_threads(source: &Source<'_>, findings: &Findings, threads: &[usize]) -> Vec<DigestThread> {
    let quotable =
        |thread: usize| source.threads[thread].iter().filter(|post| source.posts[**post].quotable).count();
    let shown = |thread: &usize| {
        let telling =
            findings.by_thread[*thread].iter().filter(|sentence| stands_alone(source, findings, **sentence));
        let claims: Vec<Claim> = telling.map(|sentence| claim(source, findings, *sentence)).collect();
        let message_ids = ids(source, *thread);
        let title = title(source, findings, &source.threads[*thread])?;
        Some(DigestThread { title, message_count: message_ids.len() as i32, claims, message_ids })
    };
    let (large, small): (Vec<usize>, Vec<usize>) =
        threads.iter().partition(|thread| quotable(**thread) >= THREAD_MESSAGES_MIN);
    let mut found: Vec<DigestThread> = large.iter().filter_map(shown).take(THREADS_PER_TOPIC_MAX).collect();
    if found.is_empty() {
        found.extend(small.iter().find_map(shown));
    }
    found
}
