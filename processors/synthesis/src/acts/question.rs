//! Questions of the window: those that stayed open, and those that were answered, with their answers.
//!
//! Invariant: a question is in one of the two lists at most, and an answer is a later post of its thread.

use super::{
    Found, answer, asking,
    phrases::Family,
    poll::is_form,
    weights::{OPEN, QUESTION, probability},
};
use crate::{sentence::Sentence, source::Source};

/// Least probability of a question asked in earnest, of one that stayed open, and of an answer.
const EARNEST: f64 = 0.45;
const STAYED_OPEN: f64 = 0.5;
/// How much less is asked where people work together: there an open question waits for one of them.
const AT_WORK: f64 = 0.25;
const ANSWERS: f64 = 0.45;
/// Answers told of one question.
const ANSWERS_MAX: usize = 2;

/// A question and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Index of the sentence that asks.
    pub sentence: usize,
    /// Probability that it is asked in earnest.
    pub earnest: f64,
    /// Later posts of its thread, each with the probability that it answers.
    pub answers: Vec<(usize, f64)>,
    /// Probability that nobody answered it.
    pub open: f64,
}

/// The questions of a window, by time, at most one per post.
#[derive(Debug, Clone, PartialEq)]
pub struct Questions {
    /// All that ask, in earnest or not.
    pub asked: Vec<Asked>,
    /// From this probability on one stayed open.
    open_from: f64,
}

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

impl Questions {
    /// Looks for the questions of a window and for their answers; [`Source::questions`] keeps what it finds.
    pub(crate) fn of(source: &Source<'_>) -> Self {
        let asked = question_candidates(source).into_iter().map(|(sentence, features)| {
            let earnest = probability(&QUESTION[..], &features);
            let answers = answer::judged(source, source.sentences[sentence].post);
            let open = probability(&OPEN[..], &asking::open_features(source, sentence, earnest, &answers));
            Asked { sentence, earnest, answers, open }
        });
        Self {
            asked: asked.collect(),
            open_from: STAYED_OPEN - if source.works_together() { AT_WORK } else { 0.0 },
        }
    }

    /// Those that nobody answered.
    pub fn open(&self) -> Vec<Found> {
        let open = self.asked.iter().filter(|asked| asked.open >= self.open_from);
        open.map(|asked| Found { sentence: asked.sentence, score: asked.open }).collect()
    }

    /// Those that were answered.
    pub fn answered(&self) -> Vec<Answered> {
        let answered = |asked: &Asked| {
            let mut answers: Vec<(usize, f64)> =
                asked.answers.iter().copied().filter(|(_, p)| *p >= ANSWERS).collect();
            answers.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            answers.truncate(ANSWERS_MAX);
            let best = answers.first().map(|(_, p)| *p)?;
            (asked.earnest >= EARNEST && asked.open < self.open_from).then(|| Answered {
                sentence: asked.sentence,
                answers: answers.into_iter().map(|(post, _)| post).collect(),
                score: asked.earnest * best,
            })
        };
        self.asked.iter().filter_map(answered).collect()
    }
}

/// The best question of each post, with what is known of it.
pub fn question_candidates(source: &Source<'_>) -> Vec<(usize, asking::QuestionFeatures)> {
    let posts = source.posts.iter().filter(|post| post.quotable && !post.message.forwarded);
    posts
        .filter(|post| !is_form(post.message))
        .filter_map(|post| {
            let asking = post.sentences.clone().filter(|number| asks(source, &source.sentences[*number]));
            asking.max_by(|a, b| {
                let worth = |number: usize| worth(&source.sentences[number]);
                worth(*a).total_cmp(&worth(*b)).then(b.cmp(a))
            })
        })
        .map(|sentence| (sentence, asking::features(source, sentence)))
        .collect()
}

/// Questions with what is known of what became of them.
pub fn open_candidates(source: &Source<'_>) -> Vec<(usize, asking::OpenFeatures)> {
    let asked = source.questions().asked.iter();
    asked
        .map(|asked| {
            let features = asking::open_features(source, asked.sentence, asked.earnest, &asked.answers);
            (asked.sentence, features)
        })
        .collect()
}

fn asks(source: &Source<'_>, sentence: &Sentence) -> bool {
    sentence.asks || text::is_question(source.text(sentence)) || sentence.phrases.has(Family::Deferred)
}

/// Which of the questions of one post says most.
fn worth(sentence: &Sentence) -> f64 {
    let terms = 0.12 * sentence.terms.len().min(8) as f64;
    let mark = if sentence.asks { 0.4 } else { 0.0 };
    let wanted = sentence.phrases.has(Family::Broadcast) || sentence.phrases.has(Family::Unsettled);
    terms + mark + if wanted { 0.6 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    fn check(lines: &[(&str, &str)]) -> Vec<usize> {
        let messages: Vec<_> =
            lines.iter().zip(1..).map(|((author, text), id)| message(id, author, text)).collect();
        let source = Source::new(&messages, None);
        Questions::of(&source).open().iter().map(|found| source.sentences[found.sentence].post).collect()
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
