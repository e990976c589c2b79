//! A digest as text for a terminal.

use crate::{
    View,
    outline::{Block, outline},
    wrap::{printable, wrap},
};

const BOLD: &str = "1";
const HEADING: &str = "1;36";
const DIM: &str = "2";
const RESET: &str = "\u{1b}[0m";
const WIDTH_MIN: usize = 30;

/// Renders a digest for a terminal of `width` cells (at least 30); with `colour`, in ANSI colours.
pub fn terminal(view: &View<'_>, width: usize, colour: bool) -> String {
    let mut page = Page { out: String::new(), width: width.max(WIDTH_MIN), colour };
    for block in outline(view) {
        page.block(&block);
    }
    page.out
}

struct Page {
    out: String,
    width: usize,
    colour: bool,
}

impl Page {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Headline(text) => self.lines(BOLD, "", "", text),
            Block::Facts(text) => self.lines(DIM, "", "", text),
            Block::Footer(text) => {
                self.out.push('\n');
                self.lines(DIM, "", "", text);
            }
            Block::Section(text) => {
                self.out.push('\n');
                self.lines(HEADING, "", "", text);
            }
            Block::More(text) => self.lines(DIM, "    ", "    ", text),
            Block::Topic { title, facts } => {
                self.lines(BOLD, "  ", "  ", title);
                if !facts.is_empty() {
                    self.lines(DIM, "  ", "  ", facts);
                }
            }
            Block::Entry { title, facts } => {
                self.lines("", "  ▪ ", "    ", &format!("{title} ({facts})"));
            }
            Block::Item { depth, text, message_ids } => self.item(*depth, text, message_ids),
            Block::Link { url, message_ids } => self.item(0, url, message_ids),
        }
    }

    fn item(&mut self, depth: usize, text: &str, message_ids: &[i64]) {
        let first = format!("{}• ", "  ".repeat(depth + 1));
        let rest = " ".repeat(first.chars().count());
        let mut words = vec![text.to_owned()];
        words.extend(message_ids.iter().map(|id| format!("[#{id}]")));
        self.lines("", &first, &rest, &words.join(" "));
    }

    /// Wrapped lines: `first` before the first, `rest` before the others, `style` around each.
    fn lines(&mut self, style: &str, first: &str, rest: &str, text: &str) {
        let room = self.width.saturating_sub(first.chars().count());
        for (at, line) in wrap(&printable(text), room).iter().enumerate() {
            self.out.push_str(if at == 0 { first } else { rest });
            self.styled(style, line);
            self.out.push('\n');
        }
    }

    fn styled(&mut self, style: &str, line: &str) {
        if !self.colour || style.is_empty() {
            self.out.push_str(&self.dim_references(line));
        } else {
            self.out.extend(["\u{1b}[", style, "m", line, RESET]);
        }
    }

    /// References step back behind the text.
    fn dim_references(&self, line: &str) -> String {
        if !self.colour {
            return line.to_owned();
        }
        let dim = |word: &str| {
            let id = word.strip_prefix("[#").and_then(|word| word.strip_suffix(']'));
            match id.map(str::parse::<i64>) {
                Some(Ok(id)) => format!("\u{1b}[{DIM}m[#{id}]{RESET}"),
                _ => word.to_owned(),
            }
        };
        line.split(' ').map(dim).collect::<Vec<_>>().join(" ")
    }
}
