//! Questions of the window: those that stayed open, and those that were answered, with their answers.
//!
//! Invariant: a question is in one of the two lists at most, and an answer is a later post of its thread.

use super::{
    Found, answer, asking,
    phrases::Family,
    poll::is_form,
    weights::{OPEN, QUESTION, probability},
};
use crate::{compress::only_asks, sentence::Sentence, source::Source};
use std::collections::BTreeSet;

/// Least probability of a question asked in earnest, of one that stayed open, and of an answer.
const EARNEST: f64 = 0.45;
const STAYED_OPEN: f64 = 0.5;
/// How much less is asked where people work together: there an open question waits for one of them.
const AT_WORK: f64 = 0.25;
const ANSWERS: f64 = 0.45;
/// Least probability of an answer that solved the matter, as the asker says.
const SOLVES: f64 = 0.15;
/// Answers told of one question.
const ANSWERS_MAX: usize = 2;

/// A question and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Index of the sentence that asks.
    pub sentence: usize,
    /// Index of its post.
    pub post: usize,
    /// Probability that it is asked in earnest.
    pub earnest: f64,
    /// Later posts of its thread, each with the probability that it answers.
    pub answers: Vec<(usize, f64)>,
    /// The post that solved it, as the asker says.
    pub solved_by: Option<usize>,
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
    /// Which of them solved it, as the asker says.
    pub solved_by: Option<usize>,
    /// How much a reader would want the answer.
    pub score: f64,
}

impl Questions {
    /// Looks for the questions of a window and for their answers; [`Source::questions`] keeps what it finds.
    pub(crate) fn of(source: &Source<'_>) -> Self {
        let asked = question_candidates(source).into_iter().map(|(sentence, features)| {
            let earnest = probability(&QUESTION[..], &features);
            let post = source.sentences[sentence].post;
            let answers = answer::judged(source, post);
            let solved_by = answer::solving(source, post);
            let open = probability(&OPEN[..], &asking::open_features(source, sentence, earnest, &answers));
            Asked { sentence, post, earnest, answers, solved_by, open }
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

    /// Those that were answered. A post stands as the best answer of one question only, the one that it answers most
    /// surely.
    pub fn answered(&self) -> Vec<Answered> {
        let mut found: Vec<Answered> = self.each_answered();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.sentence.cmp(&b.sentence)));
        let mut told: BTreeSet<usize> = BTreeSet::new();
        found.retain_mut(|asked| {
            let free = asked.answers.iter().position(|post| !told.contains(post));
            let Some(free) = free else { return false };
            asked.answers.drain(..free);
            told.insert(asked.answers[0])
        });
        found.sort_by_key(|asked| asked.sentence);
        found
    }

    fn each_answered(&self) -> Vec<Answered> {
        let asking: BTreeSet<usize> =
            self.asked.iter().filter(|asked| asked.earnest >= EARNEST).map(|asked| asked.post).collect();
        let answered = |asked: &Asked| {
            let least = |post: usize| if asked.solved_by == Some(post) { SOLVES } else { ANSWERS };
            let asks = |post: usize| asking.contains(&post) && asked.solved_by != Some(post);
            let mut answers: Vec<(usize, f64)> = asked
                .answers
                .iter()
                .copied()
                .filter(|(post, p)| *p >= least(*post) && !asks(*post))
                .collect();
            let solves = |post: usize| asked.solved_by == Some(post);
            answers
                .sort_by(|a, b| solves(b.0).cmp(&solves(a.0)).then(b.1.total_cmp(&a.1)).then(a.0.cmp(&b.0)));
            answers.truncate(ANSWERS_MAX);
            let best = answers.iter().map(|(_, p)| *p).max_by(f64::total_cmp)?;
            (asked.earnest >= EARNEST && asked.open < self.open_from).then(|| Answered {
                sentence: asked.sentence,
                answers: answers.into_iter().map(|(post, _)| post).collect(),
                solved_by: asked.solved_by,
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

/// What is known of what became of the question of a post, if it asks one.
pub(crate) fn open_candidate(source: &Source<'_>, post: usize) -> Option<asking::OpenFeatures> {
    let asked = source.questions().asked.iter().find(|asked| asked.post == post)?;
    Some(asking::open_features(source, asked.sentence, asked.earnest, &asked.answers))
}

fn asks(source: &Source<'_>, sentence: &Sentence) -> bool {
    let text = source.text(sentence);
    let unmarked = || text::is_question(text) && !calls_on(text);
    (sentence.asks || unmarked() || sentence.phrases.has(Family::Deferred)) && !only_asks(text)
}

/// "кто идёт, берите фонарики": whoever is meant, and after the comma what they are to do, unless that is to tell.
fn calls_on(text: &str) -> bool {
    const TO_TELL: &[&str] =
        &["подскаж", "скаж", "расскаж", "посовет", "помог", "напиш", "ответ", "объясн", "поделит", "пиш"];
    let Some((_, after)) = text.split_once(',') else { return false };
    let next = after.split_whitespace().next().unwrap_or_default().to_lowercase();
    let tells = TO_TELL.iter().any(|stem| next.starts_with(stem));
    !text.contains('?') && !tells && (next.ends_with("ите") || next.ends_with("йте"))
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

    #[test]
    fn a_call_on_whoever_is_meant_asks_nothing() {
        assert!(calls_on("кто идёт, берите фонарики, темнеет быстро"));
        assert!(calls_on("кто не сдал, сдавайте сегодня"));
        assert!(!calls_on("кто знает, подскажите пароль от сарая"));
        assert!(!calls_on("кто идёт, берите фонарики, взяли?"));
        assert!(!calls_on("кто берёт фонарики"));
    }

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
    fn thanks_for_something_else_answer_nothing() {
        let chat = [
            ("Ann", "Could somebody repair the water pump before that?"),
            ("Cem", "The water pump works again since this morning."),
            ("Ann", "Does the insurance cover the new tool shed?"),
            ("Bo", "Thanks for the water pump!"),
        ];
        let messages: Vec<_> =
            chat.iter().zip(1..).map(|((author, text), id)| message(id, author, text)).collect();
        let source = Source::new(&messages, None);
        let answered = Questions::of(&source).answered();
        assert!(answered.iter().all(|asked| !asked.answers.contains(&3)), "{answered:?}");
    }

    #[test]
    fn what_solved_it_stands_before_what_was_guessed() {
        let mut messages: Vec<_> = [
            ("Ann", "How does one send a parameter with a hash sign through the gateway?"),
            ("Bob", "Look for url encoding of the parameter"),
            ("Cid", "Put it into the body of the request then"),
            ("Ann", "yes, through the body it turned out well"),
            ("Bob", "good"),
        ]
        .into_iter()
        .zip(1..)
        .map(|((author, text), id)| message(id, author, text))
        .collect();
        messages[1].reply_to = Some(1);
        messages[2].reply_to = Some(1);
        let first = |messages: &[schemas::ContextMessage]| {
            let source = Source::new(messages, None);
            Questions::of(&source).answered().first().map(|found| (found.answers[0], found.solved_by))
        };
        messages[3].reply_to = Some(3);
        assert_eq!(first(&messages), Some((2, Some(2))));
        messages[3].text = "it did not turn out well, it doesn't work".to_owned();
        assert_eq!(first(&messages).map(|found| found.1), Some(None));
    }

    #[test]
    fn small_talk_is_not_listed() {
        assert!(check(&[("Ann", "how are you?"), ("Bob", "lunch?")]).is_empty());
    }
}
