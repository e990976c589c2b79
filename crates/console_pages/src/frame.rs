//! What stands around every page: who looks at it, in which language and colours, and where it lies.

use crate::locale::{Language, Words};
use serde::{Deserialize, Serialize};

/// Colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the reader's system has it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Its name in a cookie and in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of a cookie; the system's for what is none.
    pub fn from_code(code: &str) -> Self {
        match code {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// None of them.
    #[default]
    None,
    /// Groups and what is of one.
    Groups,
    /// What was found.
    Search,
    /// The map.
    Map,
    /// Windows in flight.
    Windows,
    /// Dead letters.
    Letters,
    /// Deliveries.
    Deliveries,
    /// Open transactions.
    Transactions,
    /// Consumer positions.
    Positions,
    /// Schema revisions.
    Schemas,
    /// Cost by month.
    Cost,
    /// What operators did.
    Audit,
}

/// What stands around a page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Language of the page; digests keep their own.
    pub language: Language,
    /// Colours.
    pub theme: Theme,
    /// Now, in ms.
    pub now_ms: i64,
    /// IANA name of the time zone of pages that have no group's.
    pub time_zone: String,
    /// Tenant whose data is shown; none where nobody is logged in.
    pub tenant: Option<String>,
    /// How the one who looks is called: the name of the key.
    pub reader: String,
    /// Whether the operator's pages are offered.
    pub may_operate: bool,
    /// Whether cost and the audit log are offered, which stand among the operator's pages.
    pub may_administer: bool,
    /// Groups of the tenant, in the order in which they are offered.
    pub groups: Vec<String>,
    /// Path and query of the page: forms of the frame lead back to it.
    pub path: String,
    /// What the search box holds.
    pub query: String,
    /// What every form carries, so that no other site can send it.
    pub form_token: String,
}

/// A page.
pub trait Page {
    /// Its heading, and the title of the document.
    fn title(&self, words: &'static Words) -> String;

    /// Where it belongs.
    fn section(&self) -> Section;

    /// IANA name of the time zone that its times are told in; that of the frame when absent.
    fn time_zone(&self) -> Option<&str> {
        None
    }

    /// The document.
    ///
    /// # Errors
    /// A template that cannot be written, which no input causes.
    fn html(&self, frame: &Frame) -> Result<String, askama::Error>;
}
