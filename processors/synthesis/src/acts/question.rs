//! Questions of the window: those that stayed open, and those that were answered, with their answers.
//!
//! Invariant: a question is in one of the two lists at most, and an answer is another person's post, or a later one of
//! the asker that tells the solution.

use super::{
    Found,
    agreement::{acknowledges, declines_to_answer},
    code::looks_like_code,
    has, lexis, starts,
};
use crate::source::{Post, Sentence, Source};

/// Least score of a question worth listing as open.
const THRESHOLD: f64 = 1.5;
/// Least score of a question worth telling with its answer.
const ANSWERED_THRESHOLD: f64 = 1.0;
/// Posts of the thread after a question that may answer it without being marked as a reply.
const NEAR_POSTS: usize = 6;
const NEAR_MS: i64 = 3 * 60 * 60 * 1000;
/// A pause after which a post that shares no word with the question speaks of something else.
const AT_ONCE_MS: i64 = 15 * 60 * 1000;
/// Words of a post that can be an answer without more signs of one.
const ANSWER_TOKENS_MIN: usize = 3;
/// Answers told of one question.
const ANSWERS_MAX: usize = 3;

/// A question and the posts that answer it, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Index of the sentence that asks.
    pub sentence: usize,
    /// Indices of the posts that answer.
    pub answers: Vec<usize>,
    /// How much a reader would want the answer.
    pub score: f64,
}

/// Open questions of the window by time, at most one per post.
pub fn open_questions(source: &Source<'_>) -> Vec<Found> {
    asked(source).filter_map(|(found, deferred)| open(source, found, deferred)).collect()
}

/// Answered questions of the window by time, at most one per post.
pub fn answered_questions(source: &Source<'_>) -> Vec<Answered> {
    asked(source).filter_map(|(found, deferred)| answered(source, found, deferred)).collect()
}

/// The best question of each post, and whether the post itself puts it off.
fn asked<'s>(source: &'s Source<'_>) -> impl Iterator<Item = (Found, bool)> + 's {
    let posts = source.posts.iter().enumerate().filter(|(_, post)| post.quotable && !post.message.forwarded);
    posts.filter_map(|(at, post)| {
        let sentences = &source.sentences[post.sentences.clone()];
        let (number, sentence) = post
            .sentences
            .clone()
            .zip(sentences)
            .filter(|(_, sentence)| asks(source, sentence))
            .max_by(|a, b| worth(a.1).total_cmp(&worth(b.1)).then(b.0.cmp(&a.0)))?;
        let deferred = sentences.iter().any(|sentence| has(&sentence.padded, lexis::question::DEFERRED));
        Some((Found { sentence: number, score: worth(sentence) + standing(source, at, post) }, deferred))
    })
}

fn open(source: &Source<'_>, found: Found, deferred: bool) -> Option<Found> {
    let mut score = found.score;
    match verdict(source, source.sentences[found.sentence].post) {
        Verdict::Answered(_) if !deferred => return None,
        Verdict::Declined => score += 0.75,
        Verdict::Answered(_) | Verdict::Silent => {}
    }
    if deferred {
        score += 1.0;
    }
    (score >= THRESHOLD).then_some(Found { score, ..found })
}

fn answered(source: &Source<'_>, found: Found, deferred: bool) -> Option<Answered> {
    let Verdict::Answered(answers) = verdict(source, source.sentences[found.sentence].post) else {
        return None;
    };
    let kept = !deferred && !answers.is_empty() && found.score >= ANSWERED_THRESHOLD;
    kept.then_some(Answered { sentence: found.sentence, answers, score: found.score })
}

fn asks(source: &Source<'_>, sentence: &Sentence) -> bool {
    sentence.asks
        || text::is_question(source.text(sentence)) && has(&sentence.padded, lexis::question::BROADCAST)
        || has(
            &sentence.padded,
            &[" still don't understand why ", " don't know who ", " don't know why ", " открытый вопрос "],
        )
}

/// How much a reader would want the answer.
fn worth(sentence: &Sentence) -> f64 {
    let padded = sentence.padded.as_str();
    let mut worth = 0.6 + 0.12 * sentence.terms.len().min(8) as f64;
    if has(padded, lexis::question::BROADCAST) {
        worth += 0.7;
    }
    if has(padded, lexis::question::UNSETTLED) {
        worth += 0.6;
    }
    if has(padded, lexis::question::RHETORICAL) || sentence.length < 4 {
        worth -= 0.8;
    }
    worth
}

/// What the place of a question tells: one that opens a talk is asked in earnest, one that answers a question asks back.
fn standing(source: &Source<'_>, at: usize, post: &Post<'_>) -> f64 {
    let mut standing = 0.0;
    let parent = post.message.reply_to.and_then(|id| source.index(id));
    let sentences = &source.sentences[post.sentences.clone()];
    let length: usize = sentences.iter().map(|sentence| sentence.length).sum();
    if parent.is_none() && (length > 20 || post.place == 0) {
        standing += 0.35;
    }
    if parent.is_some_and(|parent| source.author(parent) != source.author(at)) {
        standing -= 0.5;
    }
    if lexis::manner::LAUGHS.iter().any(|laugh| post.message.text.contains(laugh)) {
        standing -= 0.4;
    }
    standing
}

enum Verdict {
    /// By these posts, best first.
    Answered(Vec<usize>),
    Declined,
    Silent,
}

/// What became of the question that a post asks.
fn verdict(source: &Source<'_>, at: usize) -> Verdict {
    let asked = &source.posts[at];
    let mut declined = false;
    let mut others = 0;
    let mut answers = Vec::new();
    for (distance, &after) in source.later(at).iter().enumerate() {
        let post = &source.posts[after];
        let replies = post.message.reply_to == Some(asked.message.id);
        // A post that answers another one by name does not answer this one.
        let elsewhere = post.message.reply_to.is_some_and(|id| id != asked.message.id)
            && !replies_to_author(source, post, source.author(at));
        let near = distance < NEAR_POSTS
            && !elsewhere
            && post.message.sent_at.saturating_sub(asked.message.sent_at) <= NEAR_MS;
        if !near && !replies {
            continue;
        }
        if source.author(after) == source.author(at) {
            if others > 0 && acknowledges(source, post) {
                return Verdict::Answered(answers);
            }
            continue;
        }
        if !post.quotable {
            continue;
        }
        others += 1;
        if declines_to_answer(source, post) {
            declined = true;
        } else if answers_post(source, at, after, replies, !declined && others == 1) {
            answers.push(after);
        }
    }
    if !answers.is_empty() {
        return Verdict::Answered(best_answers(source, at, answers));
    }
    if declined { Verdict::Declined } else { Verdict::Silent }
}

/// Replies first, then the longer ones, by time.
fn best_answers(source: &Source<'_>, at: usize, mut answers: Vec<usize>) -> Vec<usize> {
    let id = source.posts[at].message.id;
    let length = |post: usize| source.posts[post].terms.len().min(12) as f64;
    let score = |post: usize| {
        let replies = source.posts[post].message.reply_to == Some(id);
        length(post)
            + if replies { 6.0 } else { 0.0 }
            + f64::from(source.posts[post].message.reactions.min(3))
    };
    answers.sort_by(|a, b| score(*b).total_cmp(&score(*a)).then(a.cmp(b)));
    answers.truncate(ANSWERS_MAX);
    answers
}

fn replies_to_author(source: &Source<'_>, post: &Post<'_>, author: &str) -> bool {
    let parent = post.message.reply_to.and_then(|id| source.index(id));
    parent.is_some_and(|parent| source.author(parent) == author)
}

fn answers_post(source: &Source<'_>, at: usize, after: usize, replies: bool, first: bool) -> bool {
    let post = &source.posts[after];
    let expected = replies
        || replies_to_author(source, post, source.author(at))
        || (first && follows(source, at, after));
    expected && states(source, post, replies)
}

/// Whether a post seems to speak to a question before it: at once, or in some of its words.
fn follows(source: &Source<'_>, asked: usize, after: usize) -> bool {
    let pause = source.posts[after].message.sent_at.saturating_sub(source.posts[asked].message.sent_at);
    let shares =
        source.posts[asked].terms.iter().any(|term| source.posts[after].terms.binary_search(term).is_ok());
    shares || (pause <= AT_ONCE_MS && after == asked + 1) || (pause <= AT_ONCE_MS && !source.marks_replies())
}

/// Whether a post can be an answer: a statement of some length, a link, or a plain yes, no or number.
fn states(source: &Source<'_>, post: &Post<'_>, replies: bool) -> bool {
    let sentences = &source.sentences[post.sentences.clone()];
    let least = if replies { ANSWER_TOKENS_MIN - 1 } else { ANSWER_TOKENS_MIN };
    let states = sentences.iter().any(|sentence| !asks(source, sentence) && sentence.length >= least);
    let brief = sentences.first().is_some_and(|first| {
        starts(
            &first.padded,
            &[
                " yes ",
                " no ",
                " yep ",
                " nope ",
                " да ",
                " нет ",
                " ага ",
                " не ",
                " sure ",
                " вроде ",
                " никак ",
                " можно ",
                " нельзя ",
            ],
        ) || first.padded.chars().any(|c| c.is_ascii_digit())
    });
    let asks_back =
        sentences.first().is_some_and(|first| asks(source, first)) && !looks_like_code(&post.message.text);
    (states && !(asks_back && sentences.len() == 1)) || brief || !post.message.links.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    fn check(lines: &[(&str, &str)]) -> Vec<usize> {
        let messages: Vec<_> =
            lines.iter().zip(1..).map(|((author, text), id)| message(id, author, text)).collect();
        let source = Source::new(&messages, None);
        open_questions(&source).iter().map(|found| source.sentences[found.sentence].post).collect()
    }

    #[test]
    fn unanswered_and_declined_questions_stay_open() {
        assert_eq!(check(&[("Ann", "does anyone know who keeps the key of the archive room?")]), [0]);
        assert_eq!(
            check(&[("Аня", "кто-нибудь знает, у кого ключ от архива?"), ("Боря", "понятия не имею")]),
            [0]
        );
    }

    #[test]
    fn answered_questions_are_left_out() {
        let chat = [
            ("Ann", "does anyone know who keeps the key of the archive room?"),
            ("Bob", "Cid has it, ask him"),
        ];
        assert!(check(&chat).is_empty());
        let chat = [("Аня", "во сколько завтра открывают зал для репетиции?"), ("Боря", "в 10")];
        assert!(check(&chat).is_empty());
    }

    #[test]
    fn small_talk_is_not_listed() {
        assert!(check(&[("Ann", "how are you?"), ("Bob", "lunch?")]).is_empty());
    }
}
