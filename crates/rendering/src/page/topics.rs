//! The topics of a page: a heading with its lines, and those of one line together.
//!
//! Invariant: no line is told twice, and a heading says more than the line below it.

use super::{
    LINE_COST, List, Room, Sizes,
    decided::{is_decided, words},
    line,
};
use crate::{outline::Block, wording::Wording};
use schemas::{ANSWER_MARK, Claim, Digest};

/// A topic that has something to tell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TopicLines {
    /// Title; none where what is left of the topic is not what the title speaks of.
    pub(super) title: String,
    /// Its lines.
    pub(super) lines: Vec<Block>,
}

impl TopicLines {
    /// Whether it needs no heading: it has no title, or its only line says what the title says.
    fn is_its_line(&self) -> bool {
        if self.title.is_empty() {
            return true;
        }
        let [Block::Item { text, .. }] = self.lines.as_slice() else { return false };
        let said = words(text);
        words(&self.title).iter().all(|word| said.contains(word))
    }
}

/// Topics under their headings, and those that are a line together under one.
pub(super) fn under_headings(blocks: &mut Vec<Block>, topics: Vec<TopicLines>, wording: &Wording) {
    let (alone, told): (Vec<_>, Vec<_>) = topics.into_iter().partition(TopicLines::is_its_line);
    blocks.extend(told.into_iter().flat_map(lines_below));
    if !alone.is_empty() {
        let title = wording.also.to_owned();
        blocks.push(Block::Topic { title, facts: String::new() });
        blocks.extend(alone.into_iter().flat_map(|topic| topic.lines));
    }
}

/// Topics with what is not told elsewhere, and how many more there are. What was decided is told as that: of such a topic
/// only questions with their answers are left, and not what was said on the way.
pub(super) fn topics(digest: &Digest, room: &mut Room, sizes: &Sizes) -> (Vec<TopicLines>, usize) {
    let mut found = Vec::new();
    let mut more = 0;
    for topic in &digest.topics {
        let threads = topic.threads.iter().flat_map(|thread| &thread.claims);
        let told: Vec<&Claim> =
            topic.story.iter().chain(threads.filter(|_| topic.story.is_empty())).collect();
        let decided = is_decided(digest, topic);
        let told: Vec<&Claim> =
            told.into_iter().filter(|claim| !decided || claim.text.contains(ANSWER_MARK)).collect();
        if told.is_empty() {
            continue;
        }
        if found.len() == sizes.topics || room.left < topic.title.chars().count() + LINE_COST {
            more += 1;
            continue;
        }
        let lines = List::of(room, sizes.story, told.into_iter().map(line)).lines;
        if !lines.is_empty() {
            room.left = room.left.saturating_sub(topic.title.chars().count() + LINE_COST);
            let title = if decided { String::new() } else { topic.title.clone() };
            found.push(TopicLines { title, lines });
        }
    }
    (found, more)
}

/// A heading and its lines; a question that the heading asks is not asked again.
fn lines_below(topic: TopicLines) -> Vec<Block> {
    let TopicLines { title, lines } = topic;
    let below = |block| match block {
        Block::Item { depth, text, message_ids } => {
            let answer = text.strip_prefix(title.as_str()).and_then(|rest| rest.strip_prefix(ANSWER_MARK));
            Block::Item { depth, text: answer.unwrap_or(&text).to_owned(), message_ids }
        }
        other => other,
    };
    let lines: Vec<Block> = lines.into_iter().map(below).collect();
    [Block::Topic { title, facts: String::new() }].into_iter().chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(text: &str) -> Block {
        Block::Item { depth: 0, text: text.to_owned(), message_ids: vec![1] }
    }

    fn topic(title: &str, lines: Vec<Block>) -> TopicLines {
        TopicLines { title: title.to_owned(), lines }
    }

    #[test]
    fn a_question_is_not_asked_again_below_its_heading() {
        let lines = vec![item("Who has the key? — Cid: it hangs in the hall"), item("Bob: why")];
        let blocks = lines_below(topic("Who has the key?", lines));
        assert_eq!(blocks[1..], [item("Cid: it hangs in the hall"), item("Bob: why")]);
    }

    #[test]
    fn a_topic_that_is_its_line_has_no_heading() {
        let words = Wording::of("en");
        let heading = |title: &str| Block::Topic { title: title.to_owned(), facts: String::new() };
        let mut blocks = Vec::new();
        let topics = vec![
            topic("The lift is out of order…", vec![item("Ann: the lift is out of order until May")]),
            topic("New chairs", vec![item("Bob: they come on Monday")]),
        ];
        under_headings(&mut blocks, topics, words);
        let wanted = [
            heading("New chairs"),
            item("Bob: they come on Monday"),
            heading("Also"),
            item("Ann: the lift is out of order until May"),
        ];
        assert_eq!(blocks, wanted);
    }
}
