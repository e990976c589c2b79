//! The round itself: a running pipeline, the operator's looks at it, and the transcript.

use crate::look::{Expected, Look, Said};
use anyhow::{Context, ensure};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{Write, stdout},
    path::{Path, PathBuf},
    process::Command,
    thread::park_timeout,
    time::{Duration, Instant},
};
use tests::{Chat, PATIENCE, Pipeline, Process, Readiness, TENANT, free_port};

/// Longest wait until a fault is told, and until it is told to be over.
const TOLD_WITHIN: Duration = Duration::from_mins(1);
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// Logs as in a terminal.
const TEXT: (&str, &str) = ("GISTMILL_TELEMETRY__JSON", "false");

/// A pipeline, an `up` that runs it, and what has been found of what is said.
pub(crate) struct Round<'a> {
    pub(crate) pipeline: &'a Pipeline,
    began: Instant,
    port: u16,
    up: Process,
    /// Bytes of the log before the step.
    log_from: usize,
    chats: Vec<Chat>,
    step: String,
    untrue: Vec<String>,
    /// What the commands are told besides; the process was told the same.
    variables: Vec<(String, String)>,
}

/// Arguments and variables of an `up` whose health is served at a port.
fn spawn_up(
    pipeline: &Pipeline,
    port: u16,
    arguments: &[&str],
    more: &[(String, String)],
) -> anyhow::Result<Process> {
    let listen = format!("127.0.0.1:{port}");
    let mut variables = vec![("GISTMILL_HTTP__LISTEN", listen.as_str()), TEXT];
    variables.extend(more.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    pipeline.spawn("up", &[&["up"], arguments].concat(), &variables)
}

/// Adds to the transcript.
pub(crate) fn show(text: &str) -> anyhow::Result<()> {
    writeln!(stdout(), "{}\n", text.trim_end()).context("could not write")
}

/// Waits until an import has ended well; what it said on the way.
pub(crate) fn imported(mut import: Process) -> anyhow::Result<String> {
    let status = import.wait(PATIENCE)?;
    ensure!(status.success(), "the import failed: {}", import.log()?);
    import.log()
}

impl<'a> Round<'a> {
    /// Starts all units in one process, with digests in `files`.
    pub(crate) fn start(pipeline: &'a Pipeline, files: &Path) -> anyhow::Result<Self> {
        let files = files.to_str().context("could not name a directory")?;
        Self::start_with(pipeline, vec![("GISTMILL_FILES__DIRECTORY".to_owned(), files.to_owned())])
    }

    /// Starts all units in one process, with these variables.
    pub(crate) fn start_with(
        pipeline: &'a Pipeline,
        variables: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let up = spawn_up(pipeline, port, &[], &variables)?;
        let (chats, untrue) = (Vec::new(), Vec::new());
        let (began, step, log_from) = (Instant::now(), String::new(), 0);
        Ok(Self { pipeline, began, port, up, log_from, chats, step, untrue, variables })
    }

    /// Where `up` serves its metrics.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends `up` and starts it anew with other arguments.
    pub(crate) fn restart(&mut self, arguments: &[&str]) -> anyhow::Result<()> {
        self.up.signal(rustix::process::Signal::TERM)?;
        let status = self.up.wait(PATIENCE)?;
        ensure!(status.success(), "up ended with {status}: {}", self.up.log()?);
        self.up = spawn_up(self.pipeline, self.port, arguments, &self.variables)?;
        Ok(())
    }

    /// A command for a binary that lies beside `gistmill`, with the same settings.
    pub(crate) fn beside(&self, name: &str) -> Command {
        let like = self.pipeline.command(&[]);
        let mut command = Command::new(self.pipeline.stack.binary.with_file_name(name));
        for (name, value) in like.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).env(TEXT.0, TEXT.1);
        command
    }

    pub(crate) fn say(&self, text: &str) -> anyhow::Result<()> {
        let mut out = stdout().lock();
        for line in text.lines() {
            writeln!(out, "{:6.1} s  {line}", self.began.elapsed().as_secs_f64())?;
        }
        out.flush().context("could not write")
    }

    /// Begins a step: from now on the log is looked at.
    pub(crate) fn heading(&mut self, step: &str) -> anyhow::Result<()> {
        step.clone_into(&mut self.step);
        self.log_from = self.up.log()?.len();
        writeln!(stdout(), "\n==== {step}\n").context("could not write")
    }

    /// Marks what was said and is not so.
    pub(crate) fn untrue(&mut self, what: &str) -> anyhow::Result<()> {
        self.untrue.push(format!("{}: {what}", self.step));
        self.say(&format!("UNTRUE: {what}"))
    }

    pub(crate) fn log(&self) -> anyhow::Result<String> {
        Ok(self.up.log()?.get(self.log_from..).unwrap_or_default().to_owned())
    }

    pub(crate) fn gistmill(&self, arguments: &[&str]) -> anyhow::Result<Said> {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.pipeline.output(arguments, &variables).map(Said::from)
    }

    pub(crate) fn look(&self) -> anyhow::Result<Look> {
        let (lag, doctor) = (self.gistmill(&["lag"])?, self.gistmill(&["doctor"])?);
        Ok(Look { log: self.log()?, readiness: Readiness::at(self.port)?, lag, doctor })
    }

    /// Waits until all four say what they should, shows what they say, and marks what they do not.
    pub(crate) fn told(&mut self, expected: &Expected<'_>) -> anyhow::Result<()> {
        let began = Instant::now();
        let log = Expected { log: expected.log, ..Expected::default() };
        let readyz = Expected { readyz: expected.readyz, ..Expected::default() };
        let mut seconds = BTreeMap::new();
        while began.elapsed() < TOLD_WITHIN && seconds.len() < 2 {
            let look = Look { log: self.log()?, readiness: Readiness::at(self.port)?, ..Look::default() };
            for (name, wanted) in [("log", &log), ("/readyz", &readyz)] {
                if look.untrue(wanted).is_empty() {
                    seconds.entry(name).or_insert_with(|| began.elapsed().as_secs_f64());
                }
            }
            park_timeout(LOOK_INTERVAL);
        }
        let mut look = self.look()?;
        while !look.untrue(expected).is_empty() && began.elapsed() < TOLD_WITHIN {
            park_timeout(LOOK_INTERVAL);
            look = self.look()?;
        }
        let told: Vec<String> =
            seconds.iter().map(|(name, seconds)| format!("{name} after {seconds:.1} s")).collect();
        let all = began.elapsed().as_secs_f64();
        self.say(&format!("told by: {}; all four looked at after {all:.1} s", told.join(", ")))?;
        self.judge(&look, expected)
    }

    /// Looks once, shows and marks.
    pub(crate) fn judge_now(&mut self, expected: &Expected<'_>) -> anyhow::Result<()> {
        let look = self.look()?;
        self.judge(&look, expected)
    }

    fn judge(&mut self, look: &Look, expected: &Expected<'_>) -> anyhow::Result<()> {
        show(&look.shown()?)?;
        look.untrue(expected).iter().try_for_each(|what| self.untrue(what))
    }

    /// Starts an import of a chat of its own.
    pub(crate) fn import(&mut self) -> anyhow::Result<Process> {
        let chat = Chat::new(&format!("chat_{}", self.chats.len()), 12, 12);
        let file = chat.write(self.pipeline.directory())?;
        let file = file.to_str().context("could not name a file")?;
        let arguments = Pipeline::import_arguments(file, &chat.group);
        let import = self.pipeline.spawn(&format!("import-{}", chat.group), &arguments, &[TEXT])?;
        self.chats.push(chat);
        Ok(import)
    }

    pub(crate) fn healthy_at_start(&mut self) -> anyhow::Result<()> {
        self.heading("healthy")?;
        self.log_from = 0;
        let import = self.import()?;
        imported(import)?;
        self.healed(&Expected { log: &["ready"], ..Expected::default() })
    }

    /// Waits until all is read and all four say that all is well, shows what they say, and marks what they do not; then
    /// that every digest is there.
    pub(crate) fn healed(&mut self, expected: &Expected<'_>) -> anyhow::Result<()> {
        let began = Instant::now();
        let (mut ready, mut read, mut well) = (None, None, None);
        while began.elapsed() < PATIENCE && well.is_none() {
            let seconds = Some(began.elapsed().as_secs_f64());
            if ready.is_none() && Readiness::at(self.port)?.is_some_and(|found| found.is_ready) {
                ready = seconds;
            }
            if ready.is_some() && read.is_none() && self.is_read()? {
                read = seconds;
            }
            if read.is_some() && self.look()?.untrue(expected).is_empty() {
                well = seconds;
            }
            park_timeout(LOOK_INTERVAL);
        }
        let told = |seconds: Option<f64>| {
            seconds.map_or_else(|| "never".to_owned(), |at| format!("after {at:.1} s"))
        };
        let (at_ready, at_read, at_well) = (told(ready), told(read), told(well));
        self.say(&format!("/readyz is well {at_ready}, lag {at_read}, all four {at_well}"))?;
        let look = self.look()?;
        self.judge(&look, expected)?;
        if !look.readiness.is_some_and(|found| found.is_ready) {
            self.untrue("/readyz does not say that all is well")?;
        }
        if !self.is_read()? {
            self.untrue("lag does not say that all is well")?;
        }
        self.digests()
    }

    /// Everybody is there, all is known and all is read, as `lag` tells it.
    fn is_read(&self) -> anyhow::Result<bool> {
        let said = self.gistmill(&["lag", "--json"])?;
        let Ok(lag) = serde_json::from_str::<Value>(&said.text) else { return Ok(false) };
        let units = lag["units"].as_array().context("lag has units")?;
        let members = |unit: &Value| unit["members"].as_u64().unwrap_or_default();
        let outboxes = lag["outboxes"].as_array().context("lag has outboxes")?;
        Ok(lag["consumable"]["count"] == 0
            && lag["postgres_unknown"].is_null()
            && lag["hanging_unknown"].is_null()
            && lag["stalled"].as_array().is_some_and(Vec::is_empty)
            && units.iter().chain(outboxes).all(|unit| members(unit) > 0))
    }

    /// What no fault may change: a digest for each day that has enough messages, of each chat.
    fn digests(&mut self) -> anyhow::Result<()> {
        let expected: usize = self.chats.iter().map(|chat| chat.digested().count()).sum();
        let listed =
            self.pipeline.gistmill(&["digest", "ls", "--tenant", TENANT, "--limit", "100000", "--json"])?;
        let found = listed.lines().filter(|line| line.contains("\"digest_id\":\"")).count();
        if found == expected {
            return self.say(&format!("so it is: {found} digests, as many as days that are worth one"));
        }
        self.untrue(&format!("{found} digests of {expected}"))
    }

    /// Ends `up`; what was untrue.
    pub(crate) fn end(self) -> anyhow::Result<Vec<String>> {
        self.up.stop(PATIENCE)?;
        Ok(self.untrue)
    }

    /// Where the file sink and everybody else of this pipeline write.
    pub(crate) fn directory(&self) -> PathBuf {
        self.pipeline.directory().to_owned()
    }
}
