//! Programs that are run to their end, such as Maven and initdb, with their output kept for the error message.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::error::at;
use crate::logs::tail;
use crate::progress::Reporter;

/// How often a long step says that it still goes on.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);

/// Runs a command quietly; `work` is a directory for its output. A failure carries the end of that output.
pub(crate) fn run(what: &str, command: &mut Command, work: &Path, reporter: &Reporter) -> Result<(), Error> {
    run_fed(what, command, Stdio::null(), work, reporter)
}

/// Like [`run`], with something to read on standard input.
pub(crate) fn run_fed(
    what: &str,
    command: &mut Command,
    input: Stdio,
    work: &Path,
    reporter: &Reporter,
) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let base = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = work.join(format!("{base}.output"));
    let stdout = File::create(&output).map_err(at("create", &output))?;
    let stderr = stdout.try_clone().map_err(at("open", &output))?;
    let failed = |source| Error::Spawn { program: program.clone(), source };
    let mut child = command.stdin(input).stdout(stdout).stderr(stderr).spawn().map_err(failed)?;
    let succeeded = wait(what, &mut child, reporter).map_err(failed)?;
    let end = (!succeeded).then(|| tail(&output, 0, 30));
    fs::remove_file(&output).map_err(at("delete", &output))?;
    end.map_or(Ok(()), |tail| Err(Error::Tool { what: what.to_owned(), tail }))
}

/// Waits for the end, saying now and then that it is still awaited.
fn wait(what: &str, child: &mut Child, reporter: &Reporter) -> io::Result<bool> {
    let mut said = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if said.elapsed() >= HEARTBEAT {
            reporter.say("software", format!("still busy: {what} …"));
            said = Instant::now();
        }
        thread::sleep(Duration::from_millis(10));
    }
}
