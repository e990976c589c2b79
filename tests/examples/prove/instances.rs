//! Three processes with every unit each, killed and stopped in turn while chats are imported: none ends by itself.

use crate::{Inputs, LONG, Proof};
use anyhow::{Context, ensure};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tests::{
    Chat, Isolation, PATIENCE, Pipeline, Process, Readiness, assert_once, eventually, free_port, read,
    settle_within,
};

const NAMES: [&str; 3] = ["a", "b", "c"];
/// Days and messages of each import.
const SIZE: (i64, usize) = (10, 12);

struct Instance {
    name: &'static str,
    process: Process,
    port: u16,
}

impl Instance {
    fn start(pipeline: &Pipeline, name: &'static str) -> anyhow::Result<Self> {
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let variables = [("GISTMILL_INSTANCE", name), ("GISTMILL_HTTP__LISTEN", &*listen)];
        let process = pipeline.spawn(&format!("up-{name}"), &["up"], &variables)?;
        Ok(Self { name, process, port })
    }

    fn is_ready(&mut self) -> anyhow::Result<()> {
        eventually(&format!("{} is ready", self.name), LONG, || {
            ensure!(self.process.is_running()?, "{} ended by itself: {}", self.name, self.process.log()?);
            Ok(Readiness::at(self.port)?.filter(|found| found.is_ready).map(drop))
        })
    }
}

impl Proof {
    /// Disturbs for so long; gives the processes, all three alive, and what was imported, in order.
    pub(crate) fn instances(
        &self,
        pipeline: &Pipeline,
        directory: &Path,
        minutes: Duration,
    ) -> anyhow::Result<(Vec<Process>, Inputs)> {
        let mut instances: Vec<Instance> =
            NAMES.iter().map(|name| Instance::start(pipeline, name)).collect::<anyhow::Result<_>>()?;
        instances.iter_mut().try_for_each(Instance::is_ready)?;
        let (until, mut inputs) = (Instant::now() + minutes, Inputs::new());
        while Instant::now() < until {
            let round = inputs.len();
            let first_day = (round / NAMES.len()) as i64 * SIZE.0;
            let chat = Chat::later(&format!("round_{}", round % NAMES.len()), first_day, SIZE.0, SIZE.1);
            let file = chat.write(directory)?;
            pipeline.import(&file, &chat.group)?;
            inputs.push((chat.group.clone(), file));
            self.disturb(pipeline, &mut instances, round)?;
        }
        let seen = settle_within(pipeline, &[], LONG)?;
        assert_once(seen.seen());
        assert_once(&read(pipeline, Isolation::Committed)?);
        instances.iter_mut().try_for_each(Instance::is_ready)?;
        let lag = pipeline.gistmill(&["lag"])?;
        self.say(&format!("disturbed: {} imports, each with a process ended\n{lag}", inputs.len()))?;
        assert_three(&pipeline.gistmill(&["lag", "--json"])?)?;
        Ok((instances.into_iter().map(|instance| instance.process).collect(), inputs))
    }

    /// Ends one of them in mid-stream, by SIGKILL and by SIGTERM in turn; starts it again at once, or when the others
    /// have done its work.
    fn disturb(
        &self,
        pipeline: &Pipeline,
        instances: &mut Vec<Instance>,
        round: usize,
    ) -> anyhow::Result<()> {
        let Instance { name, process, .. } = instances.remove(0);
        let (kills, waits) = (round.is_multiple_of(2), round % 4 < 2);
        if kills {
            process.kill()?;
        } else {
            process.stop(PATIENCE)?;
        }
        if waits {
            settle_within(pipeline, &[], LONG)?;
        }
        instances.push(Instance::start(pipeline, name)?);
        instances.iter_mut().try_for_each(Instance::is_ready)?;
        self.say(&format!(
            "disturbed: {name} {}, started again {}; all three are ready",
            if kills { "killed" } else { "stopped" },
            if waits { "after the others had come to rest" } else { "at once" }
        ))
    }
}

/// `lag` sees three of each unit.
fn assert_three(lag: &str) -> anyhow::Result<()> {
    let lag: serde_json::Value = serde_json::from_str(lag).context("could not read lag")?;
    for unit in ["units", "outboxes"].iter().flat_map(|kind| lag[kind].as_array().into_iter().flatten()) {
        ensure!(unit["members"] == NAMES.len(), "lag shows {} of {}", unit["members"], unit["unit"]);
    }
    Ok(())
}
