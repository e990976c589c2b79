//! Which messages a rendered digest leads to.
//!
//! Invariant: exactly the references that every channel prints.

use crate::{
    View,
    outline::{Block, outline},
};

/// References of a rendered digest, in reading order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cited {
    /// Ids of the messages of each statement.
    pub lines: Vec<Vec<i64>>,
    /// Ids of the messages of each address.
    pub links: Vec<Vec<i64>>,
}

/// The references of a digest as it is rendered.
pub fn cited(view: &View<'_>) -> Cited {
    let mut cited = Cited::default();
    for block in outline(view) {
        match block {
            Block::Item { message_ids, .. } => cited.lines.push(message_ids),
            Block::Link { message_ids, .. } => cited.links.push(message_ids),
            _ => {}
        }
    }
    cited
}
