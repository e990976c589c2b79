//! Faults that a test puts into the code of this crate, to see whether the simulation finds them. In a program each is a
//! constant `false`.

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// The offset of an input is committed, not that after it.
    OffsetOneLow,
    /// The offset after the next input is committed.
    OffsetOneHigh,
    /// An input's offset is committed before its output.
    OffsetBeforeOutput,
    /// After an abort is read on from where reading was.
    NoSeek,
    /// An undecided input is passed over.
    FrontierSkips,
    /// State is written in a transaction before that of its offset.
    SnapshotBefore,
    /// A snapshot beyond the committed offset is used.
    MarkerBeyond,
    /// Both of these.
    SnapshotBeforeAndMarkerBeyond,
    /// A snapshot is read though a transaction is open on its log.
    UnsettledSnapshot,
    /// A snapshot of another release is used.
    AnyRelease,
    /// A restore replays input that the snapshot covers.
    ReplayFromStart,
    /// A log that ends early is taken for the whole.
    EarlyEnd,
    /// A big round leaves the old marker where it is.
    MarkerNotVoided,
    /// What is left of an unusable snapshot is not buried.
    StaleKept,
    /// Partitions are read on during a restore.
    NoPause,
    /// State is kept when partitions are given up or read again.
    StateKept,
    /// What was open is committed though partitions were lost.
    OpenKept,
}

/// Never, outside tests.
#[cfg(not(test))]
pub(crate) const fn is(_: Mutation) -> bool {
    false
}

#[cfg(test)]
pub(crate) use switch::{is, is_any, put_in};

#[cfg(test)]
mod switch {
    use super::Mutation;
    use std::cell::Cell;

    thread_local! {
        static ACTIVE: Cell<Option<Mutation>> = const { Cell::new(None) };
    }

    /// Whether this is done wrong now, in this thread.
    pub(crate) fn is(mutation: Mutation) -> bool {
        ACTIVE.get() == Some(mutation)
    }

    /// Whether anything is done wrong now, in this thread.
    pub(crate) fn is_any() -> bool {
        ACTIVE.get().is_some()
    }

    /// Does something wrong until the guard is dropped.
    pub(crate) fn put_in(mutation: Mutation) -> Active {
        ACTIVE.set(Some(mutation));
        Active
    }

    pub(crate) struct Active;

    impl Drop for Active {
        fn drop(&mut self) {
            ACTIVE.set(None);
        }
    }
}
