//! The story of a topic: what was asked, the best answer, else what was told.
//!
//! Invariant: lines are sentences of the topic's own posts, each once, and none that another list of the digest holds.

use crate::{findings::Findings, source::Source};
use std::collections::BTreeSet;
use text::{Noise, noise};

/// Threads of a topic that are told, and lines of one.
const THREADS_MAX: usize = 2;
/// Posts at the start of a thread where its question is looked for, and later ones where its answer is.
const OPENING_POSTS: usize = 4;
const ANSWERING_POSTS: usize = 24;
const LENGTH_MIN: usize = 4;

/// A line that starts so speaks of what stood before it.
const DANGLING: &[&str] = &[
    " это ",
    " этот ",
    " эта ",
    " эти ",
    " он ",
    " она ",
    " оно ",
    " они ",
    " его ",
    " ее ",
    " их ",
    " там ",
    " тогда ",
    " так ",
    " тоже ",
    " да ",
    " нет ",
    " а ",
    " но ",
    " и ",
    " or ",
    " that ",
    " that's ",
    " it ",
    " it's ",
    " this ",
    " those ",
    " these ",
    " they ",
    " he ",
    " she ",
    " there ",
    " then ",
    " so ",
    " yes ",
    " no ",
    " same ",
    " but ",
    " and ",
    " which ",
];

/// Sentences that tell a topic, by time. `threads` are its threads, largest first.
pub(crate) fn story(source: &Source<'_>, findings: &Findings, threads: &[usize]) -> Vec<usize> {
    let listed: BTreeSet<usize> = claimed(findings).collect();
    let mut lines = Vec::new();
    for thread in threads.iter().take(THREADS_MAX) {
        let told = match asked(source, *thread) {
            Some((question, Some(answer))) => vec![question, answer],
            Some((question, None)) if source.threads[*thread].len() == 1 => vec![question],
            _ => statements(source, &findings.by_thread[*thread]),
        };
        lines.extend(told.into_iter().filter(|line| !listed.contains(line)));
    }
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Sentences that are listed as decisions, open questions or actions.
pub(crate) fn claimed(findings: &Findings) -> impl Iterator<Item = usize> {
    let found = findings.decisions.iter().chain(&findings.questions).map(|found| found.sentence);
    found.chain(findings.actions.iter().map(|action| action.sentence))
}

/// Telling sentences that stand on their own.
fn statements(source: &Source<'_>, telling: &[usize]) -> Vec<usize> {
    telling.iter().copied().filter(|sentence| stands_alone(source, *sentence)).collect()
}

/// Whether a sentence is understood without those before it, and tells something.
pub(crate) fn stands_alone(source: &Source<'_>, sentence: usize) -> bool {
    let found = &source.sentences[sentence];
    let opens = source.posts[found.post].sentences.start == sentence;
    let dangles = opens && DANGLING.iter().any(|opener| found.padded.starts_with(opener));
    !dangles && tells(source, sentence)
}

/// Whether neither the sentence nor its message is noise.
pub(crate) fn tells(source: &Source<'_>, sentence: usize) -> bool {
    let found = &source.sentences[sentence];
    let message = &source.posts[found.post].message.text;
    let dumped = matches!(noise(message), Some(Noise::Code | Noise::Log | Noise::Thanks | Noise::Greeting));
    !dumped && noise(source.text(found)).is_none()
}

/// The question that a thread opens with, and its best answer.
pub(crate) fn asked(source: &Source<'_>, thread: usize) -> Option<(usize, Option<usize>)> {
    let posts = &source.threads[thread];
    let opening = posts.iter().take(OPENING_POSTS).filter(|post| source.posts[**post].quotable);
    let question = opening
        .flat_map(|post| source.posts[*post].sentences.clone())
        .filter(|sentence| asks(source, *sentence))
        .max_by(|a, b| worth(source, *a).total_cmp(&worth(source, *b)).then(b.cmp(a)))?;
    Some((question, answer(source, question)))
}

fn asks(source: &Source<'_>, sentence: usize) -> bool {
    let found = &source.sentences[sentence];
    (found.asks || text::is_question(source.text(found)))
        && found.length >= LENGTH_MIN
        && tells(source, sentence)
}

fn worth(source: &Source<'_>, sentence: usize) -> f64 {
    let found = &source.sentences[sentence];
    let first = if source.posts[found.post].place == 0 { 1.6 } else { 1.0 };
    first * source.weight(&found.terms) / (found.length as f64 + 8.0).sqrt()
}

/// The sentence of others that answers best: a reply, taken up by the one who asked, about the same things.
fn answer(source: &Source<'_>, question: usize) -> Option<usize> {
    let asked = &source.sentences[question];
    let asker = source.author(asked.post);
    let id = source.posts[asked.post].message.id;
    let later = &source.later(asked.post)[..source.later(asked.post).len().min(ANSWERING_POSTS)];
    let mut best: Option<(f64, usize)> = None;
    for (distance, post) in later.iter().enumerate() {
        let found = &source.posts[*post];
        if !found.quotable || source.author(*post) == asker {
            continue;
        }
        let thanked = later.iter().any(|after| {
            let after = &source.posts[*after].message;
            after.author_id == asker
                && after.reply_to == Some(found.message.id)
                && noise(&after.text) == Some(Noise::Thanks)
        });
        let factor = 1.0
            + if found.message.reply_to == Some(id) { 1.0 } else { 0.0 }
            + if thanked { 1.0 } else { 0.0 }
            + 0.6 / (distance as f64 + 1.0);
        for sentence in found.sentences.clone().filter(|sentence| answers(source, *sentence)) {
            let told = &source.sentences[sentence];
            let shared = told.terms.iter().filter(|term| asked.terms.contains(term)).count();
            let score = factor * (1.0 + 0.3 * shared as f64) * (1.0 + source.weight(&told.terms))
                / (told.length as f64 + 8.0).sqrt();
            if best.is_none_or(|(known, _)| score > known) {
                best = Some((score, sentence));
            }
        }
    }
    best.map(|(_, sentence)| sentence)
}

fn answers(source: &Source<'_>, sentence: usize) -> bool {
    let found = &source.sentences[sentence];
    let yes = found.padded.starts_with(" yes ")
        || found.padded.starts_with(" да ")
        || found.padded.starts_with(" no ")
        || found.padded.starts_with(" нет ");
    !found.asks
        && (found.length >= LENGTH_MIN - 1 || yes)
        && !found.terms.is_empty()
        && tells(source, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;
    use schemas::ContextMessage;

    fn told(messages: &[ContextMessage]) -> Vec<String> {
        let source = Source::new(messages, None);
        let mut findings = Findings::of(&source);
        findings.decisions.clear();
        findings.questions.clear();
        findings.actions.clear();
        let lines = story(&source, &findings, &[0]);
        lines.iter().map(|line| source.text(&source.sentences[*line]).to_owned()).collect()
    }

    #[test]
    fn the_answer_stands_beside_its_question() {
        let mut messages = [
            message(1, "Ann", "Does the gateway restart at noon?"),
            message(2, "Bob", "I had soup today, by the way"),
            message(3, "Cid", "Yes, at noon, after the backup."),
            message(4, "Ann", "thanks!"),
        ];
        messages[2].reply_to = Some(1);
        messages[3].reply_to = Some(3);
        assert_eq!(told(&messages), ["Does the gateway restart at noon?", "Yes, at noon, after the backup."]);
    }

    #[test]
    fn thanks_and_code_tell_nothing() {
        let messages = [
            message(1, "Ann", "String url = vars.get(\"url\");"),
            message(2, "Bob", "спасибо большое, попробую"),
        ];
        assert!(told(&messages).is_empty());
    }
}
