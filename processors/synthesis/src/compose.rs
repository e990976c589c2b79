//! Builds the digest from what was found: quotations with their authors and the ids of their messages.
//!
//! Invariant: every statement is a quotation of a message of the window, or of several, and cites it.

use crate::{
    acts::due_date,
    findings::Findings,
    people::participants,
    source::Source,
    wording::{self, Counts},
};
use schemas::{
    Action, Answer, Claim, Digest, DigestState, DigestThread, DigestTopic, LinkRef, Mood, Quality, Topic,
};
use std::collections::{BTreeMap, BTreeSet};

/// A message up to this long is quoted whole: its sentences belong together.
const WHOLE_CHARS_MAX: usize = 200;
const TOPICS_MAX: usize = 12;
const THREADS_PER_TOPIC_MAX: usize = 8;
/// Messages that make a thread worth a title of its own.
const THREAD_MESSAGES_MIN: usize = 3;
const LINKS_MAX: usize = 20;
const TITLES_IN_HEADLINE: usize = 3;
const TELLING_EMOTIONS: usize = 3;

/// The digest of a window; its quality is not yet judged.
pub(crate) fn compose(state: &DigestState, source: &Source<'_>, findings: &Findings) -> Digest {
    let topics = topics(state, source, findings);
    let said = |sentence| claim(source, findings, sentence);
    let decisions: Vec<Claim> = findings.decisions.iter().map(|found| said(found.sentence)).collect();
    let questions: Vec<Claim> = findings.questions.iter().map(|found| said(found.sentence)).collect();
    let actions: Vec<Action> = actions(state, source, findings);
    let counts = Counts {
        messages: state.messages.len(),
        decisions: decisions.len(),
        questions: questions.len(),
        actions: actions.len(),
    };
    let titles: Vec<String> =
        topics.iter().take(TITLES_IN_HEADLINE).map(|topic| topic.title.clone()).collect();
    let authors: BTreeSet<&str> = state
        .messages
        .iter()
        .filter(|message| !message.is_bot)
        .map(|message| message.author_id.as_str())
        .collect();
    Digest {
        language: state.language.clone(),
        headline: wording::headline(&state.language, &titles, counts),
        summary: findings.summary.iter().map(|sentence| said(*sentence)).collect(),
        topics,
        decisions,
        questions,
        actions,
        mood: mood(state),
        participants: participants(state, source, findings),
        links: links(state),
        message_count: state.messages.len() as i32,
        participant_count: authors.len() as i32,
        quality: Quality::default(),
        answers: answers(source, findings),
        continuity: None,
        weaknesses: Vec::new(),
        claims_dropped: 0,
        facts_struck: 0,
    }
}

/// `Author: sentence`, citing its message.
fn claim(source: &Source<'_>, findings: &Findings, sentence: usize) -> Claim {
    let message = source.posts[source.sentences[sentence].post].message;
    let quote = quotation(source, findings, sentence);
    let text =
        if message.author_name.is_empty() { quote } else { format!("{}: {quote}", message.author_name) };
    Claim { text, message_ids: vec![message.id] }
}

/// The words by which a sentence is quoted, the same wherever it is: decisions and actions with what belongs to them.
pub(crate) fn quotation(source: &Source<'_>, findings: &Findings, sentence: usize) -> String {
    let whole = findings.decisions.iter().any(|found| found.sentence == sentence)
        || findings.actions.iter().any(|action| action.sentence == sentence);
    wording::quote(if whole {
        in_context(source, sentence)
    } else {
        source.text(&source.sentences[sentence])
    })
}

/// The message of a sentence when it is short, else the sentence and as much of what follows as is short.
fn in_context<'a>(source: &Source<'a>, sentence: usize) -> &'a str {
    let found = &source.sentences[sentence];
    let post = &source.posts[found.post];
    let text = post.message.text.as_str();
    if text.chars().count() <= WHOLE_CHARS_MAX {
        return text;
    }
    let short = |end: usize| text[found.range.start..end].chars().count() <= WHOLE_CHARS_MAX;
    let following = source.sentences[sentence..post.sentences.end].iter().map(|sentence| sentence.range.end);
    let end = following.take_while(|end| short(*end)).last().unwrap_or(found.range.end);
    &text[found.range.start..end]
}

/// Questions with their answers; an answer is told by the sentence of its post that says most.
fn answers(source: &Source<'_>, findings: &Findings) -> Vec<Answer> {
    let told = |post: &usize| {
        let sentences = source.posts[*post].sentences.clone();
        let best = sentences.max_by(|a, b| {
            let weight = |sentence: usize| {
                let sentence = &source.sentences[sentence];
                let weight = source.weight(&sentence.terms);
                if sentence.asks { weight / 4.0 } else { weight }
            };
            weight(*a).total_cmp(&weight(*b)).then(b.cmp(a))
        })?;
        Some(claim(source, findings, best))
    };
    let answer = |found: &crate::acts::Answered| Answer {
        question: claim(source, findings, found.sentence),
        answers: found.answers.iter().filter_map(told).collect(),
    };
    findings.answers.iter().map(answer).collect()
}

fn actions(state: &DigestState, source: &Source<'_>, findings: &Findings) -> Vec<Action> {
    let zone = state.window.settings.time_zone.as_str();
    let action = |found: &crate::acts::Commitment| {
        let post = source.sentences[found.sentence].post;
        let message = source.posts[post].message;
        let mut message_ids = vec![message.id];
        message_ids.extend(found.acceptance.map(|post| source.posts[post].message.id));
        let owner = found.owner.map(|post| source.posts[post].message.author_name.clone());
        Action {
            text: quotation(source, findings, found.sentence),
            owner: owner.filter(|name| !name.is_empty()),
            due: found.due.clone().map(|range| message.text[range].to_owned()),
            message_ids,
            due_date: found
                .due
                .clone()
                .and_then(|range| due_date(&message.text[range], message.sent_at, zone))
                .map(|date| date.to_string()),
        }
    };
    findings.actions.iter().map(action).collect()
}

/// Topics as the topic stage found them; without them, one topic per conversation.
fn topics(state: &DigestState, source: &Source<'_>, findings: &Findings) -> Vec<DigestTopic> {
    let found = state.topics.as_ref().map_or(&[][..], |topics| &topics.topics);
    let mut topics: Vec<DigestTopic> = Vec::new();
    let mut placed: BTreeSet<usize> = BTreeSet::new();
    for topic in found.iter().take(TOPICS_MAX) {
        let threads = threads_of(source, topic, &placed);
        placed.extend(&threads);
        let threads = digest_threads(source, findings, &threads);
        if !threads.is_empty() {
            let message_count = topic.message_ids.len() as i32;
            topics.push(DigestTopic {
                title: topic.label.clone(),
                keywords: topic.keywords.clone(),
                message_count,
                threads,
                message_ids: topic.message_ids.clone(),
                story: Vec::new(),
                outcome: None,
            });
        }
    }
    if topics.is_empty() {
        topics = conversations(source, findings);
    }
    topics
}

/// Threads of a topic that no earlier topic has shown, largest first.
fn threads_of(source: &Source<'_>, topic: &Topic, placed: &BTreeSet<usize>) -> Vec<usize> {
    let mut threads: Vec<usize> = topic
        .thread_ids
        .iter()
        .filter_map(|id| source.post(*id).map(|post| post.thread))
        .filter(|thread| !placed.contains(thread))
        .collect();
    threads.sort_unstable_by_key(|thread| (std::cmp::Reverse(source.threads[*thread].len()), *thread));
    threads.dedup();
    threads
}

fn conversations(source: &Source<'_>, findings: &Findings) -> Vec<DigestTopic> {
    let mut threads: Vec<usize> = (0..source.threads.len()).collect();
    threads.sort_unstable_by_key(|thread| (std::cmp::Reverse(source.threads[*thread].len()), *thread));
    let shown = digest_threads(source, findings, &threads).into_iter().take(TOPICS_MAX);
    shown
        .map(|thread| DigestTopic {
            title: thread.title.clone(),
            keywords: Vec::new(),
            message_count: thread.message_count,
            message_ids: thread.message_ids.clone(),
            threads: vec![thread],
            story: Vec::new(),
            outcome: None,
        })
        .collect()
}

/// Threads as they are shown: those of some size, or the first where all are small.
fn digest_threads(source: &Source<'_>, findings: &Findings, threads: &[usize]) -> Vec<DigestThread> {
    let quotable =
        |thread: usize| source.threads[thread].iter().filter(|post| source.posts[**post].quotable).count();
    let shown = |thread: &usize| {
        let claims: Vec<Claim> =
            findings.by_thread[*thread].iter().map(|sentence| claim(source, findings, *sentence)).collect();
        let opening = source.threads[*thread].iter().find(|post| source.posts[**post].quotable)?;
        let title = wording::title(source.text(&source.sentences[source.posts[*opening].sentences.start]));
        let message_count = source.threads[*thread].len() as i32;
        let message_ids = source.threads[*thread].iter().map(|post| source.posts[*post].message.id).collect();
        (!claims.is_empty()).then_some(DigestThread { title, message_count, claims, message_ids })
    };
    let (large, small): (Vec<usize>, Vec<usize>) =
        threads.iter().partition(|thread| quotable(**thread) >= THREAD_MESSAGES_MIN);
    let mut found: Vec<DigestThread> = large.iter().filter_map(shown).take(THREADS_PER_TOPIC_MAX).collect();
    if found.is_empty() {
        found.extend(small.iter().find_map(shown));
    }
    found
}

fn mood(state: &DigestState) -> Mood {
    let Some(emotions) = &state.emotions else {
        let label = "neutral".to_owned();
        return Mood { label, positive: 0.0, negative: 0.0, neutral: 1.0, message_ids: Vec::new() };
    };
    let known: BTreeSet<i64> = state.messages.iter().map(|message| message.id).collect();
    let mut telling: Vec<_> =
        emotions.messages.iter().filter(|emotion| known.contains(&emotion.id)).collect();
    telling.sort_by(|a, b| b.score.abs().total_cmp(&a.score.abs()).then(a.id.cmp(&b.id)));
    Mood {
        label: emotions.label.clone(),
        positive: emotions.positive,
        negative: emotions.negative,
        neutral: emotions.neutral,
        message_ids: telling.iter().take(TELLING_EMOTIONS).map(|emotion| emotion.id).collect(),
    }
}

/// Links that people shared, by first mention.
fn links(state: &DigestState) -> Vec<LinkRef> {
    let mut order: Vec<&str> = Vec::new();
    let mut ids: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for message in state.messages.iter().filter(|message| !message.is_bot) {
        for url in &message.links {
            let found = ids.entry(url).or_default();
            if found.is_empty() {
                order.push(url);
            }
            if found.last() != Some(&message.id) {
                found.push(message.id);
            }
        }
    }
    let link =
        |url: &str| LinkRef { url: url.to_owned(), message_ids: ids.get(url).cloned().unwrap_or_default() };
    order.into_iter().take(LINKS_MAX).map(link).collect()
}
