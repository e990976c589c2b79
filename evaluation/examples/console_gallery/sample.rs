//! The days of a sample with their digests, made by the stages of the pipeline.

use console_pages::{Block, DigestLine, Said, VersionLine, blocks, text_lines};
use evaluation::gold;
use rendering::{Extent, View};
use schemas::{ContextMessage, DigestState, WindowRef, window_id};
use std::path::Path;
use synthesis::Memory;

/// A day with its digest.
pub(crate) struct Day {
    pub(crate) state: DigestState,
    pub(crate) line: DigestLine,
}

/// A sample.
pub(crate) struct Sample {
    pub(crate) group: String,
    pub(crate) days: Vec<Day>,
    pub(crate) now_ms: i64,
    pub(crate) query: &'static str,
}

/// Zone of the samples' groups.
pub(crate) const ZONE: &str = "UTC";

impl Sample {
    pub(crate) fn read(name: &str, group: &str) -> Self {
        let days = gold::days(Path::new(""), Some(name)).expect("a sample");
        let mut memory = Memory::default();
        let days: Vec<Day> = days
            .into_values()
            .map(|mut state| {
                state.window.settings.chat = Some("-1001234567890".to_owned());
                gold::digest_after(&mut memory, &mut state);
                let line = line(group, &state, 1);
                Day { state, line }
            })
            .collect();
        let now_ms = days.last().map_or(0, |day| day.line.window_end_ms) + 7 * 3_600_000;
        let query = if name.ends_with("ru") { "праздник палатка" } else { "invoice rollback" };
        Self { group: group.to_owned(), days, now_ms, query }
    }

    pub(crate) fn lines(&self) -> Vec<DigestLine> {
        self.days.iter().map(|day| day.line.clone()).collect()
    }
}

fn view<'a>(line: &'a DigestLine, state: &'a DigestState) -> View<'a> {
    View {
        tenant_id: "acme",
        group_id: &line.group_id,
        digest_id: &line.digest_id,
        version: &line.version,
        window: &state.window,
        digest: state.digest.as_ref().expect("a digest"),
        extent: Extent::Page,
    }
}

/// The digest on a line, in this revision of its window.
fn line(group: &str, state: &DigestState, revision: i32) -> DigestLine {
    let WindowRef { size_hours, window_start, window_end, .. } = state.window;
    let digest = state.digest.as_ref().expect("a digest");
    let window = window_id("acme", group, size_hours, window_start);
    DigestLine {
        digest_id: window_id(&window, &revision.to_string(), 0, 0),
        group_id: group.to_owned(),
        window_id: window,
        version: format!("{revision}.0"),
        size_hours,
        window_start_ms: window_start,
        window_end_ms: window_end,
        language: digest.language.clone(),
        headline: digest.headline.clone(),
        message_count: digest.message_count,
        participant_count: digest.participant_count,
        quality_score: digest.quality.score,
    }
}

impl Day {
    pub(crate) fn blocks(&self) -> Vec<Block> {
        blocks(&view(&self.line, &self.state))
    }

    pub(crate) fn text(&self) -> Vec<String> {
        text_lines(&view(&self.line, &self.state))
    }

    pub(crate) fn chat_address(&self) -> Option<String> {
        view(&self.line, &self.state).chat_address()
    }

    pub(crate) fn said(&self) -> Vec<Said> {
        self.state.messages.iter().map(said).collect()
    }

    /// The day as it was before its last messages came: an earlier version of its window.
    pub(crate) fn before(&self, group: &str) -> Self {
        let mut state = self.state.clone();
        let kept = state.messages.len() * 9 / 10;
        state.messages.truncate(kept);
        gold::digest_after(&mut Memory::default(), &mut state);
        let line = line(group, &state, 0);
        Self { state, line }
    }

    pub(crate) fn version(&self, hours_after: i64) -> VersionLine {
        VersionLine {
            digest_id: self.line.digest_id.clone(),
            version: self.line.version.clone(),
            stored_at_ms: self.line.window_end_ms + hours_after * 3_600_000,
        }
    }
}

fn said(message: &ContextMessage) -> Said {
    Said {
        message_id: message.id,
        author: Some(message.author_name.clone()),
        sent_at_ms: message.sent_at,
        text: message.text.clone(),
        reply_to: message.reply_to,
        is_edited: message.revision > 0,
        media: message.media_kind.clone().unwrap_or_default(),
    }
}
