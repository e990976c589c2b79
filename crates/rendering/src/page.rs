//! The page that readers get: what matters most, once, within a budget of characters.
//!
//! Invariant: no message leads to two lines; a page of few lines has no headings; what is left out is counted.

mod decided;
mod topics;

use crate::{
    Extent, View,
    outline::{Block, action_text, closed, facts},
    recalled::recalled,
    wording::Wording,
};
use decided::decisions;
use schemas::{Claim, Digest};
use std::collections::BTreeSet;
use topics::{topics, under_headings};

/// A day up to this many messages is quiet.
const QUIET_MESSAGES_MAX: i32 = 25;

/// Most characters of a page, as Markdown without the addresses of its references, and most lines of its parts.
struct Sizes {
    chars: usize,
    brief: usize,
    topics: usize,
    /// Lines of one topic.
    story: usize,
    decisions: usize,
    questions: usize,
    actions: usize,
    links: usize,
}

const QUIET: Sizes =
    Sizes { chars: 1_500, brief: 3, topics: 4, story: 3, decisions: 8, questions: 8, actions: 8, links: 5 };
const LOUD: Sizes = Sizes { chars: 3_500, brief: 5, topics: 12, story: 4, ..QUIET };
/// What is read in ten seconds: so few lines that they have no headings.
const GLANCE: Sizes =
    Sizes { chars: 700, brief: 2, topics: 0, story: 0, decisions: 2, questions: 1, actions: 1, links: 0 };

impl Sizes {
    fn of(view: &View<'_>) -> &'static Self {
        match view.extent {
            Extent::Glance => &GLANCE,
            _ if view.digest.message_count <= QUIET_MESSAGES_MAX => &QUIET,
            _ => &LOUD,
        }
    }
}

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
    let sizes = Sizes::of(view);
    let facts = facts(view, words);
    let used = digest.headline.chars().count() + facts.chars().count() + LINE_COST;
    let mut room = Room { left: sizes.chars.saturating_sub(used), seen: BTreeSet::new() };
    let glance = view.extent == Extent::Glance;
    // A page tells under its headings what the headline is made of; a glance has no room for saying it again.
    let told = glance.then_some(digest.headline.as_str());
    let claims = |of| claims(of, told);
    let decisions = List::of(&mut room, sizes.decisions, decisions(digest, told));
    let actions = digest.actions.iter();
    let actions = List::of(
        &mut room,
        sizes.actions,
        actions.map(|action| (action_text(action, words), action.message_ids.as_slice())),
    );
    let questions = List::of(&mut room, sizes.questions, claims(&digest.questions));
    let answers = closed(digest);
    let closed = answers.iter().map(|(text, ids)| (text.clone(), ids.as_slice()));
    let closed = List::of(&mut room, sizes.questions, closed);
    let brief = List::of(&mut room, sizes.brief, claims(&digest.summary));
    let (topics, more) = topics(digest, &mut room, sizes);
    // After the lines of their messages, which say more.
    let recalls = recalled(view, words);
    let recalled = recalls.iter().filter(|_| !glance).map(|(text, ids)| (text.clone(), ids.as_slice()));
    let recalled = List::of(&mut room, recalls.len(), recalled);
    let links = links(digest, &mut room, sizes.links);
    let mut lists = [brief, decisions, closed, recalled, questions, actions];
    let more_lines = lists.iter().map(|list| list.more).sum();
    lists[0].more = 0;
    if glance {
        for list in &mut lists {
            list.more = 0;
        }
    }
    let told: usize = topics.iter().map(|topic| topic.lines.len()).sum();
    let flat = lists.iter().map(|list| list.lines.len()).sum::<usize>() + told <= FLAT_LINES_MAX;
    let heading = |text: &'static str| (!flat).then_some(text);
    let mut blocks = vec![Block::Headline(digest.headline.clone()), Block::Facts(facts)];
    let [brief, decisions, closed, recalled, questions, actions] = lists;
    brief.put(&mut blocks, None, words);
    decisions.put(&mut blocks, heading(words.decisions), words);
    if flat {
        blocks.extend(topics.into_iter().flat_map(|topic| topic.lines));
    } else if !topics.is_empty() {
        blocks.push(Block::Section(words.topics));
        under_headings(&mut blocks, topics, words);
        blocks.extend((more > 0).then(|| Block::More(words.more(more))));
    } else {
        blocks.extend((more > 0).then(|| Block::More(words.more(more))));
    }
    closed.put(&mut blocks, heading(words.closed), words);
    recalled.put(&mut blocks, heading(words.recalled), words);
    questions.put(&mut blocks, heading(words.questions), words);
    actions.put(&mut blocks, heading(words.actions), words);
    if !links.is_empty() {
        blocks.extend(heading(words.links).map(Block::Section));
        blocks.extend(links);
    }
    if glance && more_lines > 0 {
        blocks.push(Block::More(words.more(more_lines)));
    }
    blocks
}

/// Whether the headline, which is made of shortened lines, says what this line says.
fn in_headline(headline: &str, text: &str) -> bool {
    headline.split("; ").any(|part| text.starts_with(part.trim_end_matches('…')))
}

/// Lines of a list, without those that a headline tells.
fn claims<'c>(claims: &'c [Claim], headline: Option<&'c str>) -> impl Iterator<Item = (String, &'c [i64])> {
    let told = move |claim: &&Claim| headline.is_some_and(|headline| in_headline(headline, &claim.text));
    claims.iter().filter(move |claim| !told(claim)).map(line)
}

fn line(claim: &Claim) -> (String, &[i64]) {
    (claim.text.clone(), claim.message_ids.as_slice())
}

/// Links, whether or not their messages are told of.
fn links(digest: &Digest, room: &mut Room, most: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    for link in digest.links.iter().take(most) {
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
    fn a_headline_says_what_it_was_shortened_from() {
        let headline = "Ann: we meet on Friday…; Bob: settled";
        assert!(in_headline(headline, "Ann: we meet on Friday at nine, all of us"));
        assert!(in_headline(headline, "Bob: settled"));
        assert!(!in_headline(headline, "Ann: we meet on Monday"));
    }
}
