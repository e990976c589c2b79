//! Digests spoiled on purpose: what the quality score must see.
//!
//! Invariant: each copy differs from the digest in one thing, of one named kind.

use schemas::{ANSWER_MARK, Action, Claim, Digest, DigestState};

/// Kinds of corruptions, in the order in which they are reported.
pub const KINDS: [&str; 9] = [
    "speakers swapped",
    "negation flipped",
    "number changed",
    "foreign sentence",
    "largest thread dropped",
    "invented decision",
    "wrong owner",
    "answers left out",
    "keyword titles",
];

/// Remarks of one window that are made decisions, each in a copy of its own.
const INVENTED_MAX: usize = 5;

/// Spoiled copies of the digest of a window, each with its kind; `other` is the digest of another chat or day.
pub fn corruptions(day: &DigestState, digest: &Digest, other: &Digest) -> Vec<(&'static str, Digest)> {
    let copies = [
        swapped_speakers(digest),
        flipped_negations(digest),
        changed_numbers(digest),
        foreign_sentences(digest, other),
        without_largest_thread(day, digest),
        invented_decisions(day, digest),
        wrong_owners(day, digest),
        without_answers(digest),
        keyword_titles(digest),
    ];
    KINDS
        .into_iter()
        .zip(copies)
        .flat_map(|(kind, copies)| copies.into_iter().map(move |copy| (kind, copy)))
        .collect()
}

/// Every claim of the summary and of the decisions, one at a time, as `change` makes it.
fn each_claim(digest: &Digest, change: impl Fn(usize, &Claim) -> Option<Claim>) -> Vec<Digest> {
    let mut changed = Vec::new();
    for (at, claim) in digest.summary.iter().enumerate() {
        if let Some(claim) = change(at, claim) {
            let mut copy = digest.clone();
            copy.summary[at] = claim;
            changed.push(copy);
        }
    }
    for (at, claim) in digest.decisions.iter().enumerate() {
        if let Some(claim) = change(at, claim) {
            let mut copy = digest.clone();
            copy.decisions[at] = claim;
            changed.push(copy);
        }
    }
    changed
}

fn swapped_speakers(digest: &Digest) -> Vec<Digest> {
    let people: Vec<&str> = digest.participants.iter().map(|person| person.name.as_str()).collect();
    each_claim(digest, |at, claim| {
        let (place, speaker) =
            people.iter().find_map(|name| Some((speaker_at(&claim.text, name)?, *name)))?;
        let other = people.iter().cycle().skip(at).take(people.len()).find(|name| **name != speaker)?;
        let mut text = claim.text.clone();
        text.replace_range(place..place + speaker.len(), other);
        Some(Claim { text, ..claim.clone() })
    })
}

/// Where a line names somebody as its speaker: at its start, or after the question that is answered.
fn speaker_at(line: &str, name: &str) -> Option<usize> {
    let said = format!("{name}: ");
    let answered = format!("{ANSWER_MARK}{said}");
    if line.starts_with(&said) { Some(0) } else { line.find(&answered).map(|at| at + ANSWER_MARK.len()) }
}

fn flipped_negations(digest: &Digest) -> Vec<Digest> {
    let word = if digest.language == "ru" { "не" } else { "not" };
    each_claim(digest, |_, claim| {
        let (speaker, text) = claim.text.split_once(": ")?;
        let negated = text.split_whitespace().position(|found| found == word);
        let mut words: Vec<&str> = text.split_whitespace().collect();
        match negated {
            Some(at) => {
                words.remove(at);
            }
            None => words.insert(1.min(words.len()), word),
        }
        Some(Claim { text: format!("{speaker}: {}", words.join(" ")), ..claim.clone() })
    })
}

fn changed_numbers(digest: &Digest) -> Vec<Digest> {
    each_claim(digest, |_, claim| {
        let at = claim.text.find(|c: char| c.is_ascii_digit())?;
        let mut text = claim.text.clone();
        text.replace_range(at..=at, "97");
        Some(Claim { text, ..claim.clone() })
    })
}

fn foreign_sentences(digest: &Digest, other: &Digest) -> Vec<Digest> {
    let foreign = other.summary.iter().chain(&other.decisions);
    foreign
        .map(|claim| {
            let mut copy = digest.clone();
            let message_ids =
                digest.decisions.first().map(|claim| claim.message_ids.clone()).unwrap_or_default();
            copy.summary.push(Claim { text: claim.text.clone(), message_ids });
            copy
        })
        .collect()
}

fn without_largest_thread(day: &DigestState, digest: &Digest) -> Vec<Digest> {
    let threads = day.threads.iter().flat_map(|threads| &threads.threads);
    let Some(largest) = threads.max_by_key(|thread| thread.message_ids.len()) else { return Vec::new() };
    let gone = |ids: &[i64]| ids.iter().any(|id| largest.message_ids.contains(id));
    let mut copy = digest.clone();
    for claims in [&mut copy.summary, &mut copy.decisions, &mut copy.questions] {
        claims.retain(|claim| !gone(&claim.message_ids));
    }
    copy.actions.retain(|action| !gone(&action.message_ids));
    for topic in &mut copy.topics {
        topic.story.retain(|claim| !gone(&claim.message_ids));
        for thread in &mut topic.threads {
            thread.claims.retain(|claim| !gone(&claim.message_ids));
        }
    }
    copy.answers.retain(|answer| !gone(&answer.question.message_ids));
    for person in &mut copy.participants {
        person.did.retain(|claim| !gone(&claim.message_ids));
    }
    if copy == *digest { Vec::new() } else { vec![copy] }
}

/// Remarks that the digest tells, told as decisions.
fn invented_decisions(day: &DigestState, digest: &Digest) -> Vec<Digest> {
    let decided = |claim: &Claim| {
        let mut settled = digest.decisions.iter().flat_map(|claim| &claim.message_ids);
        let mut done = digest.actions.iter().flat_map(|action| &action.message_ids);
        claim.message_ids.iter().any(|id| settled.any(|known| known == id) || done.any(|known| known == id))
    };
    let quoted = |claim: &&Claim| claim.message_ids.len() == 1 && !decided(claim);
    let stories = digest.topics.iter().flat_map(|topic| &topic.story);
    let known = |claim: &&Claim| day.messages.iter().any(|message| claim.message_ids.contains(&message.id));
    let remarks = digest.summary.iter().chain(stories).filter(quoted).filter(known).take(INVENTED_MAX);
    let told = |claim: &Claim| {
        let mut copy = digest.clone();
        copy.decisions.push(claim.clone());
        copy
    };
    remarks.map(told).collect()
}

/// Actions given to somebody who neither wrote nor is named in their messages.
fn wrong_owners(day: &DigestState, digest: &Digest) -> Vec<Digest> {
    let beside = |action: &Action, name: &str| {
        let cited = day.messages.iter().filter(|message| action.message_ids.contains(&message.id));
        let first = text::tokens(name).into_iter().next().unwrap_or_default();
        cited
            .clone()
            .all(|message| message.author_name != name && !text::tokens(&message.text).contains(&first))
    };
    let copy = |(at, action): (usize, &Action)| {
        let other = digest.participants.iter().find(|person| beside(action, &person.name))?;
        let mut copy = digest.clone();
        copy.actions[at].owner = Some(other.name.clone());
        Some(copy)
    };
    digest.actions.iter().enumerate().filter_map(copy).collect()
}

/// The digest without any line that tells an answer.
fn without_answers(digest: &Digest) -> Vec<Digest> {
    let told: Vec<i64> = digest
        .answers
        .iter()
        .flat_map(|answer| answer.answers.iter().flat_map(|claim| claim.message_ids.iter().copied()))
        .collect();
    let silent = |claim: &Claim| !claim.message_ids.iter().any(|id| told.contains(id));
    let mut copy = digest.clone();
    copy.answers.clear();
    copy.summary.retain(silent);
    for topic in &mut copy.topics {
        topic.story.retain(silent);
        for thread in &mut topic.threads {
            thread.claims.retain(silent);
        }
    }
    if copy.summary == digest.summary { Vec::new() } else { vec![copy] }
}

/// The digest with lists of words in the place of titles.
fn keyword_titles(digest: &Digest) -> Vec<Digest> {
    let mut copy = digest.clone();
    for topic in &mut copy.topics {
        let said = text::tokens(&topic.title).into_iter().filter(|word| !text::is_stopword(word));
        let mut words: Vec<String> =
            if topic.keywords.len() > 2 { topic.keywords.clone() } else { said.collect() };
        words.truncate(3);
        words.reverse();
        if words.len() > 2 {
            topic.title = words.join(", ");
        }
    }
    if copy.topics == digest.topics { Vec::new() } else { vec![copy] }
}
