//! Proves that a broker killed under load changes no digest, not even where it forgets what it had decided: it is killed
//! and started again, import after import, until its start had to write markers that the kill had lost; then the same
//! chats are imported in peace, and both runs are compared.
//!
//! `broker_kills DIRECTORY [LOSSES]`: writes `killed.jsonl` and `undisturbed.jsonl` into the directory; goes on until so
//! many kills have lost markers (1). It needs `TEST_GISTMILL_BINARY` and some minutes. Stopped before its end, it takes
//! its units with it and leaves its stack running: `gistmill stack down --data-dir` ends that.

use anyhow::{Context, ensure};
use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tests::{
    Chat, Isolation, OpenTransactions, OwnStack, Pipeline, Process, Seen, TENANT, differences,
    end_children_on_signals, eventually, read, settle_within,
};

/// Longest wait for what takes seconds in peace.
const LONG: Duration = Duration::from_mins(10);
/// Most kills lose nothing: the broker writes markers within milliseconds, and may remember them at its start.
const KILLS_MAX: i64 = 80;
/// Days of the chat that is imported before each kill: more than are digested until then.
const CHAT_DAYS: i64 = 400;
/// Says that a kill has.
const LOST: &str = "wrote the missing";
/// What tells that the whole pipeline is at work.
const LAST_STAGE: &str = "digest.stage.synthesis.completed.v1";

struct Story<'a> {
    began: Instant,
    own: &'a OwnStack,
}

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().context("usage: broker_kills DIRECTORY [LOSSES]")?);
    let losses = arguments.next().map_or(Ok(1), |losses| losses.parse()).context("LOSSES is a number")?;
    let binary =
        std::env::var_os("TEST_GISTMILL_BINARY").context("TEST_GISTMILL_BINARY names no gistmill")?;
    let own = OwnStack::start_with(binary.into())?;
    let story = Story { began: Instant::now(), own: &own };
    let (chats, killed) = story.killed(&directory, losses)?;
    let undisturbed = story.undisturbed(&directory, &chats)?;
    let differences = differences(&undisturbed, &killed);
    ensure!(differences.is_empty(), "{} records differ, first {:?}", differences.len(), differences.first());
    story.say(&format!("every topic has the same {} records in both runs", killed.len()))
}

impl Story<'_> {
    fn say(&self, text: &str) -> anyhow::Result<()> {
        writeln!(stdout(), "{:7.1} s  {text}", self.began.elapsed().as_secs_f64()).context("could not write")
    }

    /// Imports a chat after the other, and kills the broker again and again meanwhile.
    fn killed(&self, directory: &Path, losses: usize) -> anyhow::Result<(Vec<Chat>, Vec<Seen>)> {
        let pipeline = Pipeline::start_on(self.own.addresses()?, "killed")?;
        let mut up = pipeline.spawn("up", &["up"], &[])?;
        let (mut chats, mut imports, mut lost) = (Vec::new(), Vec::new(), 0);
        for number in 0..KILLS_MAX {
            let before = eventually("the broker is back", LONG, || Ok(progress(&pipeline)))?;
            let chat = Chat::new(&format!("chat_{}", chats.len()), CHAT_DAYS, 8);
            imports.push(import(&pipeline, &chat)?);
            chats.push(chat);
            // At another distance each time.
            let more = 20 + (number * 37) % 180;
            eventually("digests are being made", LONG, || {
                Ok(progress(&pipeline).filter(|now| *now >= before + more))
            })?;
            lost += usize::from(self.kill(number + 1)? > 0);
            if lost == losses {
                break;
            }
        }
        ensure!(lost == losses, "{KILLS_MAX} kills, {lost} of which lost markers");
        for mut import in imports {
            ensure!(import.wait(LONG)?.success(), "the import failed: {}", import.log()?);
        }
        let seen = self.at_rest("killed", &pipeline, directory)?;
        ensure!(up.is_running()?, "up has ended: {}", up.log()?);
        up.stop(LONG)?;
        pipeline.finish()?;
        Ok((chats, seen))
    }

    /// Kills the broker and starts it again; how many markers that start had to write.
    fn kill(&self, number: i64) -> anyhow::Result<usize> {
        OwnStack::kill(self.own.pid("kafka")?)?;
        let said = self.own.restart_aloud()?;
        let wrote: Vec<&str> = said.lines().filter(|line| line.contains(LOST)).collect();
        self.say(&format!("kill {number}: {} markers had been lost", wrote.len()))?;
        wrote.iter().try_for_each(|line| self.say(&format!("    {line}")))?;
        Ok(wrote.len())
    }

    fn undisturbed(&self, directory: &Path, chats: &[Chat]) -> anyhow::Result<Vec<Seen>> {
        let pipeline = Pipeline::start_on(self.own.addresses()?, "undisturbed")?;
        let up = pipeline.up_without(&[])?;
        for chat in chats {
            let mut import = import(&pipeline, chat)?;
            ensure!(import.wait(LONG)?.success(), "the import failed: {}", import.log()?);
        }
        let seen = self.at_rest("undisturbed", &pipeline, directory)?;
        up.stop(LONG)?;
        pipeline.finish()?;
        Ok(seen)
    }

    /// Waits for rest, shows that nothing hangs, and writes the canonical export.
    fn at_rest(&self, name: &str, pipeline: &Pipeline, directory: &Path) -> anyhow::Result<Vec<Seen>> {
        settle_within(pipeline, &[], LONG)?;
        let hanging = pipeline.gistmill(&["txn", "ls"])?;
        let export = pipeline.gistmill(&["digest", "export", "--tenant", TENANT, "--canonical"])?;
        std::fs::write(directory.join(format!("{name}.jsonl")), &export)?;
        let seen = read(pipeline, Isolation::Committed)?;
        let (records, digests) = (seen.len(), export.lines().count());
        self.say(&format!("{name}: at rest, {records} records, {digests} digests; {}", hanging.trim()))?;
        Ok(seen)
    }
}

/// How far the last stage is. None while the broker is not itself yet: a client from before would go on asking in vain.
fn progress(pipeline: &Pipeline) -> Option<i64> {
    OpenTransactions::on(pipeline, &[LAST_STAGE]).and_then(|stage| stage.stable()).ok()
}

fn import(pipeline: &Pipeline, chat: &Chat) -> anyhow::Result<Process> {
    let file = chat.write(pipeline.directory())?;
    let file = file.to_str().context("could not name a file")?;
    pipeline.spawn(&format!("import-{}", chat.group), &Pipeline::import_arguments(file, &chat.group), &[])
}
