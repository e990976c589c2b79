//! The guard of claims: whoever made a digest, it says no more than the messages it cites.
//!
//! Invariant: after the guard every cited id is one of the window, every number, address and name of a claim stands in
//! the source, and every claim is supported by its messages; what had to go is counted, never silent.

use crate::{
    judge::owned,
    quality::{Statement, attributed},
    source::Source,
    support::{strike, support},
};
use schemas::{ANSWER_MARK, Claim, Digest};
use std::collections::BTreeSet;

/// Least share of a claim's sentences that its messages must support.
const SUPPORTED_MIN: f64 = 0.99;

/// Holds every claim of a digest against its source: strikes what the source does not hold, drops what its messages do
/// not support, and counts both in the digest.
pub fn guard(digest: &mut Digest, source: &Source<'_>) {
    let mut guard = Guard { source, names: source.author_names(), dropped: 0, struck: 0 };
    guard.claims(&mut digest.summary);
    guard.claims(&mut digest.decisions);
    guard.claims(&mut digest.questions);
    for answer in &mut digest.answers {
        guard.claims(&mut answer.answers);
    }
    digest.answers.retain_mut(|answer| guard.holds(&mut answer.question, None) && !answer.answers.is_empty());
    for topic in &mut digest.topics {
        guard.claims(&mut topic.story);
        for thread in &mut topic.threads {
            guard.claims(&mut thread.claims);
        }
    }
    guard.actions(digest);
    for person in &mut digest.participants {
        let name = person.name.clone();
        person.did.retain_mut(|claim| guard.holds(claim, Some(&name)));
    }
    digest.claims_dropped = guard.dropped;
    digest.facts_struck = guard.struck;
}

struct Guard<'s, 'a> {
    source: &'s Source<'a>,
    names: BTreeSet<&'a str>,
    dropped: i32,
    struck: i32,
}

impl Guard<'_, '_> {
    fn claims(&mut self, claims: &mut Vec<Claim>) {
        claims.retain_mut(|claim| self.holds(claim, None));
    }

    /// Whether a claim may stand, with what had to be struck taken out of it; `speaker` where its text names none.
    fn holds(&mut self, claim: &mut Claim, speaker: Option<&str>) -> bool {
        let known = claim.message_ids.len();
        claim.message_ids.retain(|id| self.source.post(*id).is_some());
        self.struck += (known - claim.message_ids.len()) as i32;
        let parts: Vec<(Option<String>, String)> = match speaker {
            Some(speaker) => vec![(Some(speaker.to_owned()), claim.text.clone())],
            None => attributed(&claim.text, &self.names)
                .into_iter()
                .map(|(speaker, text)| (speaker.map(str::to_owned), text.to_owned()))
                .collect(),
        };
        let mut told = Vec::with_capacity(parts.len());
        let mut holds = !claim.message_ids.is_empty();
        for (named, text) in parts {
            let (text, struck) = strike(self.source, &text, &claim.message_ids);
            self.struck += struck;
            holds = holds && self.supported(named.as_deref(), &text, &claim.message_ids);
            told.push(match named.filter(|_| speaker.is_none()) {
                Some(name) => format!("{name}: {text}"),
                None => text,
            });
        }
        self.dropped += i32::from(!holds);
        claim.text = told.join(ANSWER_MARK);
        holds
    }

    fn supported(&self, speaker: Option<&str>, text: &str, message_ids: &[i64]) -> bool {
        let found = support(self.source, &Statement { speaker, text, message_ids });
        found.cap >= 1.0 && found.supported >= SUPPORTED_MIN * found.sentences as f64
    }

    /// Actions: an owner who neither wrote nor is named in the cited messages is struck, and a date that they do not hold.
    fn actions(&mut self, digest: &mut Digest) {
        digest.actions.retain_mut(|action| {
            let mut claim = Claim { text: action.text.clone(), message_ids: action.message_ids.clone() };
            let holds = self.holds(&mut claim, None);
            (action.text, action.message_ids) = (claim.text, claim.message_ids);
            if !owned(self.source, action) {
                action.owner = None;
                self.struck += 1;
            }
            let cited = action.message_ids.iter().filter_map(|id| self.source.post(*id));
            let said = |due: &String| cited.clone().any(|post| post.message.text.contains(due.as_str()));
            if action.due.as_ref().is_some_and(|due| !said(due))
                || action.due.is_none() && action.due_date.is_some()
            {
                (action.due, action.due_date) = (None, None);
                self.struck += 1;
            }
            holds
        });
    }
}
