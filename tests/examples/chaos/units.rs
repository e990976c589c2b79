//! Every unit of a pipeline as a process of its own, behind fronts of its own; some of them up to four times.

use crate::ground::Ground;
use anyhow::Context;
use rustix::process::{Pid, Signal};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};
use tests::{Act, Call, Die, Front, Pipeline, Process, Wire};

/// Units besides the map's processors.
const CONNECTORS: [&str; 3] = ["postgres_sink", "file_sink", "postgres_outbox_source"];
/// Instances of a unit besides its first.
const MORE: [&str; 3] = ["second", "third", "fourth"];
/// Between two starts of a unit: one that ends by itself at once is not to fill the machine.
const RESTART_EVERY: Duration = Duration::from_millis(300);
/// Longest wait for a call to come that is lain in wait for.
const CATCH: Duration = Duration::from_secs(4);
/// Time in which a process that was told to stop ends.
const DRAIN: Duration = Duration::from_secs(15);

/// One process.
pub(crate) struct Unit {
    pub(crate) name: String,
    /// Name of the instance; all of a unit but the first have one.
    instance: Option<&'static str>,
    process: Option<Process>,
    started: Instant,
    /// Suspended until then.
    sleeps_until: Option<Instant>,
    /// Whether its next process is of the other release.
    is_other: bool,
    pub(crate) kafka: Front,
    pub(crate) postgres: Front,
}

impl Unit {
    fn behind_fronts(
        name: &str,
        instance: Option<&'static str>,
        pipeline: &Pipeline,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            instance,
            process: None,
            started: Instant::now(),
            sleeps_until: None,
            is_other: false,
            kafka: Front::of(&pipeline.stack.brokers, Wire::Kafka)?,
            postgres: Front::of(postgres_address(&pipeline.stack.postgres_url)?, Wire::Postgres)?,
        })
    }

    /// Variables that lead a process to the fronts.
    fn variables(&self, pipeline: &Pipeline) -> anyhow::Result<Vec<(&'static str, String)>> {
        let direct = postgres_address(&pipeline.stack.postgres_url)?;
        let postgres = pipeline.stack.postgres_url.replace(direct, &self.postgres.address());
        let mut variables =
            vec![("GISTMILL_KAFKA__BROKERS", self.kafka.address()), ("GISTMILL_POSTGRES__URL", postgres)];
        variables.extend(self.instance.map(|instance| ("GISTMILL_INSTANCE", instance.to_owned())));
        Ok(variables)
    }

    fn start(&mut self, pipeline: &Pipeline, other: Option<&Path>) -> anyhow::Result<()> {
        let binary = other.filter(|_| self.is_other).unwrap_or(&pipeline.stack.binary);
        let mut command = pipeline.command_of(binary, &["run", &self.name]);
        command.envs(self.variables(pipeline)?);
        let name = format!("{}{}", self.name, self.instance.unwrap_or_default());
        self.process = Some(Process::spawn(&name, command, pipeline.directory())?);
        (self.started, self.sleeps_until) = (Instant::now(), None);
        Ok(())
    }

    /// Its process, while it runs.
    pub(crate) fn pid(&mut self) -> anyhow::Result<Option<Pid>> {
        let Some(process) = &mut self.process else { return Ok(None) };
        if !process.is_running()? {
            return Ok(None);
        }
        let number = i32::try_from(process.id()).context("a process number")?;
        Ok(Pid::from_raw(number))
    }

    pub(crate) fn kill(&mut self) -> anyhow::Result<bool> {
        match self.process.take() {
            Some(process) => process.kill().map(|()| true),
            None => Ok(false),
        }
    }

    /// Sends SIGTERM; the process ends when it has committed what is complete.
    pub(crate) fn terminate(&mut self) -> anyhow::Result<bool> {
        self.signal(Signal::TERM)
    }

    /// Suspends it for some time.
    pub(crate) fn sleep(&mut self, time: Duration) -> anyhow::Result<bool> {
        let slept = self.signal(Signal::STOP)?;
        self.sleeps_until = slept.then(|| Instant::now() + time);
        Ok(slept)
    }

    fn wake(&mut self) -> anyhow::Result<()> {
        if self.sleeps_until.take().is_some() {
            self.signal(Signal::CONT)?;
        }
        Ok(())
    }

    fn signal(&mut self, signal: Signal) -> anyhow::Result<bool> {
        if self.pid()?.is_none() {
            return Ok(false);
        }
        // It may end between the look and the signal.
        Ok(self.process.as_ref().is_some_and(|process| process.signal(signal).is_ok()))
    }
}

fn postgres_address(url: &str) -> anyhow::Result<&str> {
    let after = url.rsplit_once('@').context("an address of Postgres")?.1;
    Ok(after.split(['/', '?']).next().unwrap_or(after))
}

/// All of them, and the stack under them.
pub(crate) struct Units<'a> {
    pipeline: &'a Pipeline,
    pub(crate) ground: Ground<'a>,
    /// Another release's program.
    other: Option<&'a Path>,
    pub(crate) all: Vec<Unit>,
    /// Whoever imports is behind a front too.
    pub(crate) importer: Unit,
    /// Fronts that are slow or down, until when.
    weather: Vec<(usize, Instant)>,
    /// Calls that are lain in wait for, until when, and what happens in them.
    traps: Vec<(Front, Instant, &'static str)>,
}

impl<'a> Units<'a> {
    pub(crate) fn start(
        pipeline: &'a Pipeline,
        ground: Ground<'a>,
        other: Option<&'a Path>,
    ) -> anyhow::Result<Self> {
        let processors = pipeline.map.processors().map(|processor| processor.name.as_str());
        let mut all = Vec::new();
        for name in processors.chain(CONNECTORS) {
            let mut unit = Unit::behind_fronts(name, None, pipeline)?;
            unit.start(pipeline, other)?;
            all.push(unit);
        }
        let importer = Unit::behind_fronts("import", None, pipeline)?;
        Ok(Self { pipeline, ground, other, all, importer, weather: Vec::new(), traps: Vec::new() })
    }

    pub(crate) fn any(&mut self, die: &mut Die) -> &mut Unit {
        let index = die.roll(self.all.len() as u64) as usize;
        &mut self.all[index]
    }

    /// Starts an import behind its front.
    pub(crate) fn import(&self, arguments: &[&str]) -> anyhow::Result<Process> {
        let variables = self.importer.variables(self.pipeline)?;
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.pipeline.spawn("import", arguments, &variables)
    }

    /// A unit gets another process, or loses one that it has besides its first; whether it got one.
    pub(crate) fn scale(&mut self, die: &mut Die) -> anyhow::Result<bool> {
        let index = die.roll(self.all.len() as u64) as usize;
        let name = self.all[index].name.clone();
        let here = |instance: &str| {
            let is_it = |unit: &Unit| unit.name == name && unit.instance == Some(instance);
            self.all.iter().position(is_it)
        };
        let (there, free): (Vec<_>, Vec<_>) = MORE.into_iter().partition(|instance| here(instance).is_some());
        let last = there.last().and_then(|instance| here(instance));
        match (last, free.first()) {
            // Once there are more, as many come as go.
            (Some(last), next) if next.is_none() || die.roll(2) == 0 => {
                self.all[last].kill()?;
                self.all.remove(last);
                self.weather.clear();
                self.clear_weather();
                Ok(false)
            }
            (_, Some(next)) => {
                let mut more = Unit::behind_fronts(&name, Some(next), self.pipeline)?;
                more.start(self.pipeline, self.other)?;
                self.all.push(more);
                Ok(true)
            }
            (_, None) => Ok(false),
        }
    }

    /// A unit is stopped, and goes on as the other release; whether that is the other one of the two.
    pub(crate) fn exchange(&mut self, die: &mut Die) -> anyhow::Result<Option<bool>> {
        let unit = self.any(die);
        if !unit.terminate()? {
            return Ok(None);
        }
        unit.is_other = !unit.is_other;
        Ok(Some(unit.is_other))
    }

    /// Something happens to the connections of a unit, for some time.
    pub(crate) fn weather(&mut self, die: &mut Die, make: impl Fn(&Front)) {
        let index = die.roll(self.all.len() as u64) as usize;
        make(if die.roll(3) == 0 { &self.all[index].postgres } else { &self.all[index].kafka });
        self.weather.push((index, Instant::now() + Duration::from_millis(500 + die.roll(6_000))));
    }

    fn clear_weather(&mut self) {
        for unit in &self.all {
            for front in [&unit.kafka, &unit.postgres] {
                front.slow_down(Duration::ZERO, 0);
                front.go_down(false);
            }
        }
    }

    /// Lies in wait for a call of a unit, for a while.
    pub(crate) fn lie_in_wait(&mut self, (front, call): (Front, Call), act: Act, what: &'static str) {
        front.lie_in_wait(call, act);
        self.traps.push((front, Instant::now() + CATCH, what));
    }

    /// What has happened in calls since the last look.
    pub(crate) fn sprung(&mut self) -> Vec<&'static str> {
        let now = Instant::now();
        let mut sprung = Vec::new();
        self.traps.retain(|(front, until, what)| {
            if front.is_sprung() {
                sprung.push(*what);
                return false;
            }
            if now >= *until && front.has_sprung() {
                sprung.push(*what);
            }
            now < *until
        });
        sprung
    }

    /// Units that do not run.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Vec<String>> {
        let mut ended = Vec::new();
        for unit in &mut self.all {
            if unit.pid()?.is_none() {
                ended.push(unit.name.clone());
            }
        }
        Ok(ended)
    }

    /// Starts again what has ended, wakes what has slept enough, and lets bad weather pass.
    pub(crate) fn look_after(&mut self) -> anyhow::Result<()> {
        self.ground.look_after()?;
        let now = Instant::now();
        for unit in &mut self.all {
            if unit.sleeps_until.is_some_and(|until| now >= until) {
                unit.wake()?;
            }
            if unit.sleeps_until.is_none() && unit.pid()?.is_none() && unit.started.elapsed() > RESTART_EVERY
            {
                unit.start(self.pipeline, self.other)?;
            }
        }
        let (over, left): (Vec<_>, Vec<_>) = self.weather.drain(..).partition(|(_, until)| now >= *until);
        self.weather = left;
        for (index, _) in over {
            let Some(unit) = self.all.get(index) else { continue };
            for front in [&unit.kafka, &unit.postgres] {
                front.slow_down(Duration::ZERO, 0);
                front.go_down(false);
            }
        }
        Ok(())
    }

    /// No fault is left, and every unit runs.
    pub(crate) fn mend(&mut self) -> anyhow::Result<()> {
        self.ground.mend()?;
        self.weather.clear();
        self.clear_weather();
        for unit in &mut self.all {
            unit.kafka.has_sprung();
            unit.postgres.has_sprung();
            unit.wake()?;
        }
        self.traps.clear();
        // Some are still on their way out.
        let until = Instant::now() + DRAIN;
        while Instant::now() < until {
            self.look_after()?;
            thread::park_timeout(RESTART_EVERY);
        }
        Ok(())
    }
}
