//! Why an export cannot be read, and what to do about it.

use std::io;

/// Why an export cannot be read. Every one is found before anything is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is there, but the system does not give it.
    #[error("could not read {path}: check its permissions and the disk")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Nothing in it.
    #[error("{path} is empty: nothing to import")]
    Empty {
        /// Which file.
        path: String,
    },
    /// None of the exports that are known.
    #[error(
        "{path} is no chat export that is known here: it looks like {looks}; docs/SOURCES.md lists what is read"
    )]
    Unknown {
        /// Which file.
        path: String,
        /// What it looks like.
        looks: String,
    },
    /// An archive that cannot be used as it is.
    #[error("{path} is a zip archive that cannot be read ({what}); nothing was imported: {todo}")]
    Archive {
        /// Which file.
        path: String,
        /// Why not.
        what: String,
        /// What to do.
        todo: &'static str,
    },
    /// More than any export has.
    #[error("{path} is too large ({what}); nothing was imported")]
    TooLarge {
        /// Which file, and which part of it.
        path: String,
        /// Which limit was passed.
        what: String,
    },
    /// It does not hold what its beginning promises.
    #[error("{path} is damaged at {place}: {what}; nothing was imported: copy or export it again")]
    Damaged {
        /// Which file, and which part of it.
        path: String,
        /// Line or byte.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// The end is missing.
    #[error("{path} is only a part of an export ({what}); nothing was imported: copy or export it again")]
    Partial {
        /// Which file, and which part of it.
        path: String,
        /// What is missing.
        what: String,
    },
    /// One file made of two.
    #[error("{path} holds two exports: {what}; nothing was imported: cut it in two there and import each")]
    Glued {
        /// Which file.
        path: String,
        /// Where the second begins, and by what that is seen.
        what: String,
    },
    /// Dates that can be read in two ways.
    #[error(
        "{path} does not tell days from months (such as {example}, and so throughout): say which comes first with \
         --date-order dmy, mdy or ymd"
    )]
    DateOrder {
        /// Which file.
        path: String,
        /// A date of it.
        example: String,
    },
    /// Dates that the order does not fit.
    #[error("{path} has a date that is not {order} (line {line}: {example}); {todo}")]
    WrongDateOrder {
        /// Which file.
        path: String,
        /// The order.
        order: &'static str,
        /// From 1.
        line: u64,
        /// The date.
        example: String,
        /// What to do.
        todo: &'static str,
    },
    /// Several chats, and no choice.
    #[error("{path} holds {count} chats: choose one with --chat ID\n{list}")]
    ChooseChat {
        /// Which file.
        path: String,
        /// How many.
        count: usize,
        /// One per line.
        list: String,
    },
    /// The choice names no chat or several.
    #[error("{path} has not exactly one chat {wanted:?}: choose by ID\n{list}")]
    NoSuchChat {
        /// Which file.
        path: String,
        /// What was asked for.
        wanted: String,
        /// One per line.
        list: String,
    },
    /// An option that this maker's exports have no use for.
    #[error("{option} is not for exports of {maker}: {why}")]
    Option {
        /// Which option.
        option: &'static str,
        /// Whose exports.
        maker: &'static str,
        /// Why not.
        why: &'static str,
    },
}

impl Error {
    /// True when an option is wrong as given, or one is missing.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Option { .. })
    }
}
