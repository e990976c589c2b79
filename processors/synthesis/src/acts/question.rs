//! Open questions: asked in the window and not answered in their thread.

use super::{
    Found,
    agreement::{acknowledges, declines_to_answer},
    has, lexis,
};
use crate::source::{Post, Sentence, Source};

/// Least score of a question worth listing.
const THRESHOLD: f64 = 1.6;
/// Posts of the thread after a question that may answer it without being marked as a reply.
const NEAR_POSTS: usize = 6;
const NEAR_MS: i64 = 3 * 60 * 60 * 1000;
/// A pause after which a post that shares no word with the question speaks of something else.
const AT_ONCE_MS: i64 = 15 * 60 * 1000;
/// Words of a post that can be an answer without more signs of one.
const ANSWER_TOKENS_MIN: usize = 3;

/// Open questions of the window by time, at most one per post.
pub fn open_questions(source: &Source<'_>) -> Vec<Found> {
    let posts = source.posts.iter().enumerate().filter(|(_, post)| post.quotable && !post.message.forwarded);
    posts.filter_map(|(at, post)| open(source, at, post)).collect()
}

fn open(source: &Source<'_>, at: usize, post: &Post<'_>) -> Option<Found> {
    let sentences = &source.sentences[post.sentences.clone()];
    let (number, sentence) = post
        .sentences
        .clone()
        .zip(sentences)
        .filter(|(_, sentence)| asks(source, sentence))
        .max_by(|a, b| worth(a.1).total_cmp(&worth(b.1)).then(b.0.cmp(&a.0)))?;
    let deferred = sentences.iter().any(|sentence| has(&sentence.padded, lexis::question::DEFERRED));
    let mut score = worth(sentence);
    match verdict(source, at) {
        Verdict::Answered if !deferred => return None,
        Verdict::Declined => score += 0.75,
        Verdict::Answered | Verdict::Silent => {}
    }
    if deferred {
        score += 1.0;
    }
    (score >= THRESHOLD).then_some(Found { sentence: number, score })
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

enum Verdict {
    Answered,
    Declined,
    Silent,
}

/// What became of the question that a post asks.
fn verdict(source: &Source<'_>, at: usize) -> Verdict {
    let asked = &source.posts[at];
    let mut declined = false;
    let mut others = 0;
    for (distance, &after) in source.later(at).iter().enumerate() {
        let post = &source.posts[after];
        let replies = post.message.reply_to == Some(asked.message.id);
        let near =
            distance < NEAR_POSTS && post.message.sent_at.saturating_sub(asked.message.sent_at) <= NEAR_MS;
        if !near && !replies {
            continue;
        }
        if source.author(after) == source.author(at) {
            if others > 0 && acknowledges(source, post) {
                return Verdict::Answered;
            }
            continue;
        }
        if !post.quotable {
            continue;
        }
        others += 1;
        if declines_to_answer(source, post) {
            declined = true;
        } else if !declined && answers(source, post, replies || (others == 1 && follows(source, at, after))) {
            return Verdict::Answered;
        }
    }
    if declined { Verdict::Declined } else { Verdict::Silent }
}

/// Whether a post seems to speak to a question before it: at once, or in some of its words.
fn follows(source: &Source<'_>, asked: usize, after: usize) -> bool {
    let pause = source.posts[after].message.sent_at.saturating_sub(source.posts[asked].message.sent_at);
    let terms = &source.posts[asked].terms;
    pause <= AT_ONCE_MS || source.posts[after].terms.iter().any(|term| terms.binary_search(term).is_ok())
}

/// Whether a post can be an answer: a statement of some length, or a plain yes, no or number.
fn answers(source: &Source<'_>, post: &Post<'_>, expected: bool) -> bool {
    let sentences = &source.sentences[post.sentences.clone()];
    let states = sentences.iter().any(|sentence| !sentence.asks && sentence.length >= ANSWER_TOKENS_MIN);
    let brief = sentences.first().is_some_and(|first| {
        super::starts(
            &first.padded,
            &[" yes ", " no ", " yep ", " nope ", " да ", " нет ", " ага ", " не ", " sure "],
        ) || first.padded.chars().any(|c| c.is_ascii_digit())
    });
    expected && (states || brief)
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
