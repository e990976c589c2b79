//! Texts and names as Telegram Desktop puts them on a page.

use serde_json::Value;
use std::fmt::Write as _;

pub(super) fn name_of(from: &Value) -> String {
    match from.as_str() {
        None | Some("") => "Deleted Account".to_owned(),
        Some(name) if name.contains(' ') => escaped(name),
        // A first name, a blank, and no last name.
        Some(name) => format!("{} ", escaped(name)),
    }
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => escaped(text),
        Value::Array(parts) => parts.iter().map(part).collect(),
        _ => String::new(),
    }
}

fn part(part: &Value) -> String {
    let Some(kind) = part["type"].as_str() else { return escaped(part.as_str().unwrap_or("")) };
    let text = escaped(part["text"].as_str().unwrap_or(""));
    let rest = text.get(1..).unwrap_or_default();
    match kind {
        "bold" => format!("<strong>{text}</strong>"),
        "italic" => format!("<em>{text}</em>"),
        "underline" => format!("<u>{text}</u>"),
        "strikethrough" => format!("<s>{text}</s>"),
        "code" => format!("<code>{text}</code>"),
        "pre" => format!("<pre>{text}</pre>"),
        "blockquote" => format!("<blockquote>{text}</blockquote>"),
        "spoiler" => format!(
            "<span class=\"spoiler hidden\" onclick=\"ShowSpoiler(this)\"><span aria-hidden=\"true\">{text}</span></span>"
        ),
        "mention" => format!("<a href=\"https://t.me/{rest}\">{text}</a>"),
        "link" => format!("<a href=\"{text}\">{text}</a>"),
        "email" => format!("<a href=\"mailto:{text}\">{text}</a>"),
        "phone" => format!("<a href=\"tel:{text}\">{text}</a>"),
        "text_link" => format!("<a href=\"{}\">{text}</a>", escaped(part["href"].as_str().unwrap_or(""))),
        "mention_name" => format!("<a href=\"\" onclick=\"return ShowMentionName()\">{text}</a>"),
        "hashtag" => format!("<a href=\"\" onclick=\"return ShowHashtag(&quot;{rest}&quot;)\">{text}</a>"),
        "cashtag" => format!("<a href=\"\" onclick=\"return ShowCashtag(&quot;{rest}&quot;)\">{text}</a>"),
        "bot_command" => {
            format!("<a href=\"\" onclick=\"return ShowBotCommand(&quot;{rest}&quot;)\">{text}</a>")
        }
        "custom_emoji" => format!("<a href = \"stickers/AnimatedSticker.tgs\">{text}</a>"),
        _ => text,
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '\n' => out.push_str("<br>"),
            '"' => out.push_str("&quot;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c < ' ' => write!(out, "&#x{:02x};", u32::from(c)).expect("written"),
            c => out.push(c),
        }
        out
    })
}
