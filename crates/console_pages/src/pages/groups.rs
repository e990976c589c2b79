//! The groups of a tenant. Filled by `Store::group_page` and `Store::digest_page`.

use super::DigestLine;
use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub group_id: String,
    /// Messages that are stored of it and not deleted; none where they were not counted.
    pub messages: Option<i64>,
    /// Its newest digest.
    pub newest: Option<DigestLine>,
}

/// All groups.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// Those of the tenant, the most recently told first.
    pub groups: Vec<Group>,
}

impl Page for Groups {
    fn title(&self, words: &'static Words) -> String {
        words.groups.to_owned()
    }

    fn section(&self) -> Section {
        Section::Groups
    }

    html!(Groups, "groups.html");
}
