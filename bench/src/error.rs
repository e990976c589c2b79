//! Why nothing was measured; each says what to do next.

use rdkafka::error::KafkaError;
use std::path::PathBuf;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Results of a busy machine are wanted in the file.
    #[error(
        "the load average is {load:.2}: results of a busy machine are not written; wait until it is below {most:.1}, leave \
         --write out, or add --anyway"
    )]
    Busy {
        /// Load average of the last minute.
        load: f64,
        /// The highest that is taken.
        most: f64,
    },
    /// Results of a build without optimisation are wanted in the file.
    #[error(
        "this is a debug build, whose results are not written: run a release build, or leave --write out"
    )]
    DebugBuild,
    /// The peers' folder is not where it was looked for.
    #[error("there is no folder {}: run this in a clone of the repository, or name the folder with --folder", .0.display())]
    NoFolder(PathBuf),
    /// The stack does not start.
    #[error("could not start a stack for the benchmark")]
    Stack(#[from] stack::Error),
    /// The built-in map is damaged: a defect of the program.
    #[error("could not read the map")]
    Map(#[from] topology::Error),
    /// Topics could not be made.
    #[error("could not make the topics of the benchmark")]
    Topology(#[from] Box<topology::broker::Error>),
    /// The registry did not answer.
    #[error("could not ask the registry")]
    Registry(#[from] registry::Error),
    /// A record could not be written: a defect of the generator.
    #[error("could not encode a record")]
    Encode(#[from] schemas::EncodeError),
    /// A record could not be read.
    #[error("could not decode a record")]
    Decode(#[from] schemas::DecodeError),
    /// The broker or its client failed.
    #[error("could not {what}")]
    Kafka {
        /// What was attempted.
        what: String,
        /// What librdkafka says.
        #[source]
        source: KafkaError,
    },
    /// The system refused.
    #[error("could not {what}")]
    System {
        /// What was attempted.
        what: String,
        /// What it says.
        #[source]
        source: std::io::Error,
    },
    /// A row of an engine, or what a process said, has another form than expected.
    #[error("could not read {what}")]
    Json {
        /// What was read.
        what: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// The broker took fewer records than were sent.
    #[error(
        "{topic} has {found} records and not {expected}: the broker lost some; `gistmill stack logs kafka` may say why"
    )]
    Lost {
        /// Topic.
        topic: String,
        /// Records sent.
        expected: u64,
        /// Records there.
        found: u64,
    },
    /// The broker did not take a record.
    #[error("{topic}: the broker did not take all records; `gistmill stack logs kafka` may say why")]
    Refused {
        /// Topic.
        topic: String,
    },
    /// An engine ended before it was done.
    #[error("{name} ended before it was done ({status}); the last it said:\n{said}")]
    Ended {
        /// Which.
        name: String,
        /// How it ended.
        status: String,
        /// The end of its log.
        said: String,
    },
    /// An engine makes no progress.
    #[error("{name} was not done within {seconds} s; the last it said:\n{said}")]
    Slow {
        /// Which.
        name: String,
        /// How long it was waited for.
        seconds: u64,
        /// The end of its log.
        said: String,
    },
    /// Units do not get their partitions.
    #[error("{units} had no partitions after {seconds} s; is the machine busy?")]
    Unsettled {
        /// Their consumer groups.
        units: String,
        /// How long they were waited for.
        seconds: u64,
    },
    /// A command that prepares a run failed.
    #[error("`gistmill {what}` ended with {status}; it said:\n{said}")]
    Command {
        /// Its arguments.
        what: String,
        /// How it ended.
        status: String,
        /// What it said.
        said: String,
    },
    /// The database refused or is away.
    #[error("could not {what}")]
    Database {
        /// What was attempted.
        what: String,
        /// What it says.
        #[source]
        source: sqlx::Error,
    },
    /// The store refused or is away.
    #[error("could not search")]
    Store(#[from] state::Error),
    /// A copy differs from what was copied.
    #[error("{name} wrote other records than it read: its speed would be that of another job")]
    Copy {
        /// Which rung.
        name: &'static str,
    },
}

/// Puts what was attempted to a failure of the system.
pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::System { what: what.into(), source }
}

/// Puts what was attempted to a failure of Kafka.
pub(crate) fn kafka(what: impl Into<String>) -> impl FnOnce(KafkaError) -> Error {
    move |source| Error::Kafka { what: what.into(), source }
}

/// Puts what was attempted to a failure of the database.
pub(crate) fn database(what: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Database { what: what.into(), source }
}
