//! What operators did. Filled by `Store::audit_page`.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// An entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// Its number.
    pub seq: i64,
    /// When, in ms.
    pub at_ms: i64,
    /// Who.
    pub actor: String,
    /// What, as `delivery resolve`.
    pub action: String,
    /// Of what.
    pub subject: String,
    /// How it was before, as JSON; empty where that was not kept.
    pub before: String,
    /// How it was after, as JSON.
    pub after: String,
}

/// The audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Entries, the newest first.
    pub entries: Vec<AuditLine>,
    /// Days that are shown.
    pub days: u32,
}

impl Page for Audit {
    fn title(&self, words: &'static Words) -> String {
        words.audit.to_owned()
    }

    fn section(&self) -> Section {
        Section::Audit
    }

    html!(Audit, "audit.html");
}
