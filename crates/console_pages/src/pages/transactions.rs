//! Transactions that are open: those that hang, and those at work. Filled by `operate::transactions`.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// A transaction that hangs: readers of committed records get no further.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Hanging {
    /// Physical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset of its first record here.
    pub start_offset: i64,
    /// Producer that wrote it.
    pub producer_id: i64,
    /// Epoch of that producer.
    pub producer_epoch: i16,
    /// Whose it is; empty when no coordinator knows any more.
    pub transactional_id: String,
    /// Seconds since its first record was appended; none when that is gone.
    pub age_seconds: Option<f64>,
    /// Who is held up, and how.
    pub blocks: Vec<(String, String)>,
    /// `COMMIT` or `ABORT`, where that is proven; empty where it is not.
    pub outcome: String,
    /// What proves it, or why nothing does.
    pub because: String,
}

/// A transaction at work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// `TOPIC/PARTITION`.
    pub place: String,
    /// Offset of its first record here.
    pub start_offset: i64,
    /// Producer that writes it.
    pub producer_id: i64,
    /// Whose it is.
    pub transactional_id: String,
}

/// Open transactions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Transactions {
    /// Those that hang.
    pub hanging: Vec<Hanging>,
    /// Those at work.
    pub running: Vec<Running>,
    /// Partitions that could not be looked at, and why.
    pub unseen: Vec<(String, String)>,
}

impl Page for Transactions {
    fn title(&self, words: &'static Words) -> String {
        words.transactions.to_owned()
    }

    fn section(&self) -> Section {
        Section::Transactions
    }

    html!(Transactions, "transactions.html");
}
