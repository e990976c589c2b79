//! A digest that another producer has put into words, held to what this stage holds its own to.
//!
//! Invariant: what comes out says no more than the messages that the producer was shown: no decision, promise, owner, name,
//! number, date or link of its own; what had to go is counted in the digest.

use crate::{
    acts::{due_date, poll::is_form},
    compose::headline,
    findings::Findings,
    judge::Sure,
    judged,
    source::Source,
    support::{is_calendar, names, stated},
    topics,
};
use schemas::{Claim, Digest, DigestState};
use std::collections::BTreeSet;
use text::{TokenKind, noise, sentences, specificity, stem, tokenize};

/// Least probability that a message decides or promises something, by what is said in it and around it, for another
/// producer to say so. Below what this stage itself asks for: a model also reads what no pattern tells.
const PLAUSIBLE: f64 = 0.2;
/// Share of the terms of a title that the topic's messages must hold.
const TITLE_HELD: f64 = 0.75;
const TITLE_CHARS_MAX: usize = 90;
/// Who and what a digest speaks of in its own words.
const OWN_WORDS: &[&str] = &[
    "answer",
    "chat",
    "discussion",
    "everybody",
    "everyone",
    "group",
    "nobody",
    "question",
    "somebody",
    "someone",
    "team",
    "ask",
    "bring",
    "check",
    "find",
    "fix",
    "make",
    "plan",
    "prepare",
    "release",
    "send",
    "update",
    "write",
    "вопрос",
    "группа",
    "команда",
    "кто-то",
    "никто",
    "обсуждение",
    "ответ",
    "чат",
];
/// Endings of plurals, verbs, adverbs and abstract words; of names hardly any.
const ENDINGS: &[&str] = &[
    "s", "ing", "ed", "ly", "ion", "ment", "ness", "и", "ы", "ли", "ла", "ло", "но", "ся", "сь", "ть", "ать",
    "ение", "ание", "ость", "ый", "ое", "ые", "ых", "ие",
];

/// Holds `draft`, which was made of `offline` and of the messages `shown`, and scores it. Its topics are those of
/// `offline`, in that order.
pub fn redraft(
    state: &DigestState,
    source: &Source<'_>,
    shown: &BTreeSet<i64>,
    (offline, mut draft): (&Digest, Digest),
) -> Digest {
    let mut lost = 0;
    for (topic, known) in draft.topics.iter_mut().zip(&offline.topics) {
        let ids: Vec<i64> = topic.message_ids.iter().copied().filter(|id| shown.contains(id)).collect();
        if topic.title != known.title && !entitles(source, &topic.title, &ids) {
            topic.title.clone_from(&known.title);
            lost += 1;
        }
    }
    lost += strangers(source, &mut draft) + implausible(source, &mut draft);
    keep_forms(source, offline, &mut draft);
    date(state, source, &mut draft);
    let mut held = judged(draft, source, &Findings::of(source));
    held.claims_dropped += lost;
    topics::settle(&mut held);
    held.headline = headline(state, source, &held.decisions, &held.topics);
    held
}

/// Takes out lines that begin with somebody whom the messages do not know: how many. Elsewhere in a line a name is told from
/// its capital; here every word has one.
fn strangers(source: &Source<'_>, draft: &mut Digest) -> i32 {
    let mut lost = 0;
    let mut hold = |claims: &mut Vec<Claim>| {
        let before = claims.len();
        claims.retain(|claim| !begins_with_a_stranger(source, &claim.text));
        lost += before - claims.len();
    };
    hold(&mut draft.summary);
    hold(&mut draft.decisions);
    hold(&mut draft.questions);
    draft.topics.iter_mut().for_each(|topic| hold(&mut topic.story));
    let before = draft.actions.len();
    draft.actions.retain(|action| !begins_with_a_stranger(source, &action.text));
    (lost + before - draft.actions.len()) as i32
}

fn begins_with_a_stranger(source: &Source<'_>, text: &str) -> bool {
    sentences(text).into_iter().any(|range| {
        let first = tokenize(&text[range]).into_iter().find(|token| token.kind == TokenKind::Word);
        first.is_some_and(|token| {
            let word = token.text.as_ref();
            !source.knows(word) && !is_own_word(word)
        })
    })
}

/// Whether a word is one that tells of talk, or has an ending that names of people do not have.
fn is_own_word(word: &str) -> bool {
    OWN_WORDS.contains(&word)
        || specificity(&stem(word)) < 1.0
        || ENDINGS.iter().any(|ending| word.strip_suffix(ending).is_some_and(|rest| rest.chars().count() > 1))
}

/// Takes out decisions, promises and open questions that no cited message can be: how many.
fn implausible(source: &Source<'_>, draft: &mut Digest) -> i32 {
    let before = draft.decisions.len() + draft.actions.len() + draft.questions.len();
    let sure = Sure::of(source);
    draft.decisions.retain(|claim| sure.most_decided(source, &claim.message_ids) >= PLAUSIBLE);
    draft.actions.retain(|action| sure.most_promised(source, &action.message_ids) >= PLAUSIBLE);
    draft.questions.retain(|claim| claim.message_ids.iter().any(|id| asks(source, *id)));
    (before - draft.decisions.len() - draft.actions.len() - draft.questions.len()) as i32
}

/// Keeps what polls and checklists say of themselves where the draft does not tell of them: their form is certain, and a model
/// may pass it over.
fn keep_forms(source: &Source<'_>, offline: &Digest, draft: &mut Digest) {
    let untold = |ids: &[i64], told: &BTreeSet<i64>| {
        let of_form = |id: &&i64| source.post(**id).is_some_and(|post| is_form(post.message));
        ids.iter().find(of_form).is_some_and(|id| !told.contains(id))
    };
    let of_claims = |claims: &[Claim]| -> BTreeSet<i64> {
        claims.iter().flat_map(|claim| claim.message_ids.iter().copied()).collect()
    };
    for (kept, claims) in
        [(&offline.decisions, &mut draft.decisions), (&offline.questions, &mut draft.questions)]
    {
        let told = of_claims(claims);
        claims.extend(kept.iter().filter(|claim| untold(&claim.message_ids, &told)).cloned());
    }
    let told: BTreeSet<i64> =
        draft.actions.iter().flat_map(|action| action.message_ids.iter().copied()).collect();
    let kept = offline.actions.iter().filter(|action| untold(&action.message_ids, &told));
    draft.actions.extend(kept.cloned());
}

/// Reads the days that promises are due, where a cited message says so.
fn date(state: &DigestState, source: &Source<'_>, draft: &mut Digest) {
    let zone = state.window.settings.time_zone.as_str();
    for action in &mut draft.actions {
        let Some(due) = &action.due else { continue };
        let cited = action.message_ids.iter().filter_map(|id| source.post(*id));
        let said = cited.map(|post| post.message).find(|message| message.text.contains(due.as_str()));
        let day = said.and_then(|message| due_date(due, message.sent_at, zone));
        action.due_date = day.map(|day| day.to_string());
    }
}

/// Whether a title is a line that says what these messages are about, in their own terms.
fn entitles(source: &Source<'_>, title: &str, message_ids: &[i64]) -> bool {
    let (terms, unknown) = source.terms(title);
    let posts = || message_ids.iter().filter_map(|id| source.post(*id));
    let held = terms.iter().filter(|term| posts().any(|post| post.terms.binary_search(term).is_ok())).count();
    let all = terms.len() + unknown - source.named(title).min(unknown);
    let facts_known = stated(title).all(|fact| posts().any(|post| post.facts.contains(&fact)));
    !terms.is_empty()
        && !begins_with_a_stranger(source, title)
        && names(title).all(|name| is_calendar(&name) || source.knows(&name))
        && noise(title).is_none()
        && !title.contains('\n')
        && title.chars().count() <= TITLE_CHARS_MAX
        && held as f64 >= TITLE_HELD * all as f64
        && facts_known
}

/// Whether a message is one that asks something.
fn asks(source: &Source<'_>, id: i64) -> bool {
    source.index(id).is_some_and(|post| source.questions().asked.iter().any(|asked| asked.post == post))
}
