//! Builds the digest from what was found: quotations with their authors and the ids of their messages.
//!
//! Invariant: every statement is a quotation of a message of the window, or of several, and cites it.

use crate::{
    acts::{due_date, poll},
    asked::asked,
    compress::told,
    findings::Findings,
    people::participants,
    source::Source,
    story::{Line, best_sentence, thread_lines},
    thin::thin,
    topics::topics,
    wording,
};
use schemas::{
    ANSWER_MARK, Action, Answer, Claim, ContextMessage, Digest, DigestState, DigestTopic, LinkRef, Mood,
    Quality,
};
use std::collections::{BTreeMap, BTreeSet};
use text::{Noise, noise};

/// A message up to this long is quoted whole: its sentences belong together.
const WHOLE_CHARS_MAX: usize = 200;
const LINKS_MAX: usize = 20;
const TELLING_EMOTIONS: usize = 3;
/// From so many lines on that need no talk around them, the summary has no others, unless people work together: what
/// they state matters to all.
const OPENING_MIN: usize = 3;
/// Lines of the summary that one thread may take where few have any.
const SUMMARY_PER_THREAD: usize = 3;

/// The digest of a window; its quality is not yet judged.
pub(crate) fn compose(state: &DigestState, source: &Source<'_>, findings: &Findings) -> Digest {
    let topics = topics(state, source, findings);
    let said = |sentence| claim(source, findings, sentence);
    let decisions: Vec<Claim> = findings.decisions.iter().map(|found| said(found.sentence)).collect();
    let questions: Vec<Claim> =
        findings.questions.iter().map(|found| asking(source, found.sentence)).collect();
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
        summary: summary(source, findings),
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
        recalls: Vec::new(),
    }
}

/// What the window holds where that is little, else what was decided, else what was talked about.
pub(crate) fn headline(
    state: &DigestState,
    source: &Source<'_>,
    decisions: &[Claim],
    topics: &[DigestTopic],
) -> String {
    let held = thin(state, source).map(|thin| thin.text(&state.language, state.messages.len()));
    let decided: Vec<&str> = decisions.iter().map(|claim| claim.text.as_str()).collect();
    let titles: Vec<&str> = topics.iter().map(|topic| topic.title.as_str()).collect();
    wording::headline(&state.language, held, [&decided, &titles], state.messages.len())
}

/// What matters most of what no list of claims holds: answered questions and telling sentences of different threads.
fn summary(source: &Source<'_>, findings: &Findings) -> Vec<Claim> {
    let threads = 0..source.threads.len();
    let mut lines: Vec<Line> = threads.flat_map(|thread| thread_lines(source, findings, thread)).collect();
    lines.sort_by(|a, b| b.value().total_cmp(&a.value()).then(a.sentence().cmp(&b.sentence())));
    // What was said within a talk is understood below its title; here stand questions, and what opened a talk.
    let opens = |line: &Line| match line {
        Line::Told { sentence, .. } => source.posts[source.sentences[*sentence].post].place == 0,
        Line::Answered { .. } => true,
    };
    if !source.works_together() && lines.iter().filter(|line| opens(line)).count() >= OPENING_MIN {
        lines.retain(opens);
    }
    let threads: BTreeSet<usize> = lines.iter().map(|line| thread_of(source, line)).collect();
    let most = if threads.len() < findings.breadth.lines { SUMMARY_PER_THREAD } else { 1 };
    let mut told: BTreeMap<usize, usize> = BTreeMap::new();
    lines.retain(|line| {
        let count = told.entry(thread_of(source, line)).or_default();
        *count += 1;
        *count <= most
    });
    lines.truncate(findings.breadth.lines);
    lines.sort_by_key(Line::sentence);
    lines.iter().map(|line| line_claim(source, findings, line)).collect()
}

fn thread_of(source: &Source<'_>, line: &Line) -> usize {
    source.posts[source.sentences[line.sentence()].post].thread
}

/// `Author: sentence`, or `Question — Author: answer`, citing its messages.
pub(crate) fn line_claim(source: &Source<'_>, findings: &Findings, line: &Line) -> Claim {
    match *line {
        Line::Told { sentence, .. } => claim(source, findings, sentence),
        Line::Answered { question, answer, .. } => {
            let asked = asked(source, question);
            let answer = claim(source, findings, answer);
            let message_ids = asked.message_ids.into_iter().chain(answer.message_ids).collect();
            Claim { text: format!("{}{ANSWER_MARK}{}", asked.text, answer.text), message_ids }
        }
    }
}

/// `Author: question`, with what it is about.
fn asking(source: &Source<'_>, question: usize) -> Claim {
    let author = source.posts[source.sentences[question].post].message.author_name.as_str();
    let asked = asked(source, question);
    let text = if author.is_empty() { asked.text } else { format!("{author}: {}", asked.text) };
    Claim { text, message_ids: asked.message_ids }
}

/// `Author: sentence`, citing its message.
pub(crate) fn claim(source: &Source<'_>, findings: &Findings, sentence: usize) -> Claim {
    let message = source.posts[source.sentences[sentence].post].message;
    let quote = quotation(source, findings, sentence);
    let text =
        if message.author_name.is_empty() { quote } else { format!("{}: {quote}", message.author_name) };
    Claim { text, message_ids: vec![message.id] }
}

/// The words by which a sentence is quoted, the same wherever it is: decisions, actions and answers with what belongs to
/// them, and what announces something with what it announces.
pub(crate) fn quotation(source: &Source<'_>, findings: &Findings, sentence: usize) -> String {
    let post = source.sentences[sentence].post;
    if let Some(told) = poll::told(source.posts[post].message) {
        return told;
    }
    let whole = findings.decisions.iter().any(|found| found.sentence == sentence)
        || findings.actions.iter().any(|action| action.sentence == sentence)
        || findings.answers.iter().any(|found| found.answers.contains(&post))
        || source.text(&source.sentences[sentence]).trim_end().ends_with(':')
        || source.posts[post].noise.is_none()
            && source.posts[post].message.text.chars().count() <= WHOLE_CHARS_MAX;
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
    let answer = |found: &crate::acts::Answered| {
        let told = |post: &usize| {
            let one = crate::acts::Answered { answers: vec![*post], ..found.clone() };
            best_sentence(source, findings, &one).map(|sentence| claim(source, findings, sentence))
        };
        let answers: Vec<Claim> = found.answers.iter().filter_map(told).collect();
        let question = claim(source, findings, found.sentence);
        (!answers.is_empty()).then_some(Answer { question, answers })
    };
    findings.answers.iter().filter_map(answer).collect()
}

fn actions(state: &DigestState, source: &Source<'_>, findings: &Findings) -> Vec<Action> {
    let zone = state.window.settings.time_zone.as_str();
    let action = |found: &crate::acts::Commitment| {
        let post = source.sentences[found.sentence].post;
        let message = source.posts[post].message;
        let mut message_ids = vec![message.id];
        message_ids.extend(found.acceptance.map(|post| source.posts[post].message.id));
        let owner = found.owner.map(|post| source.posts[post].message.author_name.clone());
        // Words of somebody else than who does it are told as theirs.
        let text = match found.acceptance {
            Some(_) => claim(source, findings, found.sentence).text,
            None => quotation(source, findings, found.sentence),
        };
        Action {
            text,
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

/// Links that people shared, by first mention; those of code, logs and markup are names and endpoints, nothing to read.
fn links(state: &DigestState) -> Vec<LinkRef> {
    let mut order: Vec<&str> = Vec::new();
    let mut ids: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    let shares = |message: &&ContextMessage| {
        !message.is_bot && !matches!(noise(&message.text), Some(Noise::Code | Noise::Log))
    };
    for message in state.messages.iter().filter(shares) {
        let quoted = |url: &str| message.text.contains(&format!("=\"{url}\""));
        for url in message.links.iter().filter(|url| !quoted(url)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    #[test]
    fn what_announces_something_is_quoted_with_it() {
        let messages =
            [message(1, "Ann", "The order of the steps is this:\nfirst the backup, then the restart.")];
        let source = Source::new(&messages, None);
        let findings = Findings::of(&source);
        assert!(source.text(&source.sentences[0]).ends_with(':'));
        let quoted = quotation(&source, &findings, 0);
        assert_eq!(quoted, "The order of the steps is this: first the backup, then the restart.");
    }
}
