//! One thing that a newer version of a digest says otherwise.

/// One thing that is otherwise now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Something is due on another date.
    Moved(String),
    /// A line has these words now.
    Reworded(String),
    /// A line has words less.
    Shortened,
    /// A line that was not there.
    New(String),
    /// So many messages are gone.
    Withdrawn(i32),
    /// So many messages came late.
    Late(i32),
    /// A line is gone.
    Gone,
}
