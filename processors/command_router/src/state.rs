//! What is known of a group when a command comes.
//!
//! Invariant: bounded, whatever is written.

use crate::written::{self, LastWritten};
use commands::chat_of;
use processor::{FoldState, StateError};
use schemas::{GroupSettings, Message};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use text::{Language, Letters};

/// Letters of messages that are remembered; beyond that older ones count less and less.
const LETTERS_MAX: u32 = 20_000;
const SETTINGS: &str = "settings";
const LETTERS: &str = "letters";
const MUTED: &str = "muted";
/// Chats of a group that are muted at once and remembered: more than a group has.
const MUTED_MAX: usize = 32;

/// State of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupState {
    settings: Changing<Option<GroupSettings>>,
    letters: Changing<Letters>,
    written: LastWritten,
    /// Until when, in ms, by chat.
    muted: Changing<BTreeMap<String, i64>>,
}

/// A part, and whether it has changed since it was last written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Changing<T> {
    value: T,
    is_changed: bool,
}

impl<T: Serialize + for<'de> Deserialize<'de>> Changing<T> {
    fn drain(&mut self, part: &str, write: &mut dyn FnMut(&str, Option<Vec<u8>>)) {
        // Strings and numbers only: there is nothing that JSON could refuse.
        if std::mem::take(&mut self.is_changed)
            && let Ok(value) = serde_json::to_vec(&self.value)
        {
            write(part, Some(value));
        }
    }

    fn restore(&mut self, value: &[u8]) -> Result<(), StateError> {
        self.value = serde_json::from_slice(value).map_err(|error| StateError(error.to_string()))?;
        Ok(())
    }
}

impl GroupState {
    /// Takes settings, which hold from here on.
    pub(crate) fn adopt(&mut self, settings: &GroupSettings) {
        self.settings = Changing { value: Some(settings.clone()), is_changed: true };
    }

    /// A target's chat gets no digests from one time to another, in ms.
    pub(crate) fn mute(&mut self, target: &str, (from, until): (i64, i64)) {
        let muted = &mut self.muted.value;
        muted.insert(chat_of(target).to_owned(), until);
        muted.retain(|_, until| *until > from);
        while muted.len() > MUTED_MAX {
            muted.pop_first();
        }
        self.muted.is_changed = true;
    }

    /// Until when a target's chat is muted at a time.
    pub(crate) fn muted_until(&self, target: &str, at: i64) -> Option<i64> {
        self.muted.value.get(chat_of(target)).copied().filter(|until| *until > at)
    }

    /// Takes what was written.
    pub(crate) fn hear(&mut self, messages: &[Message]) {
        if messages.is_empty() {
            return;
        }
        for message in messages {
            self.letters.value.add(&message.text);
            if let Some(author) = &message.author {
                self.written.hear(&author.id, message.sent_at);
            }
        }
        self.letters.value.forget_beyond(LETTERS_MAX);
        self.letters.is_changed = true;
    }

    /// The group's settings; the default ones where none were set.
    pub(crate) fn settings(&self) -> GroupSettings {
        self.settings.value.clone().unwrap_or_default()
    }

    /// When a person wrote last, in ms; none of whom nothing is known.
    pub(crate) fn last_written(&self, author: &str) -> Option<i64> {
        self.written.of(author)
    }

    /// The language that the group is answered in: that of its settings, else of its messages, else the person's own.
    pub(crate) fn language(&self, of_person: &str) -> Language {
        let wished = self.settings.value.as_ref().and_then(|settings| Language::parse(&settings.language));
        let told = || Language::parse(of_person).unwrap_or(Language::En);
        wished.or_else(|| self.letters.value.language()).unwrap_or_else(told)
    }
}

impl FoldState for GroupState {
    fn drain_changes(&mut self, write: &mut dyn FnMut(&str, Option<Vec<u8>>)) {
        self.settings.drain(SETTINGS, write);
        self.letters.drain(LETTERS, write);
        self.muted.drain(MUTED, write);
        self.written.drain(write);
    }

    fn restore(&mut self, part: &str, value: &[u8]) -> Result<(), StateError> {
        match part {
            SETTINGS => self.settings.restore(value),
            LETTERS => self.letters.restore(value),
            MUTED => self.muted.restore(value),
            _ => match part.strip_prefix(written::PART) {
                Some(author) => self.written.restore(author, value),
                None => Err(StateError(format!("part {part:?} is unknown"))),
            },
        }
    }
}
