//! A digest as a list of blocks, before it is known how they will look.

use crate::{Extent, View, page::page, period::period, recalled::recalled, wording::Wording};
use schemas::{ANSWER_MARK, Action, Answer, Claim, Digest};

/// A block of the digest, in reading order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The one line that stands for all.
    Headline(String),
    /// Period and counts.
    Facts(String),
    /// What closes the digest.
    Footer(String),
    /// Start of a section.
    Section(&'static str),
    /// A topic: title and what is known of it.
    Topic {
        /// Title.
        title: String,
        /// What is known of it.
        facts: String,
    },
    /// A thread or a person: title and what is known of it.
    Entry {
        /// Title.
        title: String,
        /// What is known of it.
        facts: String,
    },
    /// A statement, `depth` levels below its section.
    Item {
        /// Levels.
        depth: usize,
        /// What is stated.
        text: String,
        /// Ids of the messages that say it.
        message_ids: Vec<i64>,
    },
    /// An address.
    Link {
        /// As it was shared, whatever it leads to.
        url: String,
        /// Ids of the messages that hold it.
        message_ids: Vec<i64>,
    },
    /// How many lines of a list are left out.
    More(String),
}

/// Period and counts of a digest.
pub(crate) fn facts(view: &View<'_>, words: &Wording) -> String {
    let digest = view.digest;
    let (messages, people) = (words.messages(digest.message_count), words.people(digest.participant_count));
    format!("{} · {messages} · {people}", period(view.window))
}

/// The blocks of as much of the digest as is wanted, with the words as they stand in it: who shows them escapes them.
pub fn outline(view: &View<'_>) -> Vec<Block> {
    if view.extent == Extent::Everything { whole(view) } else { page(view) }
}

/// All blocks of a digest.
fn whole(view: &View<'_>) -> Vec<Block> {
    let digest = view.digest;
    let words = Wording::of(&digest.language);
    let mut blocks = vec![Block::Headline(digest.headline.clone()), Block::Facts(facts(view, words))];
    claims(&mut blocks, words.summary, &digest.summary);
    topics(&mut blocks, digest, words);
    claims(&mut blocks, words.decisions, &digest.decisions);
    continuity(&mut blocks, digest, words);
    lines(&mut blocks, words.recalled, recalled(view, words));
    claims(&mut blocks, words.questions, &digest.questions);
    actions(&mut blocks, digest, words);
    mood(&mut blocks, digest, words);
    people(&mut blocks, digest, words);
    links(&mut blocks, digest, words);
    let quality =
        format!("{} {:.2} · {} · {}", words.quality, digest.quality.score, view.version, view.digest_id);
    blocks.push(Block::Footer(quality));
    blocks
}

fn item(depth: usize, claim: &Claim) -> Block {
    Block::Item { depth, text: claim.text.clone(), message_ids: claim.message_ids.clone() }
}

fn claims(blocks: &mut Vec<Block>, heading: &'static str, claims: &[Claim]) {
    if !claims.is_empty() {
        blocks.push(Block::Section(heading));
        blocks.extend(claims.iter().map(|claim| item(0, claim)));
    }
}

/// `Question of 2026-03-02 (Ann) — Bob: yes, at noon` for each earlier question that the window answers, and the ids of
/// both.
pub(crate) fn closed(digest: &Digest) -> Vec<(String, Vec<i64>)> {
    let closed = digest.continuity.iter().flat_map(|continuity| &continuity.closed);
    let line = |answer: &Answer| {
        let best = answer.answers.first()?;
        let ids = answer.question.message_ids.iter().chain(&best.message_ids).copied().collect();
        Some((format!("{}{ANSWER_MARK}{}", answer.question.text, best.text), ids))
    };
    closed.filter_map(line).collect()
}

/// A section of lines with the ids of their messages.
fn lines(blocks: &mut Vec<Block>, heading: &'static str, lines: Vec<(String, Vec<i64>)>) {
    if !lines.is_empty() {
        blocks.push(Block::Section(heading));
        let item = |(text, message_ids)| Block::Item { depth: 0, text, message_ids };
        blocks.extend(lines.into_iter().map(item));
    }
}

fn continuity(blocks: &mut Vec<Block>, digest: &Digest, words: &Wording) {
    lines(blocks, words.closed, closed(digest));
    let continued = digest.continuity.iter().flat_map(|continuity| &continuity.continued);
    let mut titles = continued.peekable();
    if titles.peek().is_some() {
        blocks.push(Block::Section(words.continued));
        let item = |title: &String| Block::Item { depth: 0, text: title.clone(), message_ids: Vec::new() };
        blocks.extend(titles.map(item));
    }
}

fn topics(blocks: &mut Vec<Block>, digest: &Digest, words: &Wording) {
    if digest.topics.is_empty() {
        return;
    }
    blocks.push(Block::Section(words.topics));
    for topic in &digest.topics {
        let mut facts = words.messages(topic.message_count);
        if !topic.keywords.is_empty() {
            facts = format!("{facts} · {}", topic.keywords.join(", "));
        }
        blocks.push(Block::Topic { title: topic.title.clone(), facts });
        blocks.extend(topic.story.iter().map(|claim| item(0, claim)));
        for thread in &topic.threads {
            let facts = words.messages(thread.message_count);
            blocks.push(Block::Entry { title: thread.title.clone(), facts });
            blocks.extend(thread.claims.iter().map(|claim| item(1, claim)));
        }
    }
}

fn actions(blocks: &mut Vec<Block>, digest: &Digest, words: &Wording) {
    if digest.actions.is_empty() {
        return;
    }
    blocks.push(Block::Section(words.actions));
    blocks.extend(digest.actions.iter().map(|action| Block::Item {
        depth: 0,
        text: action_text(action, words),
        message_ids: action.message_ids.clone(),
    }));
}

/// `Maria: book the room (due Friday)`.
pub(crate) fn action_text(action: &Action, words: &Wording) -> String {
    let due = action
        .due_date
        .as_ref()
        .or(action.due.as_ref())
        .map_or(String::new(), |due| format!(" ({} {due})", words.due));
    format!("{}{due}", action_words(action))
}

/// `Maria: book the room`; of a request, which is told in the words of who asked, `Tom: can you book the room? → Maria`.
pub(crate) fn action_words(action: &Action) -> String {
    let Some(owner) = &action.owner else { return action.text.clone() };
    // A request cites what accepted it too.
    let is_asked = action.message_ids.len() > 1 && action.text.contains(": ");
    if is_asked { format!("{} → {owner}", action.text) } else { format!("{owner}: {}", action.text) }
}

fn mood(blocks: &mut Vec<Block>, digest: &Digest, words: &Wording) {
    let mood = &digest.mood;
    let percent = |share: f64| (share.clamp(0.0, 1.0) * 100.0).round();
    blocks.push(Block::Section(words.mood));
    let text = format!(
        "{} · + {} % · − {} % · = {} %",
        words.label(&mood.label),
        percent(mood.positive),
        percent(mood.negative),
        percent(mood.neutral)
    );
    blocks.push(Block::Item { depth: 0, text, message_ids: mood.message_ids.clone() });
}

fn people(blocks: &mut Vec<Block>, digest: &Digest, words: &Wording) {
    if digest.participants.is_empty() {
        return;
    }
    blocks.push(Block::Section(words.participants));
    for person in &digest.participants {
        let facts = format!("{} · {}", words.label(&person.role), words.messages(person.message_count));
        blocks.push(Block::Entry { title: person.name.clone(), facts });
        blocks.extend(person.did.iter().map(|claim| item(1, claim)));
    }
}

fn links(blocks: &mut Vec<Block>, digest: &Digest, words: &Wording) {
    if digest.links.is_empty() {
        return;
    }
    blocks.push(Block::Section(words.links));
    blocks.extend(
        digest
            .links
            .iter()
            .map(|link| Block::Link { url: link.url.clone(), message_ids: link.message_ids.clone() }),
    );
}
