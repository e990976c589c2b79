//! The text of a message, as its characters and marked places.
//!
//! Invariant: line feeds that only set the page's lines are not part of a text, blanks are: the text is that of the
//! JSON export.

use ingest::{RichText, TEXT_BYTES_MAX};

/// A marked place that is being read.
#[derive(Debug, Default)]
struct Mark {
    kind: Option<&'static str>,
    href: Option<String>,
    text: String,
}

/// A text that is being read.
#[derive(Debug, Default)]
pub(super) struct Text {
    rich: RichText,
    /// Plain text that is not in `rich` yet.
    plain: String,
    mark: Option<Mark>,
    is_begun: bool,
    pub(super) is_too_large: bool,
}

impl Text {
    pub(super) fn string(&mut self, text: &str) {
        // The page's own line break after the tag.
        let text = if self.is_begun { text } else { text.strip_prefix('\n').unwrap_or(text) };
        self.is_begun = true;
        let place = self.mark.as_mut().map_or(&mut self.plain, |mark| &mut mark.text);
        if self.rich.bytes() + place.len() + text.len() > TEXT_BYTES_MAX {
            self.is_too_large = true;
            return;
        }
        place.push_str(text);
    }

    pub(super) fn line_break(&mut self) {
        self.is_begun = true;
        self.string("\n");
    }

    /// A marked place begins.
    pub(super) fn begin(&mut self, tag: &super::element::Tag) {
        self.is_begun = true;
        self.flush();
        let kind = match tag.name.as_slice() {
            b"strong" | b"b" => Some("bold"),
            b"em" | b"i" => Some("italic"),
            b"code" => Some("code"),
            b"pre" => Some("pre"),
            b"u" => Some("underline"),
            b"s" | b"del" => Some("strikethrough"),
            b"blockquote" => Some("blockquote"),
            b"span" if tag.has("spoiler") => Some("spoiler"),
            b"a" => by_script(&tag.attribute("onclick").unwrap_or_default()),
            _ => None,
        };
        let href = tag.attribute("href").filter(|_| tag.name == b"a");
        self.mark = Some(Mark { kind, href, text: String::new() });
    }

    /// The marked place ends.
    pub(super) fn end(&mut self) {
        let Some(Mark { kind, href, text }) = self.mark.take() else { return };
        let (kind, url) = match (kind, href) {
            (Some(kind), _) => (Some(kind), None),
            (None, Some(href)) => link(&text, href),
            (None, None) => (None, None),
        };
        self.rich.push(&text, kind, url);
    }

    fn flush(&mut self) {
        self.end();
        let plain = std::mem::take(&mut self.plain);
        self.rich.push(&plain, None, None);
    }

    /// The text without the page's own line break before the end tag.
    pub(super) fn finish(mut self) -> RichText {
        if let Some(text) = self.plain.trim_end_matches(' ').strip_suffix('\n') {
            self.plain.truncate(text.len());
        }
        self.flush();
        self.rich
    }
}

/// What a link is by the script that it runs.
fn by_script(script: &str) -> Option<&'static str> {
    [
        ("ShowMentionName", "mention_name"),
        ("ShowHashtag", "hashtag"),
        ("ShowBotCommand", "bot_command"),
        ("ShowCashtag", "cashtag"),
        ("EmojiCustom", "custom_emoji"),
        ("ShowNotLoadedEmoji", "custom_emoji"),
        ("ShowNotAvailableEmoji", "custom_emoji"),
    ]
    .into_iter()
    .find_map(|(name, kind)| script.contains(name).then_some(kind))
}

/// What a link is by where it leads.
fn link(text: &str, href: String) -> (Option<&'static str>, Option<String>) {
    if href == text {
        return (Some("link"), None);
    }
    if let Some(name) = text.strip_prefix('@')
        && href.rsplit('/').next() == Some(name)
    {
        return (Some("mention"), None);
    }
    if href.strip_prefix("mailto:") == Some(text) {
        return (Some("email"), None);
    }
    if href.strip_prefix("tel:") == Some(text) {
        return (Some("phone"), None);
    }
    // The picture of an emoji, in the export itself.
    if !href.contains(':') && text.chars().count() <= 8 && href.contains('/') {
        return (Some("custom_emoji"), None);
    }
    (Some("text_link"), Some(href))
}
