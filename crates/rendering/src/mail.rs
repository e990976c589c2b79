//! A digest as a mail: HTML and plain text of one layout, and a subject that all versions of a window share.
//!
//! Invariant: text from the chat is text in the HTML and never markup; both forms have the same lines in the same order.

use crate::{
    Paragraph, RichBlock, Style, View, period::period, rich, rich_blocks, withdrawn, wording::Wording,
    wrap::printable,
};
use schemas::WindowRef;
use std::fmt::Write;

/// Where a note stands in the HTML: chat text has no `<` of its own there.
const NOTE: &str = "<!--note-->";

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line: the group and the period, the same for all versions.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML, in one document.
    pub html: String,
    /// What a version says that follows another one, in the mail's language.
    pub newer: String,
}

impl Mail {
    /// The same with a note above everything else.
    #[must_use]
    pub fn noted(&self, note: &str) -> Self {
        let html = format!("<p class=\"soft\" style=\"{SOFT}\">{}</p>", escape(note));
        Self {
            text: format!("{note}\n\n{}", self.text),
            html: self.html.replacen(NOTE, &html, 1),
            ..self.clone()
        }
    }
}

const BODY: &str = "margin:0;padding:0;background:#f2f3f5;";
const CARD: &str = "max-width:600px;margin:0 auto;padding:20px 18px 24px;background:#ffffff;\
    font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#1c1e21;\
    overflow-wrap:anywhere;";
const TITLE: &str = "margin:0 0 6px;font-size:21px;line-height:1.3;font-weight:700;";
const SECTION: &str = "margin:22px 0 6px;font-size:16px;line-height:1.3;font-weight:700;";
const TOPIC: &str = "margin:14px 0 4px;font-size:16px;";
const TEXT: &str = "margin:6px 0;";
const SOFT: &str = "margin:6px 0;font-size:14px;color:#65676b;";
const LIST: &str = "margin:4px 0;padding:0 0 0 20px;";
const LINE: &str = "margin:4px 0;";
const LINK: &str = "color:#0b57d0;text-decoration:none;";
const FOOT: &str =
    "margin:24px 0 0;padding:12px 0 0;border-top:1px solid #d8dadf;font-size:13px;color:#65676b;";
/// Clients that know dark colours read this; the others have the ones that stand at each element.
const DARK: &str = "@media (prefers-color-scheme:dark){.body{background:#101214!important}\
    .card{background:#1a1d21!important;color:#e4e6ea!important}.soft{color:#a4a9b1!important}\
    .foot{color:#a4a9b1!important;border-color:#3a3f46!important}.link{color:#8ab4f8!important}}";

/// Renders a digest as a mail; `footer` is said at its end.
pub fn mail(view: &View<'_>, footer: &str) -> Mail {
    let language = &*view.digest.language;
    let words = Wording::of(language);
    let subject = format!("{}: {} {}", printable(view.group_id), words.digest_of, period(view.window));
    let mut inside = String::new();
    for block in rich_blocks(view, None) {
        put_block(&mut inside, &block);
    }
    Mail {
        html: document((language, &subject), &inside, footer),
        text: with_footer(&plain(&rich(view, None)), footer),
        subject,
        newer: words.newer.to_owned(),
    }
}

/// What is told of a digest that was withdrawn, with the subject of its window.
pub fn mail_withdrawn((group_id, window): (&str, &WindowRef), footer: &str) -> Mail {
    let language = if window.settings.language == "ru" { "ru" } else { "en" };
    let words = Wording::of(language);
    let subject = format!("{}: {} {}", printable(group_id), words.digest_of, period(window));
    let paragraphs = withdrawn(window);
    let mut inside = String::new();
    for paragraph in &paragraphs {
        put(&mut inside, &element("p", "", TEXT, &inline(paragraph)));
    }
    Mail {
        html: document((language, &subject), &inside, footer),
        text: with_footer(&plain(&paragraphs), footer),
        subject,
        newer: words.newer.to_owned(),
    }
}

/// Paragraphs as text.
pub fn plain(paragraphs: &[Paragraph]) -> String {
    let mut text = String::new();
    for paragraph in paragraphs.iter().filter(|it| !it.text.trim().is_empty()) {
        if !text.is_empty() {
            text.push_str(if paragraph.follows { "\n" } else { "\n\n" });
        }
        text.push_str(&paragraph.text);
    }
    text
}

fn with_footer(text: &str, footer: &str) -> String {
    format!("{text}\n\n-- \n{footer}\n")
}

fn document((language, title): (&str, &str), inside: &str, footer: &str) -> String {
    let (title, foot) = (escape(title), element("p", "foot", FOOT, &escape(footer)));
    format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\
         <title>{title}</title><style>{DARK}</style></head>\n\
         <body class=\"body\" style=\"{BODY}\">\n<div class=\"card\" style=\"{CARD}\">\n{NOTE}\n{inside}{foot}\n\
         </div>\n</body></html>\n"
    )
}

fn put_block(out: &mut String, block: &RichBlock) {
    match block {
        RichBlock::Heading { size: ..4, text } => put(out, &element("h1", "", TITLE, &inside(text))),
        RichBlock::Heading { text, .. } => put(out, &element("h2", "", SECTION, &inside(text))),
        RichBlock::Paragraph(text) => put(out, &element("p", "soft", SOFT, &inside(text))),
        RichBlock::List(lines) => put_list(out, lines),
        RichBlock::Details { summary, lines } => {
            put(out, &element("h3", "", TOPIC, &inline(summary)));
            put_list(out, lines);
        }
    }
}

fn put_list(out: &mut String, lines: &[Paragraph]) {
    let items: String = lines.iter().map(|line| element("li", "", LINE, &inline(line))).collect();
    put(out, &element("ul", "", LIST, &items));
}

fn put(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

fn element(name: &str, class: &str, style: &str, inside: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<{name}{class} style=\"{style}\">{inside}</{name}>")
}

/// Without styles: the element has one.
fn inside(paragraph: &Paragraph) -> String {
    escape(&paragraph.text)
}

/// With styles and links.
fn inline(paragraph: &Paragraph) -> String {
    let text = &paragraph.text;
    let (mut out, mut from) = (String::new(), 0);
    for span in &paragraph.spans {
        let styled = escape(&text[span.start..span.end]);
        out.push_str(&escape(&text[from..span.start]));
        // Writing to a String cannot fail.
        let written = match &span.style {
            Style::Bold => write!(out, "<b>{styled}</b>"),
            Style::Italic => write!(out, "<span class=\"soft\" style=\"color:#65676b;\">{styled}</span>"),
            Style::Link(url) => {
                write!(out, "<a class=\"link\" style=\"{LINK}\" href=\"{}\">{styled}</a>", escape(url))
            }
        };
        written.unwrap_or_default();
        from = span.end;
    }
    out.push_str(&escape(&text[from..]));
    out
}

/// Text that is no markup, inside of elements and attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    #[test]
    fn chat_text_is_text() {
        let text = "<script>alert(1)</script> & \"quoted\" 'x' [12]".to_owned();
        let at = text.find("[12]").unwrap();
        let spans = vec![Span {
            start: at,
            end: at + 4,
            style: Style::Link("https://t.me/c/1/\"onclick=".to_owned()),
        }];
        let html = inline(&Paragraph { text, spans, follows: false });
        assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
        assert!(html.contains("href=\"https://t.me/c/1/&quot;onclick=\""), "{html}");
    }

    #[test]
    fn a_note_stands_once_and_above_and_cannot_be_faked() {
        let html = document(("en", "<!--note-->"), &escape("<!--note-->"), "foot");
        let mail = Mail { subject: String::new(), text: "text".to_owned(), html, newer: String::new() };
        let noted = mail.noted("newer & <better>");
        assert_eq!(noted.html.matches("newer &amp; &lt;better&gt;").count(), 1);
        assert!(noted.html.contains("&lt;!--note--&gt;"));
        assert_eq!(noted.text, "newer & <better>\n\ntext");
    }
}
