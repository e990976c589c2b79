//! A pipeline of its own for each test: topics, schemas, groups and tables under a unique prefix.

use crate::{
    process::{Process, output},
    rows::Rows,
    stack::Stack,
};
use anyhow::{Context, ensure};
use rdkafka::{
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};
use tempfile::TempDir;
use topology::{Map, Prefix};

/// Tenant of every chat of the tests.
pub const TENANT: &str = "acme";
/// Lines of a log that are shown when a test fails.
const LOG_LINES_SHOWN: usize = 25;
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A pipeline under a prefix of its own. Dropped before [`Pipeline::finish`], it prints what its processes said.
#[derive(Debug)]
pub struct Pipeline {
    /// Where it runs.
    pub stack: Stack,
    /// What its names begin with.
    pub prefix: Prefix,
    /// The map.
    pub map: Map,
    /// Its tables.
    pub rows: Rows,
    directory: TempDir,
    finished: bool,
}

impl Pipeline {
    /// Applies topology and migrations under a new prefix; `None`, said on standard error, without a stack.
    ///
    /// # Errors
    /// The stack does not do what it is asked.
    pub fn start(name: &str) -> anyhow::Result<Option<Self>> {
        let Some(stack) = Stack::from_environment() else { return Ok(None) };
        Self::start_on(stack, name).map(Some)
    }

    /// [`Pipeline::start`] on a stack of the test's own.
    ///
    /// # Errors
    /// The stack does not do what it is asked.
    pub fn start_on(stack: Stack, name: &str) -> anyhow::Result<Self> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let prefix: Prefix = format!("{name}_{}_{number}", std::process::id()).parse()?;
        let rows = Rows::of(&stack.owner_url, &prefix.postgres_schema())?;
        let directory = tempfile::tempdir().context("could not make a directory")?;
        let map = Map::embedded()?;
        let pipeline = Self { stack, prefix, map, rows, directory, finished: false };
        pipeline.gistmill(&["topology", "apply", "--prefix", pipeline.prefix.as_str()])?;
        pipeline.gistmill(&["migrate"])?;
        Ok(pipeline)
    }

    /// Directory of the test: logs, inputs, and `files` of the file sink.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Where the file sink writes.
    pub fn files(&self) -> PathBuf {
        self.directory().join("files")
    }

    /// Physical name of a logical topic.
    pub fn topic(&self, logical: &str) -> String {
        self.prefix.topic(logical)
    }

    /// A `gistmill` pointed at this pipeline and nothing else.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(&self.stack.binary, arguments)
    }

    /// The same of another release.
    pub fn command_of(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("GISTMILL_") || name.starts_with("DIGEST_") {
                command.env_remove(&*name);
            }
        }
        command
            .args(arguments)
            .envs(self.stack.variables())
            .env("GISTMILL_PREFIX", self.prefix.as_str())
            .env("GISTMILL_LOCK_DIR", self.directory())
            .env("GISTMILL_FILES__DIRECTORY", self.files())
            .current_dir(self.directory());
        command
    }

    /// Runs a command to its end and gives its standard output.
    ///
    /// # Errors
    /// It fails; the error holds its standard error.
    pub fn gistmill(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.output(arguments, &[])?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "gistmill {arguments:?} ended with {}: {said}", output.status);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a command with further variables to its end, however that is.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn output(&self, arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Output> {
        output(self.command(arguments).envs(variables.iter().copied()))
    }

    /// Runs a command with further variables and this standard input to its end.
    ///
    /// # Errors
    /// It fails; the error holds its standard error.
    pub fn feed(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> anyhow::Result<()> {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("could not start gistmill")?;
        child.stdin.take().context("standard input")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "gistmill {arguments:?} ended with {}: {said}", output.status);
        Ok(())
    }

    /// Starts a command that goes on.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(
        &self,
        name: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Process> {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Process::spawn(name, command, self.directory())
    }

    /// Starts all units but some in one process.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn up_without(&self, units: &[&str]) -> anyhow::Result<Process> {
        let mut arguments = vec!["up"];
        for unit in units {
            arguments.extend(["--without", unit]);
        }
        self.spawn("up", &arguments, &[])
    }

    /// Starts one unit in a process of its own.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn unit(&self, name: &str, variables: &[(&str, &str)]) -> anyhow::Result<Process> {
        self.spawn(name, &["run", name], variables)
    }

    /// Arguments of an import of `file` into `group`.
    pub fn import_arguments<'a>(file: &'a str, group: &'a str) -> [&'a str; 7] {
        ["import", file, "--tenant", TENANT, "--group", group, "--json"]
    }

    /// Imports a file to its end; the summary as JSON.
    ///
    /// # Errors
    /// It fails.
    pub fn import(&self, file: &Path, group: &str) -> anyhow::Result<serde_json::Value> {
        let file = file.to_str().context("could not name a file")?;
        let summary = self.gistmill(&Self::import_arguments(file, group))?;
        serde_json::from_str(&summary).context("could not read the summary of an import")
    }

    /// Removes what the test made.
    ///
    /// # Errors
    /// The stack refuses.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.finished = true;
        let admin: AdminClient<DefaultClientContext> = self.stack.client().create()?;
        let topics: Vec<String> = self.map.topics().map(|topic| self.prefix.topic(&topic.name)).collect();
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        for deleted in self.rows.block_on(admin.delete_topics(&names, &AdminOptions::new()))? {
            deleted.map_err(|(topic, code)| anyhow::anyhow!("could not delete {topic}: {code}"))?;
        }
        self.rows.drop_schema()
    }

    /// Leaves what the test made to the end of a stack of its own.
    pub fn leave(mut self) {
        self.finished = true;
    }

    fn print_logs(&self) {
        let Ok(entries) = std::fs::read_dir(self.directory()) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|extension| extension == "log") {
                let text = std::fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                let text = text.unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                let shown = lines.len().saturating_sub(LOG_LINES_SHOWN);
                eprintln!("--- {}, last lines\n{}", path.display(), lines[shown..].join("\n"));
            }
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if !self.finished {
            self.print_logs();
        }
    }
}
