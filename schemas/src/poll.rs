//! Polls and checklists: attachments that ask, and attachments that are to be done.

use serde::{Deserialize, Serialize};
use std::iter;

/// A poll as it stood when the record was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// What is asked.
    pub question: String,
    /// In the order of the poll.
    pub options: Vec<PollOption>,
    /// True when nobody can vote any more: the poll has decided.
    pub closed: bool,
    /// How many voted; of a poll with several answers fewer than there are votes.
    pub voters: Option<i32>,
}

/// An answer that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollOption {
    /// The answer.
    pub text: String,
    /// Votes for it.
    pub votes: Option<i32>,
}

/// A list of things to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    /// What it is about.
    pub title: String,
    /// In the order of the list.
    pub items: Vec<ChecklistItem>,
}

/// A thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistItem {
    /// What is to be done.
    pub text: String,
    /// `None` where the source does not tell.
    pub done: Option<bool>,
}

impl Poll {
    /// Every text of it, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        iter::once(self.question.as_str()).chain(self.options.iter().map(|option| option.text.as_str()))
    }

    /// The same poll with every text changed.
    #[must_use]
    pub fn map_texts(mut self, change: impl Fn(&str) -> String) -> Self {
        self.question = change(&self.question);
        for option in &mut self.options {
            option.text = change(&option.text);
        }
        self
    }
}

impl Checklist {
    /// Every text of it, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        iter::once(self.title.as_str()).chain(self.items.iter().map(|item| item.text.as_str()))
    }

    /// The same list with every text changed.
    #[must_use]
    pub fn map_texts(mut self, change: impl Fn(&str) -> String) -> Self {
        self.title = change(&self.title);
        for item in &mut self.items {
            item.text = change(&item.text);
        }
        self
    }
}
