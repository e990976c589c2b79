//! Who did what: the participants with their roles and most telling statements.

use crate::{compose::quotation, findings::Findings, source::Source};
use schemas::{Claim, DigestState, Participant, ParticipantRole};
use std::collections::{BTreeMap, BTreeSet};

const PARTICIPANTS_MAX: usize = 15;
/// Share of the messages below which a participant is left out, unless few would remain.
const SHARE_MIN: f64 = 0.02;
const DID_MAX: usize = 2;

/// People of the window, most active first; bots are left out.
pub(crate) fn participants(
    state: &DigestState,
    source: &Source<'_>,
    findings: &Findings,
) -> Vec<Participant> {
    let roles = match &state.roles {
        Some(roles) => roles.participants.clone(),
        None => counted(state),
    };
    let bots: BTreeSet<&str> = state
        .messages
        .iter()
        .filter(|message| message.is_bot)
        .map(|message| message.author_id.as_str())
        .collect();
    let least = (SHARE_MIN * state.messages.len() as f64) as i32;
    let telling = telling(source, findings);
    roles
        .into_iter()
        .filter(|person| person.role != "bot" && !bots.contains(person.author_id.as_str()))
        .filter(|person| person.message_count >= least)
        .take(PARTICIPANTS_MAX)
        .map(|person| {
            let did = telling.get(person.author_id.as_str()).cloned().unwrap_or_default();
            Participant {
                author_id: person.author_id,
                name: person.name,
                role: person.role,
                message_count: person.message_count,
                did,
            }
        })
        .collect()
}

/// Participants by count, where no roles are known.
fn counted(state: &DigestState) -> Vec<ParticipantRole> {
    let mut counts: BTreeMap<&str, (&str, i32)> = BTreeMap::new();
    for message in &state.messages {
        counts.entry(&message.author_id).or_insert((&message.author_name, 0)).1 += 1;
    }
    let mut people: Vec<ParticipantRole> = counts
        .into_iter()
        .map(|(author_id, (name, message_count))| ParticipantRole {
            author_id: author_id.to_owned(),
            name: name.to_owned(),
            role: "contributor".to_owned(),
            message_count,
            replies_received: 0,
            centrality: 0.0,
            message_ids: Vec::new(),
        })
        .collect();
    people.sort_by(|a, b| b.message_count.cmp(&a.message_count).then_with(|| a.author_id.cmp(&b.author_id)));
    people
}

/// Per author the statements that tell most: decisions and actions first, then the heaviest sentences.
fn telling(source: &Source<'_>, findings: &Findings) -> BTreeMap<String, Vec<Claim>> {
    let decided: BTreeSet<usize> = findings.decisions.iter().map(|found| found.sentence).collect();
    let done: BTreeSet<usize> = findings.actions.iter().map(|action| action.sentence).collect();
    let value = |sentence: usize| {
        let found = &source.sentences[sentence];
        let bonus = if decided.contains(&sentence) {
            3.0
        } else if done.contains(&sentence) {
            2.0
        } else {
            1.0
        };
        bonus * source.weight(&found.terms) / (found.length as f64 + 8.0)
    };
    let mut by_author: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, sentence) in source.sentences.iter().enumerate() {
        if source.posts[sentence.post].quotable && sentence.length >= 4 {
            by_author.entry(source.author(sentence.post)).or_default().push(number);
        }
    }
    let mut found = BTreeMap::new();
    for (author, mut sentences) in by_author {
        sentences.sort_by(|a, b| value(*b).total_cmp(&value(*a)).then(a.cmp(b)));
        sentences.truncate(DID_MAX);
        sentences.sort_unstable();
        found.insert(
            author.to_owned(),
            sentences.into_iter().map(|sentence| spoken(source, findings, sentence)).collect(),
        );
    }
    found
}

/// A sentence without its author's name: the name stands above it.
fn spoken(source: &Source<'_>, findings: &Findings, sentence: usize) -> Claim {
    let message_ids = vec![source.posts[source.sentences[sentence].post].message.id];
    Claim { text: quotation(source, findings, sentence), message_ids }
}
