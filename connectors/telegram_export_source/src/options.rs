//! What to import, and the stable names that follow from it.

use crate::error::Error;
use exports::DateOrder;
use ingest::{Group, check_name};
use std::path::PathBuf;

/// A file to import.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// Where its messages go.
    pub group: Group,
    /// `result.json`, JSON Lines or an export of another maker, plain or gzipped; or a folder or a zip with one.
    pub path: PathBuf,
    /// Id or name of the chat in a full export; needed when there are several.
    pub chat: Option<String>,
    /// IANA name of the zone of dates that tell none; `None` for UTC.
    pub time_zone: Option<String>,
    /// How an export writes its dates, where it does not tell.
    pub date_order: Option<DateOrder>,
    /// Import all but the damaged elements of a damaged file. Changes nothing for a file that is whole.
    pub skip_damaged: bool,
}

/// Lines to read as they come.
#[derive(Debug, Clone)]
pub struct FeedOptions {
    /// Where its messages go.
    pub group: Group,
    /// A growing file; `None` for standard input.
    pub path: Option<PathBuf>,
    /// Stable name of the feed. With it, a restart expects the feed from its start and skips what is committed.
    pub id: Option<String>,
    /// True: lane `live`, never ends. False: an import that ends with standard input.
    pub follow: bool,
    /// Pass over lines that are no JSON; what is followed always does.
    pub skip_damaged: bool,
}

impl FeedOptions {
    /// The feed as messages for people name it.
    pub(crate) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// Stable name of what is read. Only a followed standard input may do without an `id`: what it forgets is
    /// forgotten by its writer too.
    pub(crate) fn identity(&self) -> Result<String, Error> {
        let kind = if self.follow { "follow" } else { "import" };
        match &self.id {
            Some(id) => Ok(self.group.identity(kind, &format!("id:{}", check_name("--id", id)?))),
            None if self.follow && self.path.is_none() => Ok(self.group.identity(kind, "stdin")),
            None => Err(Error::NeedsId { path: self.name() }),
        }
    }
}
