//! Builds the digest from what was found: quotations with their authors and the ids of their messages.
//!
//! Invariant: every statement is a quotation of a message of the window, or of several, and cites it.

use crate::{
    acts::due_date,
    compress::told,
    findings::Findings,
    people::participants,
    source::Source,
    story::{claimed, stands_alone},
    thin::thin,
    topics::topics,
    wording,
};
use schemas::{Action, Answer, Claim, Digest, DigestState, DigestTopic, LinkRef, Mood, Quality};
use std::collections::{BTreeMap, BTreeSet};

/// A message up to this long is quoted whole: its sentences belong together.
const WHOLE_CHARS_MAX: usize = 200;
const LINKS_MAX: usize = 20;
const TELLING_EMOTIONS: usize = 3;
/// Lines of the summary: as many as are read in ten seconds.
const SUMMARY_MIN: usize = 3;
const SUMMARY_MAX: usize = 6;

/// The digest of a window; its quality is not yet judged.
pub(crate) fn compose(state: &DigestState, source: &Source<'_>, findings: &Findings) -> Digest {
    let topics = topics(state, source, findings);
    let said = |sentence| claim(source, findings, sentence);
    let decisions: Vec<Claim> = findings.decisions.iter().map(|found| said(found.sentence)).collect();
    let questions: Vec<Claim> = findings.questions.iter().map(|found| said(found.sentence)).collect();
    let actions: Vec<Action> = actions(state, source, findings);
    let headline = headline(state, source, &decisions, &topics);
    let authors: BTreeSet<&str> = state
        .messages
        .iter()
        .filter(|message| !message.is_bot)
        .map(|message| message.author_id.as_str())
        .collect();
    Digest {
        language: state.language.clone(),
        headline,
        summary: summary(source, findings).into_iter().map(said).collect(),
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

/// What the window holds where that is little, else what was decided, else what was talked about.
fn headline(state: &DigestState, source: &Source<'_>, decisions: &[Claim], topics: &[DigestTopic]) -> String {
    let held = thin(state, source).map(|thin| thin.text(&state.language, state.messages.len()));
    let decided: Vec<&str> = decisions.iter().map(|claim| claim.text.as_str()).collect();
    let titles: Vec<&str> = topics.iter().map(|topic| topic.title.as_str()).collect();
    wording::headline(&state.language, held, [&decided, &titles], state.messages.len())
}

/// Telling sentences that no other list holds, by time: at most six, and three where there are so many.
fn summary(source: &Source<'_>, findings: &Findings) -> Vec<usize> {
    let claimed: BTreeSet<usize> = claimed(findings).collect();
    let fresh = |sentence: &usize| !claimed.contains(sentence) && stands_alone(source, *sentence);
    let value = |sentence: usize| {
        let found = &source.sentences[sentence];
        let asks = if found.asks { 0.5 } else { 1.0 };
        asks * source.weight(&found.terms) / (found.length as f64 + 8.0).sqrt()
    };
    let mut lines: Vec<usize> = findings.summary.iter().copied().filter(fresh).collect();
    let mut others: Vec<usize> = findings.by_thread.iter().flatten().copied().filter(fresh).collect();
    for list in [&mut lines, &mut others] {
        list.sort_by(|a, b| value(*b).total_cmp(&value(*a)).then(a.cmp(b)));
    }
    lines.truncate(SUMMARY_MAX);
    for other in others {
        if lines.len() < SUMMARY_MIN && !lines.contains(&other) {
            lines.push(other);
        }
    }
    lines.sort_unstable();
    lines
}

/// `Author: sentence`, citing its message.
pub(crate) fn claim(source: &Source<'_>, findings: &Findings, sentence: usize) -> Claim {
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
    told(if whole { in_context(source, sentence) } else { source.text(&source.sentences[sentence]) })
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
