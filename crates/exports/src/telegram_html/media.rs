//! What a message has attached.

use super::element::Tag;
use crate::entry::media;
use schemas::{Media, Poll, PollOption};
use text::pii;

/// Answers of a poll that are kept.
const ANSWERS_MAX: usize = 64;

/// An attachment that is being read.
#[derive(Debug, Default)]
pub(super) struct RawMedia {
    class: String,
    href: Option<String>,
    pub(super) title: String,
    pub(super) question: String,
    pub(super) state: String,
    /// Texts of the answers, and their votes.
    pub(super) answers: Vec<(String, String)>,
    pub(super) voters: String,
}

impl RawMedia {
    pub(super) fn new(tag: &Tag) -> Self {
        let class = tag.classes().find(|class| class.starts_with("media_") || class.ends_with("_wrap"));
        let href = tag.attribute("href").filter(|href| !href.contains("://"));
        Self { class: class.unwrap_or_default().to_owned(), href, ..Self::default() }
    }

    /// A call is a service message of the JSON export.
    pub(super) fn is_call(&self) -> bool {
        self.class == "media_call"
    }

    /// The attachment, by the kind that the JSON export gives it.
    pub(super) fn finish(self) -> Media {
        let title = self.title.trim();
        let kind = match (self.class.as_str(), title) {
            ("media_photo", "Sticker") | ("sticker_wrap", _) => "sticker",
            ("media_photo" | "photo_wrap", _) => "photo",
            ("media_video", "Video message") => "video_message",
            ("media_video", "Animation") | ("animated_wrap", _) => "animation",
            ("media_video" | "video_file_wrap", _) => "video_file",
            ("media_voice_message", _) => "voice_message",
            ("media_audio_file", _) => "audio_file",
            ("media_location" | "media_live_location" | "media_venue", _) => "location",
            ("media_poll", _) => return self.poll(),
            (class, _) => class.strip_prefix("media_").unwrap_or("file"),
        };
        let base_name = || self.href.as_deref().and_then(|href| href.rsplit('/').next());
        let own_name = Some(title).filter(|title| kind == "file" && !matches!(*title, "" | "File"));
        media(kind, own_name.or_else(base_name).map(str::to_owned))
    }

    fn poll(self) -> Media {
        let masked = |text: &str| pii::mask(&text.trim().replace('\0', "")).into_owned();
        let option = |(text, votes): &(String, String)| {
            let text = text.trim();
            PollOption { text: masked(text.strip_prefix("- ").unwrap_or(text)), votes: Some(number(votes)) }
        };
        let options = self.answers.iter().take(ANSWERS_MAX).map(option).collect();
        let (question, closed) = (masked(&self.question), self.state.trim() == "Final results");
        let voters = (!self.voters.trim().is_empty()).then(|| number(&self.voters));
        let poll = Poll { question, options, closed, voters };
        Media { poll: Some(poll), ..media("poll", None) }
    }
}

/// The number that a text begins with; 0 for "No votes".
pub(super) fn number(text: &str) -> i32 {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().unwrap_or(0)
}
