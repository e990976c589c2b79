//! The story of a conversation: what was asked with its best answer, else what was told.
//!
//! Invariant: lines are sentences of the conversation's own posts, each once, and none that a list of claims holds.

mod lexis;

use crate::{
    acts::Answered, asked::names_something, findings::Findings, lone::stands, sentence::Sentence,
    source::Source,
};
use lexis::{DANGLING, ELSEWHERE, WANTS_MORE};
use std::collections::BTreeSet;
use text::Noise;

/// Threads of a topic that are told, and questions of a thread.
const THREADS_MAX: usize = 3;
const QUESTIONS_MAX: usize = 3;
/// Least tokens of a sentence that tells something by itself.
const LENGTH_MIN: usize = 4;
/// A thread of so many posts takes no line beside its answered questions.
const SHORT_POSTS: usize = 4;
/// Up to this probability a post that is told may tell nothing; an answer, which its question stands beside, up to the
/// other.
const IDLE_MAX: f64 = 0.25;
const ANSWER_IDLE_MAX: f64 = 0.5;
/// How much less a later sentence of an answer stands for it, by its place.
const LATE: f64 = 0.15;
/// Marks of a line of code within a message.
const CODE: &[&str] = &["{", "(\"", "::", "$.", "->", "()", "))", "</", ".java:", "<br", "&nbsp;"];
/// Most tokens of a request to be shown something.
const WANTING_MAX: usize = 8;

/// A line of a story.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Line {
    /// A sentence that stands for itself.
    Told { sentence: usize, value: f64 },
    /// A question and the sentence that answers it best.
    Answered { question: usize, answer: usize, value: f64 },
}

impl Line {
    /// The sentence that it starts with.
    pub(crate) fn sentence(&self) -> usize {
        match self {
            Self::Told { sentence, .. } => *sentence,
            Self::Answered { question, .. } => *question,
        }
    }

    /// The posts that it quotes.
    fn posts(&self, source: &Source<'_>) -> Vec<usize> {
        let post = |sentence: usize| source.sentences[sentence].post;
        match self {
            Self::Told { sentence, .. } => vec![post(*sentence)],
            Self::Answered { question, answer, .. } => vec![post(*question), post(*answer)],
        }
    }

    /// How much a reader would miss it.
    pub(crate) fn value(&self) -> f64 {
        match self {
            Self::Told { value, .. } | Self::Answered { value, .. } => *value,
        }
    }
}

/// Lines that tell the threads of a topic, largest first, by time.
pub(crate) fn story(source: &Source<'_>, findings: &Findings, threads: &[usize]) -> Vec<Line> {
    let mut lines: Vec<Line> =
        threads.iter().take(THREADS_MAX).flat_map(|thread| thread_lines(source, findings, *thread)).collect();
    lines.sort_by_key(Line::sentence);
    lines
}

/// What a thread tells: its answered questions and its most telling sentences, by time.
pub(crate) fn thread_lines(source: &Source<'_>, findings: &Findings, thread: usize) -> Vec<Line> {
    let listed: BTreeSet<usize> = claimed(findings).collect();
    let size = (1.0 + source.threads[thread].len() as f64).ln();
    let mut answered: Vec<Line> = findings
        .answers
        .iter()
        .filter(|found| source.posts[source.sentences[found.sentence].post].thread == thread)
        .filter_map(|found| {
            let answer = best_sentence(source, findings, found)?;
            let free = !listed.contains(&found.sentence) && !listed.contains(&answer);
            free.then_some(Line::Answered { question: found.sentence, answer, value: found.score * size })
        })
        .collect();
    answered.sort_by(|a, b| b.value().total_cmp(&a.value()).then(a.sentence().cmp(&b.sentence())));
    answered.truncate(QUESTIONS_MAX);
    let mut posts: BTreeSet<usize> = answered.iter().flat_map(|line| line.posts(source)).collect();
    posts.extend(listed.iter().map(|sentence| source.sentences[*sentence].post));
    let first = usize::from(answered.is_empty() || source.threads[thread].len() > SHORT_POSTS);
    let most = first + source.threads[thread].len() / findings.breadth.posts_per_line;
    let beside = told(source, findings, thread, &posts);
    answered.extend(beside.into_iter().take(most));
    answered.sort_by_key(Line::sentence);
    answered
}

/// The telling posts of a thread beside those that are told already, each by the sentence that says most, best first.
fn told(source: &Source<'_>, findings: &Findings, thread: usize, known: &BTreeSet<usize>) -> Vec<Line> {
    let posts = &source.threads[thread];
    let size = (1.0 + posts.len() as f64).ln();
    let telling = |post: usize| findings.telling[post].worth;
    let candidates = posts.iter().copied().filter(|post| {
        source.posts[*post].quotable
            && !known.contains(post)
            && telling(*post) >= findings.breadth.telling_min
    });
    let mut lines: Vec<Line> = candidates
        .filter_map(|post| {
            let sentence = best_alone(source, findings, post)?;
            if source.works_together() {
                return Some(Line::Told { sentence, value: telling(post) * size });
            }
            let stands = stands(source, findings, sentence);
            let value = telling(post) * stands * size;
            (stands >= findings.breadth.stands_min).then_some(Line::Told { sentence, value })
        })
        .collect();
    lines.sort_by(|a, b| b.value().total_cmp(&a.value()).then(a.sentence().cmp(&b.sentence())));
    lines
}

/// The sentence by which a post is told alone: of those that lean on nothing, the one that says most.
pub(crate) fn best_alone(source: &Source<'_>, findings: &Findings, post: usize) -> Option<usize> {
    let worth = |sentence: usize| {
        let told = &source.sentences[sentence];
        let asks = if told.asks { 0.5 } else { 1.0 };
        asks * source.weight(&told.terms) / (told.length as f64 + 8.0).sqrt()
    };
    let sentences = source.posts[post].sentences.clone();
    let telling = sentences.filter(|sentence| stands_alone(source, findings, *sentence));
    telling.max_by(|a, b| worth(*a).total_cmp(&worth(*b)).then(b.cmp(a)))
}

/// The sentence of the best answer that says most, rather one at its start; an answer of two words stands too, for its
/// question stands beside it. What asks back answers nothing.
pub(crate) fn best_sentence(source: &Source<'_>, findings: &Findings, found: &Answered) -> Option<usize> {
    let asked = &source.sentences[found.sentence].terms;
    found.answers.iter().find_map(|post| {
        let sentences = source.posts[*post].sentences.clone();
        let worth = |sentence: usize| {
            let told = &source.sentences[sentence];
            let shared = told.terms.iter().filter(|term| asked.contains(term)).count() as f64;
            let late = 1.0 + LATE * (sentence - sentences.start) as f64;
            (1.0 + 0.3 * shared) * (1.0 + source.weight(&told.terms))
                / (late * (told.length as f64 + 8.0).sqrt())
        };
        let sayable = sentences.clone().filter(|sentence| {
            (found.solved_by == Some(*post) || findings.telling[*post].idle < ANSWER_IDLE_MAX)
                && tells(source, *sentence)
                && !asks_back(source, *sentence)
        });
        sayable.max_by(|a, b| worth(*a).total_cmp(&worth(*b)).then(b.cmp(a)))
    })
}

/// Whether a sentence asks, or wants to be shown something first.
fn asks_back(source: &Source<'_>, sentence: usize) -> bool {
    let found = &source.sentences[sentence];
    found.asks || wants_more(found)
}

fn wants_more(sentence: &Sentence) -> bool {
    sentence.length <= WANTING_MAX && WANTS_MORE.iter().any(|words| sentence.padded.contains(words))
}

/// Sentences that are listed as decisions, open questions or actions.
pub(crate) fn claimed(findings: &Findings) -> impl Iterator<Item = usize> {
    let found = findings.decisions.iter().chain(&findings.questions).map(|found| found.sentence);
    found.chain(findings.actions.iter().map(|action| action.sentence))
}

/// Whether a sentence is understood without those before it, and tells something.
pub(crate) fn stands_alone(source: &Source<'_>, findings: &Findings, sentence: usize) -> bool {
    let found = &source.sentences[sentence];
    let dangles = DANGLING.iter().any(|opener| found.padded.starts_with(opener));
    let code = holds_code(source.text(found));
    let elsewhere = ELSEWHERE.iter().any(|words| found.padded.contains(words));
    !dangles
        && !elsewhere
        && !code
        && !wants_more(found)
        && names_something(source, sentence)
        && found.length >= LENGTH_MIN
        && findings.telling[found.post].idle < IDLE_MAX
        && tells(source, sentence)
}

/// Whether a text has a mark of program text or markup.
pub(crate) fn holds_code(text: &str) -> bool {
    CODE.iter().any(|mark| text.contains(mark))
}

/// Whether neither the sentence nor its message is noise.
pub(crate) fn tells(source: &Source<'_>, sentence: usize) -> bool {
    let found = &source.sentences[sentence];
    let dumped = matches!(
        source.posts[found.post].noise,
        Some(Noise::Code | Noise::Log | Noise::Thanks | Noise::Greeting)
    );
    !dumped && found.noise.is_none()
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
        let text = |sentence: usize| source.text(&source.sentences[sentence]).to_owned();
        let told = |line: &Line| match *line {
            Line::Told { sentence, .. } => vec![text(sentence)],
            Line::Answered { question, answer, .. } => vec![text(question), text(answer)],
        };
        lines.iter().flat_map(told).collect()
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
    fn a_short_thread_is_told_whatever_another_one_decided() {
        let mut messages = [
            message(1, "Ann", "Agreed then: we meet at 17:00 in the hall"),
            message(2, "Bob", "ok"),
            message(
                60,
                "Cid",
                "The backup of the gateway failed last night, the disk was full of old archives",
            ),
        ];
        messages[2].sent_at += 3_600_000;
        let source = Source::new(&messages, None);
        let findings = Findings::of(&source);
        assert_eq!(findings.decisions.len(), 1);
        let lines = thread_lines(&source, &findings, 1);
        assert_eq!(lines.iter().map(|line| source.sentences[line.sentence()].post).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn thanks_and_code_tell_nothing() {
        let messages = [
            message(1, "Ann", "String url = vars.get(\"url\");"),
            message(2, "Bob", "спасибо большое, попробую"),
        ];
        assert!(told(&messages).is_empty());
    }

    #[test]
    fn what_asks_back_is_told_as_no_answer() {
        let messages = [
            message(1, "Ann", "Why does the archive gateway refuse uploads?"),
            message(2, "Bob", "Which version of the gateway?"),
            message(3, "Bob", "show me the log"),
            message(4, "Cid", "The limit of uploads was lowered to 5 MB. Restart is needed after a change."),
        ];
        let source = Source::new(&messages, None);
        let findings = Findings::of(&source);
        let answer = |answers: Vec<usize>| {
            best_sentence(&source, &findings, &Answered { sentence: 0, answers, solved_by: None, score: 1.0 })
        };
        assert_eq!(answer(vec![1, 2]), None);
        assert_eq!(answer(vec![1, 2, 3]), Some(3));
    }

    #[test]
    fn a_line_that_leans_on_another_does_not_stand_alone() {
        let messages = [message(
            1,
            "Ann",
            "The archive gateway refuses uploads. Then it restarts the storage. Storage quotas are set as above. \
             Uploads: setUp(archive.inject(users(100)))",
        )];
        let source = Source::new(&messages, None);
        let findings = Findings::of(&source);
        let stand: Vec<bool> = (0..4).map(|sentence| stands_alone(&source, &findings, sentence)).collect();
        assert_eq!(stand, [true, false, false, false]);
    }
}
