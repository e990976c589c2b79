//! A digest as a page of HTML without styles, scripts or anything to be loaded.
//!
//! Invariant: every character of the chat is text: what HTML reads as markup stands as a reference.

use crate::{Paragraph, RichBlock, Style, View, rich_blocks};
use std::fmt::Write;

/// Renders a digest as a whole document.
pub fn html(view: &View<'_>) -> String {
    let title = escape(&view.digest.headline);
    let language = escape(&view.digest.language);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n\
         <body>\n<article>\n"
    );
    for block in rich_blocks(view, None) {
        push(&mut out, &block);
    }
    out.push_str("</article>\n</body>\n</html>\n");
    out
}

fn push(out: &mut String, block: &RichBlock) {
    match block {
        RichBlock::Heading { size, text } => {
            element(out, &format!("h{}", size.saturating_sub(2).clamp(1, 6)), text);
        }
        RichBlock::Paragraph(text) => element(out, "p", text),
        RichBlock::List(lines) => list(out, lines),
        RichBlock::Details { summary, lines } => {
            out.push_str("<details>\n");
            element(out, "summary", summary);
            list(out, lines);
            out.push_str("</details>\n");
        }
    }
}

fn list(out: &mut String, lines: &[Paragraph]) {
    if lines.is_empty() {
        return;
    }
    out.push_str("<ul>\n");
    for line in lines {
        element(out, "li", line);
    }
    out.push_str("</ul>\n");
}

fn element(out: &mut String, name: &str, text: &Paragraph) {
    // Writing to a String cannot fail.
    writeln!(out, "<{name}>{}</{name}>", inner(text)).unwrap_or_default();
}

/// The text of a paragraph with its spans, which stand one after the other.
fn inner(paragraph: &Paragraph) -> String {
    let (mut out, mut at) = (String::with_capacity(paragraph.text.len()), 0);
    for span in &paragraph.spans {
        let (before, text) = (&paragraph.text[at..span.start], escape(&paragraph.text[span.start..span.end]));
        out.push_str(&escape(before));
        // Writing to a String cannot fail.
        match &span.style {
            Style::Bold => write!(out, "<strong>{text}</strong>"),
            Style::Italic => write!(out, "<em>{text}</em>"),
            Style::Link(url) => write!(out, "<a href=\"{}\" rel=\"noreferrer\">{text}</a>", escape(url)),
        }
        .unwrap_or_default();
        at = span.end;
    }
    out.push_str(&escape(&paragraph.text[at..]));
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    #[test]
    fn chat_text_is_no_markup_inside_spans_and_between_them() {
        let text = "a<b> & \"c\" it's".to_owned();
        let spans = vec![Span { start: 1, end: 4, style: Style::Bold }];
        let paragraph = Paragraph { text, spans, follows: false };
        assert_eq!(inner(&paragraph), "a<strong>&lt;b&gt;</strong> &amp; &quot;c&quot; it&#39;s");
        let link = Span { start: 0, end: 1, style: Style::Link("https://t.me/c/1/\"2".to_owned()) };
        let paragraph = Paragraph { text: "x".to_owned(), spans: vec![link], follows: false };
        assert_eq!(inner(&paragraph), "<a href=\"https://t.me/c/1/&quot;2\" rel=\"noreferrer\">x</a>");
    }
}
