//! The page that readers get: what matters most, once, within a budget of characters.
//!
//! Invariant: no message leads to two lines; a page of few lines has no headings; what is left out is counted.

use crate::{
    View,
    outline::{Block, action_text, facts},
    wording::Wording,
};
use schemas::{ANSWER_MARK, Claim, Digest};
use std::collections::BTreeSet;

/// A day up to this many messages is quiet.
const QUIET_MESSAGES_MAX: i32 = 25;
/// Most characters of a page of a quiet day and of a loud one, as Markdown without the addresses of its references.
const CHARS_MAX: (usize, usize) = (1_500, 3_500);
/// Most lines of the opening, of a topic, and topics.
const BRIEF_MAX: (usize, usize) = (3, 5);
const STORY_MAX: (usize, usize) = (3, 4);
const TOPICS_MAX: (usize, usize) = (4, 12);
/// Most lines of each list, and links.
const LIST_MAX: usize = 8;
const LINKS_MAX: usize = 5;
/// A page up to this many lines has no headings.
const FLAT_LINES_MAX: usize = 6;
/// Characters that a line takes beside its text: bullet, reference, line end.
const LINE_COST: usize = 16;

/// What a page may still take.
struct Room {
    left: usize,
    seen: BTreeSet<i64>,
}

impl Room {
    /// Takes a line, unless it does not fit or tells of a message that was told of.
    fn take(&mut self, text: &str, ids: &[i64]) -> Taken {
        if !ids.is_empty() && ids.iter().all(|id| self.seen.contains(id)) {
            return Taken::Told;
        }
        let cost = text.chars().count() + LINE_COST * ids.len().max(1);
        if cost > self.left {
            return Taken::Full;
        }
        self.left -= cost;
        self.seen.extend(ids);
        Taken::Line
    }
}

#[derive(PartialEq)]
enum Taken {
    Line,
    Told,
    Full,
}

/// A list of the page and how many lines it leaves out.
#[derive(Default)]
struct List {
    lines: Vec<Block>,
    more: usize,
}

impl List {
    fn of<'c>(room: &mut Room, most: usize, lines: impl Iterator<Item = (String, &'c [i64])>) -> Self {
        let mut list = Self::default();
        for (text, ids) in lines {
            let full = list.lines.len() == most;
            match if full { Taken::Full } else { room.take(&text, ids) } {
                Taken::Line => list.lines.push(Block::Item { depth: 0, text, message_ids: ids.to_vec() }),
                Taken::Told => {}
                Taken::Full => list.more += 1,
            }
        }
        list
    }

    fn put(self, blocks: &mut Vec<Block>, heading: Option<&'static str>, words: &Wording) {
        if self.lines.is_empty() {
            return;
        }
        blocks.extend(heading.map(Block::Section));
        blocks.extend(self.lines);
        if self.more > 0 {
            blocks.push(Block::More(words.more(self.more)));
        }
    }
}

/// The blocks of the page.
pub(crate) fn page(view: &View<'_>) -> Vec<Block> {
    let digest = view.digest;
    let words = Wording::of(&digest.language);
    let quiet = digest.message_count <= QUIET_MESSAGES_MAX;
    let of = |sizes: (usize, usize)| if quiet { sizes.0 } else { sizes.1 };
    let facts = facts(view, words);
    let used = digest.headline.chars().count() + facts.chars().count() + LINE_COST;
    let mut room = Room { left: of(CHARS_MAX).saturating_sub(used), seen: BTreeSet::new() };
    let decisions = List::of(&mut room, LIST_MAX, claims(&digest.decisions));
    let actions = digest.actions.iter();
    let actions = List::of(
        &mut room,
        LIST_MAX,
        actions.map(|action| (action_text(action, words), action.message_ids.as_slice())),
    );
    let questions = List::of(&mut room, LIST_MAX, claims(&digest.questions));
    let brief = List { more: 0, ..List::of(&mut room, of(BRIEF_MAX), claims(&digest.summary)) };
    let (topics, more) = topics(digest, &mut room, (of(TOPICS_MAX), of(STORY_MAX)));
    let links = links(digest, &mut room);
    let lists = [&brief, &decisions, &questions, &actions];
    let told: usize = topics.iter().map(|(_, lines)| lines.len()).sum();
    let flat = lists.iter().map(|list| list.lines.len()).sum::<usize>() + told <= FLAT_LINES_MAX;
    let heading = |text: &'static str| (!flat).then_some(text);
    let mut blocks = vec![Block::Headline(digest.headline.clone()), Block::Facts(facts)];
    brief.put(&mut blocks, None, words);
    for (title, lines) in topics {
        if flat {
            blocks.extend(lines);
        } else {
            blocks.extend(lines_below(&title, lines));
        }
    }
    if more > 0 && !flat {
        blocks.push(Block::More(words.more(more)));
    }
    decisions.put(&mut blocks, heading(words.decisions), words);
    questions.put(&mut blocks, heading(words.questions), words);
    actions.put(&mut blocks, heading(words.actions), words);
    if !links.is_empty() {
        blocks.extend(heading(words.links).map(Block::Section));
        blocks.extend(links);
    }
    blocks
}

fn claims(claims: &[Claim]) -> impl Iterator<Item = (String, &[i64])> {
    claims.iter().map(|claim| (claim.text.clone(), claim.message_ids.as_slice()))
}

/// Topics with what is not told elsewhere, and how many more there are.
fn topics(
    digest: &Digest,
    room: &mut Room,
    (most, lines_max): (usize, usize),
) -> (Vec<(String, Vec<Block>)>, usize) {
    let mut found = Vec::new();
    let mut more = 0;
    for topic in &digest.topics {
        let threads = topic.threads.iter().flat_map(|thread| &thread.claims);
        let told: Vec<&Claim> =
            topic.story.iter().chain(threads.filter(|_| topic.story.is_empty())).collect();
        if found.len() == most || room.left < topic.title.chars().count() + LINE_COST {
            more += 1;
            continue;
        }
        let lines = told.into_iter().map(|claim| (claim.text.clone(), claim.message_ids.as_slice()));
        let lines = List::of(room, lines_max, lines).lines;
        if !lines.is_empty() {
            room.left = room.left.saturating_sub(topic.title.chars().count() + LINE_COST);
            found.push((topic.title.clone(), lines));
        }
    }
    (found, more)
}

/// A heading and its lines; a question that the heading asks is not asked again.
fn lines_below(title: &str, lines: Vec<Block>) -> Vec<Block> {
    let below = |block| match block {
        Block::Item { depth, text, message_ids } => {
            let answer = text.strip_prefix(title).and_then(|rest| rest.strip_prefix(ANSWER_MARK));
            Block::Item { depth, text: answer.unwrap_or(&text).to_owned(), message_ids }
        }
        other => other,
    };
    let heading = Block::Topic { title: title.to_owned(), facts: String::new() };
    [heading].into_iter().chain(lines.into_iter().map(below)).collect()
}

/// Links, whether or not their messages are told of.
fn links(digest: &Digest, room: &mut Room) -> Vec<Block> {
    let mut blocks = Vec::new();
    for link in digest.links.iter().take(LINKS_MAX) {
        let cost = link.url.chars().count() + LINE_COST * link.message_ids.len();
        if cost <= room.left {
            room.left -= cost;
            blocks.push(Block::Link { url: link.url.clone(), message_ids: link.message_ids.clone() });
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_not_asked_again_below_its_heading() {
        let item = |text: &str| Block::Item { depth: 0, text: text.to_owned(), message_ids: vec![1] };
        let lines = vec![item("Who has the key? — Cid: it hangs in the hall"), item("Bob: why")];
        let blocks = lines_below("Who has the key?", lines);
        assert_eq!(blocks[1..], [item("Cid: it hangs in the hall"), item("Bob: why")]);
    }
}
