//! Why an input cannot be imported, and what to do about it.

use runtime::SourceError;
use std::{error::Error as _, io};

const EXPORT_AGAIN: &str = "in Telegram Desktop choose Export chat history, format \"Machine-readable JSON\"";
const AGAIN: &str = "copy or export it again";
/// Both ways out.
pub(crate) const AGAIN_OR_SKIP: &str =
    "copy or export it again, or give --skip-damaged to import all but the damaged messages";
const SHAPE: &str = "`gistmill import --help` shows the shape of lines";

/// Why an input cannot be imported. Found before anything is written, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing has that name.
    #[error("could not find {path}: check the name")]
    Missing {
        /// As given.
        path: String,
    },
    /// It is there, but cannot be read.
    #[error("could not read {path}: check its permissions and the disk")]
    Unreadable {
        /// As given.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Not unpacked.
    #[error("{path} is a zip archive: unpack it and import the result.json in it")]
    Zip {
        /// As given.
        path: String,
    },
    /// Nothing in it.
    #[error("{path} is empty: nothing to import")]
    Empty {
        /// As given.
        path: String,
    },
    /// Something else.
    #[error("{path} is not a chat export ({found}): {EXPORT_AGAIN}, or give JSON Lines ({SHAPE})")]
    NotAnExport {
        /// As given.
        path: String,
        /// What was found instead.
        found: &'static str,
    },
    /// The end is missing.
    #[error("{path} ends at byte {at}, in the middle of its JSON; nothing was imported: {ways}")]
    Truncated {
        /// As given.
        path: String,
        /// Decompressed bytes before the end.
        at: u64,
        /// What to do.
        ways: &'static str,
    },
    /// Not JSON.
    #[error("{path} is damaged at line {line} (byte {at}{}): {what}; nothing was imported: {ways}", in_message(*message))]
    Malformed {
        /// As given.
        path: String,
        /// Decompressed bytes before the fault.
        at: u64,
        /// Line, from 1.
        line: u64,
        /// Id of the message that it is in.
        message: Option<i64>,
        /// What is wrong.
        what: &'static str,
        /// What to do.
        ways: &'static str,
    },
    /// Not UTF-8.
    #[error("{path} is not UTF-8 at line {line} (byte {at}{}); nothing was imported: {ways}", in_message(*message))]
    InvalidUtf8 {
        /// As given.
        path: String,
        /// Decompressed bytes before the fault.
        at: u64,
        /// Line, from 1.
        line: u64,
        /// Id of the message that it is in.
        message: Option<i64>,
        /// What to do.
        ways: &'static str,
    },
    /// The compressed stream breaks off or is damaged.
    #[error("{path} cannot be decompressed after byte {at}; nothing was imported: copy it again")]
    Gzip {
        /// As given.
        path: String,
        /// Decompressed bytes before the fault.
        at: u64,
    },
    /// An export in which nobody says anything.
    #[error("{path} has no messages to import (skipped: {skipped})")]
    NoMessages {
        /// As given.
        path: String,
        /// What there is instead.
        skipped: String,
    },
    /// A line that is not of the documented shape.
    #[error("line {line} of {path} is not a message or control line ({what}): {SHAPE}; {consequence}")]
    BadLine {
        /// As given.
        path: String,
        /// From 1.
        line: u64,
        /// What is wrong.
        what: String,
        /// What became of the lines before.
        consequence: &'static str,
    },
    /// Without a name a restart cannot know what was committed.
    #[error(
        "{path} needs --id NAME: a stable name of this feed, by which a restart finds what is already committed"
    )]
    NeedsId {
        /// As given.
        path: String,
    },
    /// Would not survive as a part of a key.
    #[error(transparent)]
    BadName(#[from] ingest::BadName),
    /// The feed is not the one that was committed from.
    #[error(
        "{path} is not what was read before under this --id ({what}): feed it from its start, or use another --id"
    )]
    OtherFeed {
        /// As given.
        path: String,
        /// How it differs.
        what: &'static str,
    },
    /// The file changed between its check and its import.
    #[error("{path} changed while it was read: import it again once it is complete")]
    Changed {
        /// As given.
        path: String,
    },
    /// An export of another maker.
    #[error(transparent)]
    Export(#[from] exports::Error),
    /// A position that this version did not write.
    #[error("could not read position {position:?}: was it written by a newer version?")]
    Position {
        /// As found.
        position: String,
    },
    /// Group settings that no stage could use.
    #[error("setting {field} cannot be {value:?}: {expected}")]
    Setting {
        /// Which.
        field: &'static str,
        /// As given.
        value: String,
        /// What would do.
        expected: &'static str,
    },
}

fn in_message(id: Option<i64>) -> String {
    id.map_or_else(String::new, |id| format!(", in message {id}"))
}

impl Error {
    /// True when damaged elements could be passed over.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::Malformed { .. } | Self::InvalidUtf8 { .. })
    }

    /// The same, of damage that cannot be passed over.
    #[must_use]
    pub(crate) fn beyond_skipping(mut self) -> Self {
        if let Self::Truncated { ways, .. } | Self::Malformed { ways, .. } | Self::InvalidUtf8 { ways, .. } =
            &mut self
        {
            *ways = AGAIN;
        }
        self
    }

    /// True when a name or a setting is wrong as given, whatever the input holds.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::BadName(_) | Self::NeedsId { .. } | Self::Setting { .. } => true,
            Self::Export(error) => error.is_usage(),
            _ => false,
        }
    }
}

impl From<Error> for SourceError {
    fn from(error: Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            message.push_str(": ");
            message.push_str(&next.to_string());
            cause = next.source();
        }
        Self::Fatal(message)
    }
}
