//! Actions: what somebody takes upon himself, or takes on when asked.
//!
//! Invariant: an owner is the author of a promise, or the one who accepted a request; a request that nobody accepts is
//! an action without owner only when it names a need of the group.

use super::{
    Features, Found,
    agreement::agrees,
    features::features,
    phrases::Family,
    poll::is_form,
    promise::{names_companion, own_words},
    weights,
};
use crate::{
    sentence::Sentence,
    source::{Post, Source},
};
use std::ops::Range;

/// Least score of a candidate.
const THRESHOLD: f64 = 2.0;
/// Least probability of a promise, and of a request that another person accepted.
const CERTAIN: f64 = 0.6;
const CERTAIN_ACCEPTED: f64 = 0.35;
/// Posts after a request among which its acceptance is looked for.
const ACCEPTED_WITHIN: usize = 4;

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Commitment {
    /// Index of the sentence that says what.
    pub sentence: usize,
    /// Index of the post whose author does it.
    pub owner: Option<usize>,
    /// Index of the post that accepts, when it is another than that of the sentence.
    pub acceptance: Option<usize>,
    /// Bytes of the message's text that say when.
    pub due: Option<Range<usize>>,
    /// Sum of the pattern weights.
    pub score: f64,
}

/// Actions of the window by time, at most one per post.
pub fn commitments(source: &Source<'_>) -> Vec<Commitment> {
    let judged = commitment_candidates(source).into_iter().map(|(found, features)| Commitment {
        score: weights::probability(&weights::ACTION[..], &features),
        ..found
    });
    let certain = |found: &Commitment| if found.acceptance.is_some() { CERTAIN_ACCEPTED } else { CERTAIN };
    judged.filter(|found| found.score >= certain(found)).collect()
}

/// Probability that a candidate is a commitment; one that another person accepted needs less to be certain, and is given
/// as much more.
pub fn commitment_probability(features: &Features, accepted: bool) -> f64 {
    let p = weights::probability(&weights::ACTION[..], features);
    if accepted { (p * CERTAIN / CERTAIN_ACCEPTED).min(1.0) } else { p }
}

/// What may be promised or asked for and accepted, with what is known of it.
pub fn commitment_candidates(source: &Source<'_>) -> Vec<(Commitment, Features)> {
    let known = |found: Commitment| {
        let sentence = Found { sentence: found.sentence, score: found.score };
        let features = features(source, sentence, found.acceptance.is_some());
        (found, features)
    };
    candidates(source).into_iter().map(known).collect()
}

fn candidates(source: &Source<'_>) -> Vec<Commitment> {
    let mut found: Vec<Commitment> = Vec::new();
    for (at, post) in source.posts.iter().enumerate() {
        if !post.quotable || post.message.forwarded || is_form(post.message) {
            continue;
        }
        let best = post
            .sentences
            .clone()
            .filter_map(|number| promise(source, at, number).or_else(|| request(source, at, number)))
            .max_by(|a, b| a.score.total_cmp(&b.score).then(b.sentence.cmp(&a.sentence)));
        // A promise that only accepts a request already listed is part of that.
        let listed = found.iter().any(|earlier| earlier.acceptance == Some(at));
        found.extend(best.filter(|best| !listed || best.score > THRESHOLD + 1.0));
    }
    found
}

/// With these words another time holds than the one before them.
const TAKEN_BACK: &[&str] = &["хотя нет", "или нет", "actually no", "scratch that"];

/// The time that a sentence names, unless it is taken back, or that is when it is not to be: "not in the week of the tournament".
fn due(source: &Source<'_>, sentence: &Sentence) -> Option<Range<usize>> {
    let time = sentence.time.clone()?;
    let before = &source.posts[sentence.post].message.text[..time.start];
    let word = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
    let is_negated = ["not", "never", "не", "ни"].contains(&text::fold(word).as_str());
    let after = text::fold(
        source.posts[sentence.post].message.text[time.end..].trim_start_matches(['.', '…', ',', ' ']),
    );
    let taken_back = TAKEN_BACK.iter().any(|words| after.starts_with(words));
    (!is_negated && !taken_back).then_some(time)
}

fn promise(source: &Source<'_>, at: usize, number: usize) -> Option<Commitment> {
    let sentence = &source.sentences[number];
    let due = due(source, sentence);
    let mut score = own_words(sentence, due.is_some());
    if due.is_some() && names_companion(source.text(sentence)) && sentence.verbs.plural {
        score += 1.5;
    }
    if score <= 0.0 {
        return None;
    }
    if due.is_some() {
        score += 0.75;
    }
    if sentence.length >= 5 {
        score += 0.25;
    }
    if sentence.asks {
        score -= 1.5;
    }
    if sentence.phrases.has(Family::NoPromise) || sentence.phrases.has(Family::NotNow) {
        score -= 2.0;
    }
    (score >= THRESHOLD).then_some(Commitment {
        sentence: number,
        owner: Some(at),
        acceptance: None,
        due,
        score,
    })
}

fn request(source: &Source<'_>, at: usize, number: usize) -> Option<Commitment> {
    let sentence = &source.sentences[number];
    let asked = sentence.phrases.has(Family::Requested) || sentence.padded.contains(" @");
    if asked
        && sentence.length >= 4
        && (sentence.asks || !forbids(&sentence.padded))
        && !promises_too(source, at)
        && let Some((acceptance, score)) = acceptance(source, at)
    {
        let due = due(source, sentence);
        return Some(Commitment {
            sentence: number,
            owner: Some(acceptance),
            acceptance: Some(acceptance),
            due,
            score,
        });
    }
    let need = sentence.phrases.has(Family::Unowned) && !sentence.asks && sentence.length >= 5;
    let marked = sentence.phrases.starts(Family::ToDo);
    let score = if marked { 3.0 } else { 1.5 };
    (need && score >= THRESHOLD).then(|| {
        let due = due(source, sentence);
        Commitment { sentence: number, owner: None, acceptance: None, due, score }
    })
}

/// "please not before the release": what is not to be done is nobody's task.
fn forbids(padded: &str) -> bool {
    const WORDS: &[&str] = &[" please not ", " please don't ", " please do not ", " пожалуйста не "];
    WORDS.iter().any(|words| padded.contains(words))
}

/// "I make the estimate, @igor, send me the list": whoever accepts does a part of it, and the line would say all of it.
fn promises_too(source: &Source<'_>, at: usize) -> bool {
    let mut sentences = source.posts[at].sentences.clone();
    sentences.any(|number| own_words(&source.sentences[number], false) >= 2.0)
}

/// The post that accepts the request of a post: another author's agreement that follows it or answers it.
fn acceptance(source: &Source<'_>, at: usize) -> Option<(usize, f64)> {
    let asked: &Post<'_> = &source.posts[at];
    let accepts = |after: usize| {
        let post = &source.posts[after];
        let promises =
            post.sentences.clone().any(|number| own_words(&source.sentences[number], false) >= 1.5);
        let asks = source.sentences[post.sentences.clone()].iter().any(|sentence| sentence.asks);
        source.author(after) != source.author(at) && !asks && (promises || agrees(source, post))
    };
    let later = source.later(at);
    let reply = later
        .iter()
        .find(|after| source.posts[**after].message.reply_to == Some(asked.message.id) && accepts(**after));
    let next = later.iter().take(ACCEPTED_WITHIN).find(|after| accepts(**after));
    let first = later.iter().find(|after| source.author(**after) != source.author(at));
    match (reply, next) {
        (Some(&reply), _) => Some((reply, THRESHOLD + 1.0)),
        (None, Some(&next)) if first == Some(&next) => Some((next, THRESHOLD + 0.5)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    fn found(lines: &[(&str, &str)]) -> Vec<(usize, Option<String>, Option<String>)> {
        let messages: Vec<_> =
            lines.iter().zip(1..).map(|((author, text), id)| message(id, author, text)).collect();
        let source = Source::new(&messages, None);
        commitments(&source)
            .into_iter()
            .map(|action| {
                let post = source.sentences[action.sentence].post;
                let owner = action.owner.map(|owner| source.posts[owner].message.author_name.clone());
                (post, owner, action.due.map(|due| source.posts[post].message.text[due].to_owned()))
            })
            .collect()
    }

    fn owned(post: usize, owner: &str, due: Option<&str>) -> (usize, Option<String>, Option<String>) {
        (post, Some(owner.to_owned()), due.map(str::to_owned))
    }

    #[test]
    fn promises() {
        assert_eq!(
            found(&[("Ann", "I'll send the invoices by Monday"), ("Bob", "nice weather")]),
            [owned(0, "Ann", Some("by Monday"))]
        );
        assert_eq!(
            found(&[("Аня", "стулья беру на себя, привезу завтра"), ("Боря", "красивый закат")]),
            [owned(0, "Аня", Some("завтра"))]
        );
    }

    #[test]
    fn a_request_belongs_to_who_accepts_it() {
        assert_eq!(
            found(&[("Ann", "could you review my change today?"), ("Bob", "yes, will do")]),
            [owned(0, "Bob", Some("today"))]
        );
        assert_eq!(
            found(&[("Аня", "Боря, можешь проверить насос до среды?"), ("Боря", "да, хорошо")]),
            [owned(0, "Боря", Some("до среды"))]
        );
    }

    #[test]
    fn when_it_is_not_to_be_is_no_date() {
        let chat =
            [("Ann", "Bob, could you move the migration, please not this week?"), ("Bob", "yes, will do")];
        assert_eq!(found(&chat), [owned(0, "Bob", None)]);
        let chat = [("Аня", "Боря, можешь проверить насос, только не завтра?"), ("Боря", "да, хорошо")];
        assert_eq!(found(&chat), [owned(0, "Боря", None)]);
    }

    #[test]
    fn a_time_that_is_taken_back_is_no_date() {
        let chat = [("Аня", "Текст заявки напишу к воскресенью... хотя нет, Пасха. К понедельнику!")];
        assert_eq!(found(&chat), [owned(0, "Аня", None)]);
    }

    #[test]
    fn what_is_not_to_be_done_or_partly_promised_is_not_the_accepters_task() {
        let chat =
            [("Ann", "@Bob from product: please not before 4.2 is out and stable"), ("Bob", "yes, ok")];
        assert!(found(&chat).is_empty());
        let chat =
            [("Аня", "смету я сделаю, @boris, пришли мне список железа до субботы?"), ("Боря", "да, хорошо")];
        assert!(found(&chat).iter().all(|(_, owner, _)| owner.as_deref() != Some("Боря")));
        assert!(found(&[("Аня", "Где ж я тебе их наловлю")]).is_empty());
    }

    #[test]
    fn no_promise_no_action() {
        let chat = [
            ("Ann", "I'll believe it when I see it"),
            ("Bob", "I think it was fine yesterday"),
            ("Аня", "думаю, новую неделю начнём весело"),
            ("Ann", "can you see the moon?"),
        ];
        assert!(found(&chat).is_empty());
    }
}
