//! Measures the stages against data with known answers; `gistmill eval` prints what this finds.
//!
//! Invariant: it calls the very code of the stages, and the metrics are pure functions tested by hand.

pub mod agreement;
pub mod answer_key;
pub mod corruption;
mod data;
mod emotion;
pub mod gold;
mod irc;
mod matching;
mod quality;
mod report;
mod rouge;
mod search;
mod segmentation;
mod segmenter;
mod synthesis;
pub mod telegram;
mod thread_builder;
mod topic;
pub mod training;
pub mod windows;

pub use report::{Report, Row};
pub use search::{Among, Embeddings, Failure};

use std::path::{Path, PathBuf};

/// Why a stage could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the data folder is missing or unreadable.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file has another form than expected.
    #[error("could not parse {}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// A table is none.
    #[error("could not read the table {}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        #[source]
        source: csv::Error,
    },
    /// A labelled day is not in the data, or has another number of messages there.
    #[error("the data has no day {0} with as many messages as its label says")]
    OtherWindow(String),
    /// A window that nobody could put into words.
    #[error("could not put the window {window} into words: {why}")]
    Wording {
        /// Its date.
        window: String,
        /// Why.
        why: String,
    },
    /// A model gave no vectors.
    #[error("could not make the vectors of the messages")]
    Vectors(#[source] Failure),
    /// There is no evaluation of that name.
    #[error("no evaluation for stage {0}")]
    UnknownStage(String),
}

/// Stages that can be evaluated.
pub const STAGES: [&str; 7] =
    ["thread_builder", "segmenter", "emotion", "topic", "synthesis", "quality", "search"];

/// Evaluates a stage on the data in `data_dir`.
pub fn run(stage: &str, data_dir: &Path) -> Result<Report, Error> {
    match stage {
        "thread_builder" => thread_builder::evaluate(data_dir),
        "segmenter" => segmenter::evaluate(data_dir),
        "emotion" => emotion::evaluate(data_dir),
        "synthesis" => synthesis::evaluate(data_dir),
        "topic" => topic::evaluate(data_dir),
        "search" => search::evaluate(data_dir, None, Among::All),
        "quality" => quality::evaluate(data_dir),
        _ => Err(Error::UnknownStage(stage.to_owned())),
    }
}

/// Evaluates search on the data in `data_dir`, by the vectors of a model too where one is given.
///
/// # Errors
/// The data cannot be read, or the model fails.
pub fn search(data_dir: &Path, model: Option<&dyn Embeddings>, among: Among) -> Result<Report, Error> {
    search::evaluate(data_dir, model, among)
}
