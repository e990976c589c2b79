//! What a followed feed remembers between two calls.

use crate::{batch::Batch, error::Error, feed_position::FeedPosition};
use schemas::GroupMessageIngested;

/// Between calls.
#[derive(Debug)]
pub(super) struct State {
    /// Lines of an earlier run that are still to be passed over, and what they must add up to.
    pub(super) passed: FeedPosition,
    pub(super) committed: FeedPosition,
    /// After the last batch that was given.
    pub(super) before: FeedPosition,
    /// After the lines in `batch`.
    pub(super) after: FeedPosition,
    pub(super) batch: Batch,
    pub(super) silence: Silence,
    /// The feed has nothing more.
    pub(super) is_over: bool,
    pub(super) failure: Option<Error>,
}

impl State {
    /// On from what is committed, once the lines in `passed` have been passed over.
    pub(super) fn resumed(passed: FeedPosition, committed: &FeedPosition) -> Self {
        Self {
            passed,
            committed: committed.clone(),
            before: committed.clone(),
            after: committed.clone(),
            batch: Batch::default(),
            silence: Silence::default(),
            is_over: false,
            failure: None,
        }
    }
}

/// A batch that can be given again.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) before: FeedPosition,
    pub(super) records: Vec<GroupMessageIngested>,
    pub(super) after: FeedPosition,
}

/// The silence before the first mark of a process: what waited for it, in a pipe or behind a bridge that has not
/// connected yet, comes before any promise.
#[derive(Debug, Default)]
pub(super) struct Silence {
    since: Option<i64>,
    has_marked: bool,
}

impl Silence {
    /// Lines of its own may come from `now` on.
    pub(super) fn begin(&mut self, now: i64) {
        self.since.get_or_insert(now);
    }

    /// A line has come.
    pub(super) fn end(&mut self, now: i64) {
        if !self.has_marked {
            self.since = Some(now);
        }
    }

    /// Later marks go by the clock alone: a group that talks all the time gets them too.
    pub(super) fn marked(&mut self) {
        self.has_marked = true;
    }

    /// Since when nothing has come, as [`FeedPosition::is_mark_due`] asks.
    pub(super) fn since(&self, now: i64) -> i64 {
        self.since.unwrap_or(now)
    }
}
