//! A child process that never outlives its test, nor, once [`end_children_on_signals`] was called, this process.

use crate::patience::eventually;
use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeSet,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

/// Children that have not been waited for.
static CHILDREN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn children() -> MutexGuard<'static, BTreeSet<u32>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a command; no signal comes between its start and its being known.
fn start(command: &mut Command) -> anyhow::Result<Child> {
    let mut children = children();
    let child = command.spawn().context("could not start gistmill")?;
    children.insert(child.id());
    Ok(child)
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be started.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Output> {
    let child = start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let id = child.id();
    let output = child.wait_with_output().context("could not wait for gistmill");
    children().remove(&id);
    output
}

/// From now on SIGTERM and SIGINT kill every child before they end this process. A test's children end with it anyway;
/// a program that is stopped runs no destructor.
///
/// # Errors
/// The signals cannot be listened to.
pub fn end_children_on_signals() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let wait = move || {
        runtime.block_on(async {
            tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
        });
        // Held to the end: nobody starts another meanwhile.
        let children = children();
        for id in &*children {
            let pid = i32::try_from(*id).ok().and_then(Pid::from_raw);
            if let Some(Err(error)) = pid.map(|pid| kill_process(pid, Signal::KILL)) {
                eprintln!("could not kill child {id}: {error}");
            }
        }
        std::process::exit(STOPPED);
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    Ok(())
}

/// Exit code of a program that was told to stop, as shells have it.
const STOPPED: i32 = 143;

/// A running `gistmill`; killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with its standard error appended to `<name>.log` in `directory`.
    ///
    /// # Errors
    /// The log cannot be opened or the command cannot be started.
    pub fn spawn(name: &str, mut command: Command, directory: &Path) -> anyhow::Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).context("could not open a log")?;
        let child = start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Its name in logs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it, and its predecessors of the same name, wrote to standard error.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        let bytes = std::fs::read(&self.log).context("could not read a log")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Processor time that it has used, of all its threads.
    ///
    /// # Errors
    /// A process that has ended, or a system without /proc.
    pub fn processor_time(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        // proc(5): the fields after the name in parentheses begin with the third; 14 and 15 are ticks of 10 ms.
        let fields = stat.rsplit_once(')').context("a name")?.1;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        Ok(Duration::from_millis(10 * ticks.sum::<Result<u64, _>>()?))
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// The process is gone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("could not name a process")?;
        kill_process(pid, signal).with_context(|| format!("could not signal {}", self.name))
    }

    /// Kills it with SIGKILL and waits until it is gone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().with_context(|| format!("could not kill {}", self.name))?;
        self.child.wait().map(|_| ()).context("could not wait for a killed process")
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It does not within `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> anyhow::Result<ExitStatus> {
        eventually(&format!("{} ends", self.name), deadline, || self.ended())
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system refuses to tell.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        let mut children = children();
        let status = self.child.try_wait().context("could not look at a process")?;
        if status.is_some() {
            children.remove(&self.child.id());
        }
        Ok(status)
    }

    /// True until it has ended.
    ///
    /// # Errors
    /// The system refuses to tell.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self.ended()?.is_none())
    }

    /// Stops it with SIGTERM; it has to end in order.
    ///
    /// # Errors
    /// It does not end within `deadline`, or ends with a failure.
    pub fn stop(mut self, deadline: Duration) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        let status = self.wait(deadline)?;
        ensure!(status.success(), "{} ended with {status} after SIGTERM", self.name);
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        children().remove(&self.child.id());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PATIENCE;

    const ROLE: &str = "TEST_PARENT_IN";

    /// What the test below starts: a program with a child, which writes the child's id into a file.
    #[test]
    fn parent() -> anyhow::Result<()> {
        #[expect(clippy::disallowed_methods, reason = "the test below tells the program its part")]
        let Ok(directory) = std::env::var(ROLE) else { return Ok(()) };
        end_children_on_signals()?;
        let mut sleeper = Command::new("sleep");
        sleeper.arg("600");
        let child = Process::spawn("sleeper", sleeper, Path::new(&directory))?;
        let (written, shown) = (format!("{directory}/written"), format!("{directory}/pid"));
        std::fs::write(&written, child.child.id().to_string())?;
        std::fs::rename(written, shown)?;
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn a_program_that_is_told_to_end_leaves_no_child_behind() -> anyhow::Result<()> {
        let directory = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "process::tests::parent"]).env(ROLE, directory.path());
        let mut parent = Process::spawn("parent", command, directory.path())?;
        let pid = eventually("it has a child", PATIENCE, || {
            Ok(std::fs::read_to_string(directory.path().join("pid")).ok())
        })?;
        let is_alive = || std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty());
        assert!(is_alive());
        parent.signal(Signal::TERM)?;
        assert_eq!(parent.wait(PATIENCE)?.code(), Some(STOPPED));
        eventually("its child is gone", PATIENCE, || Ok((!is_alive()).then_some(())))?;
        Ok(())
    }
}
