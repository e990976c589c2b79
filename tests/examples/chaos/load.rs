//! What is imported meanwhile: chats of some groups, days later each time, and afterthoughts: messages of days past that
//! are edited or deleted now, or come late.

use crate::units::Units;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tests::{Chat, Die, Pipeline, Process, eventually};

const GROUPS: u64 = 4;
/// Days and messages a day of each import.
const SIZE: (i64, usize) = (20, 14);
/// Between two imports.
const EVERY: Duration = Duration::from_millis(2_500);

/// Imports, one at a time and each to its end, however often it is killed.
pub(crate) struct Load {
    directory: PathBuf,
    done: Vec<(String, PathBuf)>,
    chats: Vec<Chat>,
    lines: usize,
    running: Option<(Process, String, PathBuf)>,
    last: Option<Instant>,
}

impl Load {
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            done: Vec::new(),
            chats: Vec::new(),
            lines: 0,
            running: None,
            last: None,
        }
    }

    /// Groups and files imported, in order.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.done.iter().map(|(group, file)| (group.as_str(), file.as_path()))
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines
    }

    /// Starts the next import where it is time to, and one that has failed or was killed again.
    pub(crate) fn go_on(&mut self, units: &Units<'_>, die: &mut Die) -> anyhow::Result<()> {
        if let Some((process, group, file)) = &mut self.running {
            let Some(ended) = process.ended()? else { return Ok(()) };
            if ended.success() {
                self.done.push((group.clone(), file.clone()));
                (self.running, self.last) = (None, Some(Instant::now()));
            } else {
                *process = units.import(&Pipeline::import_arguments(text(file)?, group))?;
            }
            return Ok(());
        }
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return Ok(());
        }
        let (group, file) = self.next(die)?;
        let process = units.import(&Pipeline::import_arguments(text(&file)?, &group))?;
        self.running = Some((process, group, file));
        Ok(())
    }

    fn next(&mut self, die: &mut Die) -> anyhow::Result<(String, PathBuf)> {
        if self.done.len() % 4 == 3 {
            let of = die.roll(self.chats.len() as u64) as usize;
            return self.afterthought(of, die);
        }
        let group = format!("chaos_{}", self.chats.len() as u64 % GROUPS);
        let first_day = (self.chats.len() as u64 / GROUPS) as i64 * SIZE.0;
        let chat = Chat::later(&group, first_day, SIZE.0, SIZE.1);
        let file = chat.write(&self.directory)?;
        self.lines += chat.lines();
        self.chats.push(chat);
        Ok((group, file))
    }

    /// Two messages of a chat are edited, one is deleted and one comes late.
    fn afterthought(&mut self, of: usize, die: &mut Die) -> anyhow::Result<(String, PathBuf)> {
        let group = self.chats[of].group.clone();
        let written = fs::read_to_string(self.chats[of].write(&self.directory)?)?;
        let lines: Vec<Value> = written.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let said: Vec<&Value> = lines.iter().filter(|line| line["kind"].is_null()).collect();
        let number = self.done.len() as i64;
        let mut thoughts = Vec::new();
        for kind in ["edited", "edited", "deleted", "late"] {
            let mut line = said[die.roll(said.len() as u64) as usize].clone();
            let sent_at = line["sent_at"].as_i64().context("a time")?;
            let at = sent_at + 1_000_000 * (number + 1);
            match kind {
                "edited" => {
                    line["text"] = json!(format!(
                        "{} (seen again, {number})",
                        line["text"].as_str().unwrap_or_default()
                    ));
                    (line["kind"], line["edited_at"]) = (json!(kind), json!(at));
                }
                "deleted" => {
                    line = json!({ "id": line["id"], "kind": kind, "deleted_at": at, "sent_at": sent_at });
                }
                _ => {
                    line["id"] = json!(500_000 + number);
                    line["text"] = json!("I have been late: the backup of that day is fine.");
                    line.as_object_mut().context("a line")?.remove("edited_at");
                }
            }
            thoughts.push(line.to_string());
        }
        let file = self.directory.join(format!("{group}-afterthought-{number}.jsonl"));
        fs::write(&file, thoughts.join("\n"))?;
        self.lines += thoughts.len();
        Ok((group, file))
    }

    /// Kills the import that runs; false where none does.
    pub(crate) fn kill(&mut self) -> bool {
        let Some((process, ..)) = &self.running else { return false };
        process.signal(rustix::process::Signal::KILL).is_ok()
    }

    /// Brings the import that runs to its end.
    pub(crate) fn finish(&mut self, pipeline: &Pipeline, units: &mut Units<'_>) -> anyhow::Result<()> {
        let Some((process, group, file)) = self.running.take() else { return Ok(()) };
        drop(process);
        eventually("the last import ends", crate::LONG, || {
            units.look_after()?;
            Ok(pipeline.import(&file, &group).ok())
        })?;
        self.done.push((group, file));
        ensure!(!self.done.is_empty(), "nothing was imported");
        Ok(())
    }
}

fn text(file: &Path) -> anyhow::Result<&str> {
    file.to_str().context("could not name a file")
}
