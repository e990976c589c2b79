//! The page to log in with a key. Filled by the request alone.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// Why nobody is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginProblem {
    /// The key is none of any tenant, has expired or was revoked: the same answer for all.
    WrongKey,
    /// Too many attempts.
    TooMany,
    /// The session has ended.
    Ended,
    /// The form was of another session.
    Stale,
}

/// Log-in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// What went wrong before; none at first.
    pub problem: Option<LoginProblem>,
    /// Path to go on to.
    pub next: String,
}

impl Login {
    fn told(&self, words: &'static Words) -> Option<&'static str> {
        self.problem.map(|problem| match problem {
            LoginProblem::WrongKey => words.login_wrong,
            LoginProblem::TooMany => words.login_too_many,
            LoginProblem::Ended => words.login_ended,
            LoginProblem::Stale => words.form_stale,
        })
    }
}

impl Page for Login {
    fn title(&self, words: &'static Words) -> String {
        words.log_in.to_owned()
    }

    fn section(&self) -> Section {
        Section::None
    }

    html!(Login, "login.html");
}
