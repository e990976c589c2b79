//! Schemas of the events, by topic and revision. Filled by `schemas::artifacts` and the registry.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// A revision of a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Name of its file, as `digest.blocked.v1.r2`.
    pub name: String,
    /// Version that the registry gave it; none where it is not registered.
    pub registered: Option<i32>,
    /// Id of its bytes in the registry.
    pub schema_id: Option<i32>,
}

/// A subject of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Subject.
    pub subject: String,
    /// Record type.
    pub record: String,
    /// Compatibility that the registry holds it to; empty where it did not say.
    pub compatibility: String,
    /// Revisions, the newest first.
    pub revisions: Vec<Revision>,
}

/// Schemas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaRevisions {
    /// Subjects by name.
    pub subjects: Vec<Subject>,
    /// Why the registry does not answer; empty when it does.
    pub away: String,
}

impl Page for SchemaRevisions {
    fn title(&self, words: &'static Words) -> String {
        words.schemas.to_owned()
    }

    fn section(&self) -> Section {
        Section::Schemas
    }

    html!(SchemaRevisions, "schema_revisions.html");
}
