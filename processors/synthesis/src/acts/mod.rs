//! Speech acts: what a sentence does in its conversation, by families of patterns in Russian and English.
//!
//! Invariant: patterns are common speech; no name, product or topic of any chat occurs in them.

mod action;
mod agreement;
mod answer;
mod asking;
mod code;
mod decision;
mod due;
mod due_date;
mod features;
mod lexis;
mod phrases;
pub(crate) mod poll;
mod promise;
mod question;
mod verb;
mod verb_endings;
mod weights;

pub use action::{Commitment, commitment_candidates, commitment_probability, commitments};
pub use agreement::{agrees, declines_to_answer};
pub use answer::{ANSWER_FEATURES, AnswerFeatures, answer_candidates};
pub use asking::{OPEN_FEATURES, OpenFeatures, QUESTION_FEATURES, QuestionFeatures};
pub use decision::{decision_candidates, decision_probability, decisions};
pub(crate) use due::time_named;
pub(crate) use due_date::due_date;
pub use features::{FEATURES, Features};
pub(crate) use phrases::Family;
pub use phrases::Phrases;
pub(crate) use question::open_candidate;
pub use question::{Answered, Asked, Questions, open_candidates, question_candidates};
pub use verb::Verbs;
pub(crate) use weights::{IDLE, LINE, LONE, TELLING, TITLE, probability, score};

/// How much a window is one of people who work together: four times the share of posts that promise or speak of what
/// "we" do, at most 1.
pub(crate) fn working(source: &crate::source::Source<'_>) -> f64 {
    let cooperates = |sentence: &crate::sentence::Sentence| {
        promise::own_words(sentence, false) > 0.0
            || sentence.phrases.has(Family::WeDo)
            || sentence.verbs.plural
    };
    let posts = source.posts.iter().filter(|post| post.quotable);
    let (mut all, mut some) = (0.0_f64, 0.0_f64);
    for post in posts {
        all += 1.0;
        let sentences = &source.sentences[post.sentences.clone()];
        some += f64::from(u8::from(sentences.iter().any(cooperates)));
    }
    // A window of few posts tells little: four posts of neither kind are added.
    (4.0 * some / (all + 4.0)).min(1.0)
}

/// How a post is said, in [0, 1] each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Manners {
    pub(crate) laughs: f64,
    pub(crate) courtesy: f64,
    pub(crate) we_do: f64,
    pub(crate) code: f64,
}

pub(crate) fn manners(source: &crate::source::Source<'_>, post: &crate::source::Post<'_>) -> Manners {
    let says = |family: Family| {
        let mut sentences = source.sentences[post.sentences.clone()].iter();
        f64::from(u8::from(sentences.any(|sentence| sentence.phrases.has(family))))
    };
    let text = post.message.text.as_str();
    let laughs = lexis::manner::LAUGHS.iter().any(|laugh| text.contains(laugh));
    Manners {
        laughs: f64::from(u8::from(laughs)),
        courtesy: says(Family::Courtesy),
        we_do: says(Family::WeDo),
        code: f64::from(u8::from(code::looks_like_code(text))),
    }
}

/// A sentence and how surely it is what it was looked for as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Index of the sentence.
    pub sentence: usize,
    /// Sum of the pattern weights.
    pub score: f64,
}

/// Whether a padded sentence holds one of the phrases, each given between spaces.
fn has(padded: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| padded.contains(phrase))
}
