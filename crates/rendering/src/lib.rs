//! A digest as people read it: Markdown, HTML, terminal text, styled paragraphs, JSON.
//!
//! Invariant: pure and total. Text from the chat never acts as markup or as a terminal command.

mod blocks;
mod change;
mod changes;
mod cited;
mod html;
mod json;
mod mail;
mod markdown;
mod outline;
mod page;
mod period;
mod recalled;
mod rich;
mod terminal;
mod wording;
mod wrap;

pub use blocks::{RichBlock, rich_blocks};
pub use changes::{Stated, changed, stated};
pub use cited::{Cited, cited};
pub use html::html;
pub use json::json;
pub use mail::{Mail, mail, mail_withdrawn, plain};
pub use markdown::markdown;
pub use outline::{Block, outline};
pub use rich::{Paragraph, Span, Style, emptied_part, rich, withdrawn};
pub use terminal::terminal;

use schemas::{Digest, DigestReadyForDelivery, WindowRef};

/// What is rendered: a digest and the window it is about.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Tenant that owns the group.
    pub tenant_id: &'a str,
    /// Group inside the tenant.
    pub group_id: &'a str,
    /// Id of the digest.
    pub digest_id: &'a str,
    /// `<window revision>.<attempt>`.
    pub version: &'a str,
    /// The window.
    pub window: &'a WindowRef,
    /// The digest.
    pub digest: &'a Digest,
    /// How much of the digest.
    pub extent: Extent,
}

/// How much of a digest is rendered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// What is read in ten seconds: the headline and up to six lines.
    Glance,
    /// The page that readers get.
    #[default]
    Page,
    /// Everything that the digest has, with mood, people, score and version.
    Everything,
}

impl View<'_> {
    /// What the address of a message begins with, where the window's chat is one of Telegram's groups.
    pub fn chat_address(&self) -> Option<String> {
        // A forum topic of the chat may follow, and the person who alone sees it.
        let chat = self.window.settings.chat.as_deref()?.split(['/', '+']).next()?.strip_prefix("-100")?;
        let known = !chat.is_empty() && chat.chars().all(|c| c.is_ascii_digit());
        known.then(|| format!("https://t.me/c/{chat}/"))
    }

    /// Address of a message, where it has one.
    pub(crate) fn address(&self, message_id: i64) -> Option<String> {
        self.chat_address().map(|chat| format!("{chat}{message_id}"))
    }
}

impl<'a> From<&'a DigestReadyForDelivery> for View<'a> {
    fn from(ready: &'a DigestReadyForDelivery) -> Self {
        Self {
            tenant_id: &ready.tenant_id,
            group_id: &ready.group_id,
            digest_id: &ready.digest_id,
            version: &ready.version,
            window: &ready.window,
            digest: &ready.delivery_payload,
            extent: Extent::Page,
        }
    }
}
