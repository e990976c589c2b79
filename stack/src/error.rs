//! What can go wrong with the stack. Every message says what to do next where something can be done.

use std::io;
use std::path::{Path, PathBuf};

use crate::part::Part;

/// A failure of a stack command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be read, written, locked or deleted.
    #[error("could not {action} {}", path.display())]
    File {
        /// The verb: `read`, `write`, `lock`, ...
        action: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A file of the data directory has content that this program did not write.
    #[error("{} is damaged; delete the stack with `gistmill stack reset`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The data directory was written by another version of the layout.
    #[error(
        "{} has data of layout `{found}`, this gistmill reads `{expected}`: \
         choose another directory with --data-dir, or delete this one with `gistmill stack reset`",
        path.display()
    )]
    OtherLayout {
        /// The data directory.
        path: PathBuf,
        /// The first line of its VERSION file.
        found: String,
        /// The first line this program writes.
        expected: &'static str,
    },
    /// The data directory has content but no VERSION file of ours.
    #[error(
        "{} is not a data directory of the stack (it has no VERSION file of gistmill): \
         choose another or an empty one with --data-dir",
        path.display()
    )]
    ForeignDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The ports from this base on do not exist or are reserved.
    #[error("no five ports from {base} on: choose --base-port between 1024 and 65531")]
    BasePort {
        /// The first port asked for.
        base: u16,
    },
    /// Some other program listens on a port of the stack.
    #[error(
        "port {port} of 127.0.0.1, meant for {what}, is taken by another program: \
         choose other ports with `gistmill stack up --base-port N`, or let it pick with --free-ports"
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// The listener it is meant for.
        what: &'static str,
    },
    /// Another base port was asked for while the stack runs.
    #[error(
        "the stack already runs on ports from {running} on: `gistmill stack down` first, then up with --base-port {asked}"
    )]
    OtherPorts {
        /// The base port in use.
        running: u16,
        /// The base port asked for.
        asked: u16,
    },
    /// A tool of the system is missing and could not be installed.
    #[error("{tool} is needed and was not found; install it with: {install}")]
    MissingTool {
        /// The tool.
        tool: &'static str,
        /// The command line that installs it.
        install: String,
    },
    /// The stack of this data directory runs the other way.
    #[error("{} belongs to a stack in docker compose: drop --native, or choose another --data-dir", path.display())]
    OtherMode {
        /// The data directory.
        path: PathBuf,
    },
    /// A stack is secured from its first start on, or never.
    #[error(
        "the stack in {} is not secured: choose another --data-dir, or `gistmill stack reset` first",
        path.display()
    )]
    NotSecured {
        /// The data directory.
        path: PathBuf,
    },
    /// Something that needs certificates failed.
    #[error("could not {what}: {why}")]
    Certificate {
        /// What was attempted.
        what: &'static str,
        /// What OpenSSL says.
        why: String,
    },
    /// A program could not be started at all.
    #[error("could not start {program}")]
    Spawn {
        /// The program.
        program: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A tool that was run to its end failed.
    #[error("could not {what}; the end of its output:\n{tail}")]
    Tool {
        /// What was attempted.
        what: String,
        /// The last lines it printed.
        tail: String,
    },
    /// A part exited while it was awaited.
    #[error("{part} exited while starting; the end of {}:\n{tail}", log.display())]
    Exited {
        /// The part.
        part: Part,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A part runs but did not become healthy in time.
    #[error("{part} did not become healthy within {seconds} s; the end of {}:\n{tail}", log.display())]
    Unhealthy {
        /// The part.
        part: Part,
        /// The bound that passed.
        seconds: u64,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A part did not end, not even by SIGKILL.
    #[error("{part} (process {pid}) could not be stopped")]
    Unstoppable {
        /// The part.
        part: Part,
        /// Its process id.
        pid: u32,
    },
    /// The registry answered something else than expected to a change of its configuration.
    #[error("the registry refused the compatibility level: {answer}")]
    Registry {
        /// Its answer, or why there was none.
        answer: String,
    },
    /// Nothing, or not everything, runs.
    #[error("{detail} in {}; start it with `gistmill stack up`", data_dir.display())]
    NotRunning {
        /// The data directory asked.
        data_dir: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The output could not be written.
    #[error("could not write the output")]
    Output(#[source] io::Error),
}

/// Turns the system's answer into an [`Error::File`] that names action and path.
pub(crate) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File { action, path, source }
}
