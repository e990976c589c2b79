//! A digest as blocks with a meaning: headings, lists, topics that are folded. For channels that show them as such.
//!
//! Invariant: the blocks have the lines of the page in its order, each once.

use crate::{
    Paragraph, View,
    outline::{Block, outline},
    rich::{fill, note_line},
};

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RichBlock {
    /// A heading; `size` from 1, the largest, to 6.
    Heading {
        /// How large it is.
        size: u8,
        /// Its text.
        text: Paragraph,
    },
    /// Text.
    Paragraph(Paragraph),
    /// A list.
    List(Vec<Paragraph>),
    /// Lines that are shown when the reader asks for them.
    Details {
        /// What is shown at once.
        summary: Paragraph,
        /// The lines.
        lines: Vec<Paragraph>,
    },
}

/// Renders a digest as blocks; `note` follows its period and counts.
pub fn rich_blocks(view: &View<'_>, note: Option<&str>) -> Vec<RichBlock> {
    let mut blocks = Vec::new();
    for block in outline(view) {
        let mut text = Paragraph::default();
        fill(&mut text, &block, (view, ""));
        match block {
            Block::Headline(_) => blocks.push(RichBlock::Heading { size: 3, text }),
            Block::Section(_) => blocks.push(RichBlock::Heading { size: 4, text }),
            Block::Facts(_) => {
                blocks.push(RichBlock::Paragraph(text));
                blocks.extend(note.map(note_line).map(RichBlock::Paragraph));
            }
            Block::Footer(_) => blocks.push(RichBlock::Paragraph(text)),
            Block::Topic { .. } => blocks.push(RichBlock::Details { summary: text, lines: Vec::new() }),
            // How many more topics there are is no line of the last one.
            Block::More(_) if matches!(blocks.last(), Some(RichBlock::Details { .. })) => {
                blocks.push(RichBlock::Paragraph(text));
            }
            Block::More(_) | Block::Item { .. } | Block::Link { .. } | Block::Entry { .. } => {
                put_line(&mut blocks, text);
            }
        }
    }
    blocks
}

/// Puts a line into the last block, or into a list of its own where that takes none.
fn put_line(blocks: &mut Vec<RichBlock>, line: Paragraph) {
    match blocks.last_mut() {
        Some(RichBlock::List(lines) | RichBlock::Details { lines, .. }) => lines.push(line),
        _ => blocks.push(RichBlock::List(vec![line])),
    }
}
