//! The disk that digests are written to is full. It is a file system in memory, which fills by being made smaller.

use crate::{
    look::Expected,
    round::{Round, imported},
};
use anyhow::{Context, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Enough for `doctor`, and memory only as far as it is written.
const ROOMY: &str = "size=2g";

/// A mounted disk; gone when dropped.
#[derive(Debug)]
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Mounts one, if this user may; or why not.
    pub(crate) fn mount(at: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(at).map_err(|error| format!("could not make {}: {error}", at.display()))?;
        let disk = Self(at.to_owned());
        match disk.run("mount", &["-t", "tmpfs", "-o", ROOMY, "tmpfs"]) {
            Ok(()) => Ok(disk),
            Err(error) => Err(format!("a small disk could not be mounted ({error:#}): try it as root")),
        }
    }

    /// Where digests go.
    pub(crate) fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    fn grow(&self) -> anyhow::Result<()> {
        self.run("mount", &["-o", &format!("remount,{ROOMY}")])
    }

    /// Leaves room for nothing more than is there.
    fn fill(&self) -> anyhow::Result<()> {
        let room = rustix::fs::statvfs(&self.0).context("could not look at the disk")?;
        let used = (room.f_blocks - room.f_bfree).max(1) * room.f_frsize;
        self.run("mount", &["-o", &format!("remount,size={used}")])
    }

    /// As this user, or as root where that takes no password.
    fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let run = |command: &mut Command| {
            let output = command.args(arguments).arg(&self.0).output().context("could not run mount")?;
            ensure!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr).trim_end().to_owned()
            );
            Ok(())
        };
        run(&mut Command::new(program))
            .or_else(|error| run(Command::new("sudo").args(["-n", program])).map_err(|_| error))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = self.run("umount", &[]) {
            eprintln!("could not unmount {}: {error:#}", self.0.display());
        }
    }
}

pub(crate) fn step(round: &mut Round<'_>, disk: &Disk) -> anyhow::Result<()> {
    round.heading("the disk of the digests is full, and a chat is imported")?;
    disk.fill()?;
    let import = round.import()?;
    imported(import)?;
    round.say(
        "so it is: there is no room for a digest; they are kept in Postgres, and everybody else goes on",
    )?;
    round.told(&Expected {
        log: &["file_sink", "No space left on device"],
        readyz: &["file_sink: ", "No space left on device"],
        lag: &["file_sink"],
        doctor: &["has 0 MiB free"],
        unwell: &["files"],
        nowhere: &["could not reach"],
        ..Expected::default()
    })?;

    round.heading("there is room again")?;
    disk.grow()?;
    round.healed(&Expected::default())
}
