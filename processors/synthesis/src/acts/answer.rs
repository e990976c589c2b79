//! Which later posts answer a question: what is known of a pair of posts, weighed by a trained regression.
//!
//! Invariant: a candidate stands after its question; no name, product or subject of any chat is a feature.

use super::{
    agreement::{acknowledges, declines_to_answer, thanks},
    code::looks_like_code,
    phrases::Family,
    weights::{ANSWER, probability},
};
use crate::source::{Post, Source};
use std::collections::BTreeSet;
use text::Noise;

/// Number of features of a pair.
pub const ANSWER_FEATURES: usize = 32;
/// Features of a pair, in the order of [`pair`].
pub type AnswerFeatures = [f64; ANSWER_FEATURES];

/// Posts of the thread after a question that may answer it.
const CANDIDATES_MAX: usize = 40;
/// Posts after a candidate in which the one who asked may take it up.
const TAKEN_UP_WITHIN: usize = 4;

/// Opens a plain yes or no.
pub(super) const BRIEF: &[&str] = &[
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
];
/// Tells that the matter is settled.
pub(super) const SOLVED: &[&str] = &[
    " решил ",
    " решила ",
    " решилось ",
    " нашел ",
    " нашла ",
    " заработало ",
    " заработал ",
    " заработала ",
    " сработало ",
    " помогло ",
    " помог ",
    " помогла ",
    " получилось ",
    " разобрался ",
    " разобралась ",
    " дело было ",
    " проблема была ",
    " оказалось ",
    " оказывается ",
    " found it ",
    " fixed ",
    " solved ",
    " it works ",
    " works now ",
    " turned out ",
    " that worked ",
    " that did it ",
    " did the trick ",
    " решение найдено ",
    " turns out ",
    " figured out ",
];

/// Posts that may answer the question of the post `asked`, with what is known of each.
pub fn answer_candidates(source: &Source<'_>, asked: usize) -> Vec<(usize, AnswerFeatures)> {
    candidates(source, asked).collect()
}

/// Posts that answer, each with the probability that it does, by time.
pub(super) fn judged(source: &Source<'_>, asked: usize) -> Vec<(usize, f64)> {
    candidates(source, asked).map(|(post, features)| (post, probability(&ANSWER[..], &features))).collect()
}

/// The post that solved what was asked, as the asker says: the one that the asker replies to with that, else the last one of
/// somebody else before it.
pub(super) fn solving(source: &Source<'_>, asked: usize) -> Option<usize> {
    let later = source.later(asked);
    let author = source.author(asked);
    let solved = later.iter().rposition(|post| {
        let post = &source.posts[*post];
        post.message.author_id == author
            && says(source, post, Family::Solved)
            && !says(source, post, Family::InVain)
            && !asks(source, post)
    })?;
    match source.posts[later[solved]].message.reply_to {
        Some(id) => source.index(id).filter(|post| later.contains(post) && source.author(*post) != author),
        None => later[..solved].iter().copied().rfind(|post| source.author(*post) != author),
    }
}

fn candidates(source: &Source<'_>, asked: usize) -> impl Iterator<Item = (usize, AnswerFeatures)> {
    let talk = Talk::of(source, asked);
    let later = source.later(asked).iter().take(CANDIDATES_MAX).enumerate();
    later
        .filter(|(_, post)| source.posts[**post].quotable && !thanks(source, &source.posts[**post]))
        .map(move |(place, &post)| (post, talk.pair(source, place, post)))
}

/// A question and the posts of its thread after it.
struct Talk {
    asked: usize,
    later: Vec<usize>,
    /// Posts of the one who asked, from the question on.
    asker: BTreeSet<i64>,
    /// Whether anybody marks a post as a reply to the question.
    replied: bool,
}

impl Talk {
    fn of(source: &Source<'_>, asked: usize) -> Self {
        let id = source.posts[asked].message.id;
        let later: Vec<usize> = source.later(asked).iter().take(CANDIDATES_MAX).copied().collect();
        let own = later.iter().filter(|post| source.author(**post) == source.author(asked));
        let asker = own.map(|post| source.posts[*post].message.id).chain([id]).collect();
        let replied = later.iter().any(|post| source.posts[*post].message.reply_to == Some(id));
        Self { asked, later, asker, replied }
    }

    fn pair(&self, source: &Source<'_>, place: usize, post: usize) -> AnswerFeatures {
        let parts = [
            self.marks(source, place, post),
            self.place(source, place, post),
            words(source, self.asked, post),
        ];
        let mut values = [0.0; ANSWER_FEATURES];
        values[0] = 1.0;
        for (slot, value) in values[1..].iter_mut().zip(parts.into_iter().flatten()) {
            *slot = value;
        }
        values
    }

    /// Whom the candidate replies to, and who takes it up (11).
    fn marks(&self, source: &Source<'_>, place: usize, post: usize) -> Vec<f64> {
        let found = &source.posts[post];
        let asked = &source.posts[self.asked];
        let own = source.author(post) == source.author(self.asked);
        let to_question = found.message.reply_to == Some(asked.message.id);
        let to_asker = found.message.reply_to.is_some_and(|id| self.asker.contains(&id));
        let elsewhere = found.message.reply_to.is_some() && !to_asker;
        let after = self.later[place + 1..].iter().map(|after| &source.posts[*after]);
        let by_asker = |after: &&Post<'_>| after.message.author_id == source.author(self.asked);
        let thanked = after
            .clone()
            .filter(by_asker)
            .any(|after| after.message.reply_to == Some(found.message.id) && takes_up(source, after));
        let taken_up = after.clone().take(TAKEN_UP_WITHIN).find(by_asker).is_some_and(|after| {
            after.message.reply_to.is_none_or(|id| id == found.message.id) && takes_up(source, after)
        });
        let answered_on =
            after.filter(by_asker).any(|after| after.message.reply_to == Some(found.message.id));
        vec![
            flag(to_question && !own),
            flag(to_asker && !to_question && !own),
            flag(elsewhere && !own),
            flag(own),
            flag(own && says(source, found, Family::Solved)),
            flag(thanked && !own),
            flag(taken_up && !own),
            flag(answered_on && !own),
            flag(self.replied && !to_asker),
            flag(source.marks_replies() && found.message.reply_to.is_none()),
            flag(found.message.reactions > 0),
        ]
    }

    /// Where the candidate stands after the question (9).
    fn place(&self, source: &Source<'_>, place: usize, post: usize) -> Vec<f64> {
        let asked = &source.posts[self.asked];
        let found = &source.posts[post];
        let before = &self.later[..place];
        let others =
            before.iter().filter(|before| source.author(**before) != source.author(self.asked)).count();
        let goes_on = before.iter().any(|before| source.author(*before) == source.author(post));
        let asks_between = before.iter().any(|before| {
            source.author(*before) != source.author(self.asked) && asks(source, &source.posts[*before])
        });
        let minutes = found.message.sent_at.saturating_sub(asked.message.sent_at) as f64 / 60_000.0;
        vec![
            flag(post == self.asked + 1),
            flag(others == 0),
            (1.0 + place as f64).ln(),
            (1.0 + minutes.max(0.0)).ln() / 2.0,
            (others as f64 / 4.0).min(2.0),
            flag(goes_on),
            flag(asks_between),
            flag(others == 0 && found.message.reply_to.is_none() && minutes < 15.0),
            flag(self.later.len() < 4),
        ]
    }
}

/// What the candidate says (11).
fn words(source: &Source<'_>, asked: usize, post: usize) -> Vec<f64> {
    let found = &source.posts[post];
    let text = found.message.text.as_str();
    let question = &source.posts[asked].terms;
    let shared: Vec<u32> =
        found.terms.iter().copied().filter(|term| question.binary_search(term).is_ok()).collect();
    let length: usize =
        source.sentences[found.sentences.clone()].iter().map(|sentence| sentence.length).sum();
    let first = source.sentences[found.sentences.clone()].first();
    vec![
        source.weight(&shared) / source.weight(question).max(1.0),
        flag(!shared.is_empty()),
        (found.terms.len() as f64 / 10.0).min(3.0),
        flag(length < 3),
        flag(asks(source, found)),
        flag(!found.message.links.is_empty()),
        flag(looks_like_code(text)),
        flag(first.is_some_and(|first| first.phrases.starts(Family::Brief))),
        flag(declines_to_answer(source, found)),
        flag(matches!(found.noise, Some(Noise::Thanks | Noise::Laugh | Noise::Sticker | Noise::Greeting))),
        flag(says(source, found, Family::Advice) || says(source, found, Family::SecondPerson)),
    ]
}

/// Whether the one who asked thanks, or says that it works.
fn takes_up(source: &Source<'_>, post: &Post<'_>) -> bool {
    acknowledges(source, post) || says(source, post, Family::Solved)
}

fn says(source: &Source<'_>, post: &Post<'_>, family: Family) -> bool {
    source.sentences[post.sentences.clone()].iter().any(|sentence| sentence.phrases.has(family))
}

fn asks(source: &Source<'_>, post: &Post<'_>) -> bool {
    source.sentences[post.sentences.clone()].iter().any(|sentence| sentence.asks)
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
