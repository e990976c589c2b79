//! What is shown in the place of a page that cannot be shown. Filled by the request alone.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// A failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// HTTP status.
    pub status: u16,
    /// What there is to say beside it, such as the id that nothing has; empty for nothing.
    pub detail: String,
    /// Id of the request, as the log has it.
    pub request_id: String,
}

impl Failure {
    /// What is the matter, and what to do next.
    fn told(&self, words: &'static Words) -> (&'static str, &'static str) {
        match self.status {
            401 => (words.error_unauthorized, words.error_unauthorized_next),
            403 => (words.error_forbidden, words.error_forbidden_next),
            404 => (words.error_not_found, words.error_not_found_next),
            429 => (words.error_too_many, words.error_too_many_next),
            502..=504 => (words.error_away, words.error_away_next),
            400..=499 => (words.error_request, words.error_request_next),
            _ => (words.error_fault, words.error_fault_next),
        }
    }
}

impl Page for Failure {
    fn title(&self, words: &'static Words) -> String {
        self.told(words).0.to_owned()
    }

    fn section(&self) -> Section {
        Section::None
    }

    html!(Failure, "failure.html");
}
