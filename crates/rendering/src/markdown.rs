//! A digest as Markdown (`CommonMark`).

use crate::{
    View,
    outline::{Block, outline},
    wrap::printable,
};
use std::fmt::Write;

/// Renders a digest as Markdown; chat text is escaped, ids stand as `[#id]`.
pub fn markdown(view: &View<'_>) -> String {
    let mut out = String::new();
    let mut in_list = false;
    for block in outline(view) {
        let is_list =
            matches!(block, Block::Item { .. } | Block::Link { .. } | Block::Entry { .. } | Block::More(_));
        if !out.is_empty() && (!is_list || !in_list) {
            out.push('\n');
        }
        in_list = is_list;
        out.push_str(&line(&block, view));
        out.push('\n');
    }
    out
}

fn line(block: &Block, view: &View<'_>) -> String {
    match block {
        Block::Headline(text) => format!("# {}", escape(text)),
        Block::Facts(text) | Block::Footer(text) => format!("_{}_", escape(text)),
        Block::Section(text) => format!("## {text}"),
        Block::More(text) => format!("- {}", escape(text)),
        Block::Topic { title, facts } if facts.is_empty() => format!("### {}", escape(title)),
        Block::Topic { title, facts } => format!("### {}\n\n_{}_", escape(title), escape(facts)),
        Block::Entry { title, facts } => format!("- **{}** · {}", escape(title), escape(facts)),
        Block::Item { depth, text, message_ids } => {
            format!("{}- {}{}", "  ".repeat(*depth), escape(text), references(message_ids, view))
        }
        Block::Link { url, message_ids } => format!("- {}{}", address(url), references(message_ids, view)),
    }
}

/// ` [#12] [#15]`, as links where the chat is known, else escaped so that no reference definition can catch them.
fn references(ids: &[i64], view: &View<'_>) -> String {
    let mut out = String::new();
    for id in ids {
        // Writing to a String cannot fail.
        let written = match view.address(*id) {
            Some(address) => write!(out, " [#{id}]({address})"),
            None => write!(out, " \\[#{id}\\]"),
        };
        if written.is_err() {
            break;
        }
    }
    out
}

/// An autolink for web addresses, escaped text for anything else.
fn address(url: &str) -> String {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let clean = url.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '<' && c != '>');
    if web && clean { format!("<{url}>") } else { escape(url) }
}

/// Chat text on one line, with everything that Markdown could read as markup escaped.
fn escape(text: &str) -> String {
    let flat = printable(text);
    let mut out = String::with_capacity(flat.len() + 8);
    for (at, c) in flat.char_indices() {
        let leading = at == 0 && matches!(c, '#' | '-' | '+' | '=' | '>');
        if leading || matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&') {
            out.push('\\');
        }
        out.push(c);
    }
    ordered_list(out)
}

/// `1.` or `1)` at the start would open a list.
fn ordered_list(text: String) -> String {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 && text[digits..].starts_with(['.', ')']) {
        format!("{}\\{}", &text[..digits], &text[digits..])
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chat_text_is_no_markup() {
        assert_eq!(escape("a *b* [c](d) <e> `f`"), "a \\*b\\* \\[c\\](d) \\<e\\> \\`f\\`");
        assert_eq!(escape("# x\n# y"), "\\# x # y");
        assert_eq!(escape("1. x"), "1\\. x");
        assert_eq!(escape("2 apples"), "2 apples");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(address("https://a.example/b_c"), "<https://a.example/b_c>");
        assert_eq!(address("javascript:x"), "javascript:x");
        assert_eq!(address("https://a.example/> <b"), "https://a.example/\\> \\<b");
    }
}
