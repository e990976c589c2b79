//! Breaks a pipeline in every way that it knows, for some minutes, and then checks every invariant.
//!
//! `chaos DIRECTORY --seed S --minutes M --fault NAME|all [--other GISTMILL] [--brokers 3] [--json]`, with `TEST_GISTMILL_BINARY`: a stack
//! of its own, every unit a process of its own behind fronts of its own, made-up chats with edits, deletions and late
//! messages. After quiet the same files are imported into a pipeline that is left alone, and both are compared.
//! `tests/chaos` builds and runs it.

mod checks;
mod events;
mod faults;
mod ground;
mod load;
mod units;

use anyhow::{Context, bail, ensure};
use checks::Finding;
use faults::Fault;
use ground::Ground;
use load::Load;
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{Write, stderr, stdout},
    path::PathBuf,
    time::{Duration, Instant},
};
use tests::{Die, OwnStack, Pipeline, Stack, ThreeBrokers, end_children_on_signals, settle_within};
use units::Units;

const USAGE: &str = "usage: chaos DIRECTORY [--seed S] [--minutes M] [--fault NAME|all] [--every MS] [--other GISTMILL] \
     [--json]";
/// Longest wait for rest.
const LONG: Duration = Duration::from_mins(15);

/// What was asked for.
struct Asked {
    directory: PathBuf,
    seed: u64,
    minutes: u64,
    faults: Vec<Fault>,
    every: Duration,
    other: Option<PathBuf>,
    has_three_brokers: bool,
    json: bool,
}

impl Asked {
    fn read() -> anyhow::Result<Self> {
        let mut words = std::env::args().skip(1);
        let directory = PathBuf::from(words.next().context(USAGE)?);
        let mut asked = Self {
            directory,
            seed: 1,
            minutes: 5,
            faults: Fault::ALL.to_vec(),
            every: Duration::from_millis(800),
            other: None,
            has_three_brokers: false,
            json: false,
        };
        while let Some(word) = words.next() {
            if word == "--json" {
                asked.json = true;
                continue;
            }
            let value = words.next().context(USAGE)?;
            match word.as_str() {
                "--seed" => asked.seed = value.parse::<u64>().context("--seed is a number above 0")?.max(1),
                "--minutes" => asked.minutes = value.parse().context("--minutes is a number")?,
                "--every" => {
                    asked.every = Duration::from_millis(value.parse().context("--every is a number of ms")?);
                }
                "--other" => {
                    asked.other = Some(PathBuf::from(value).canonicalize().context("--other names no file")?);
                }
                "--brokers" => {
                    asked.has_three_brokers = match value.as_str() {
                        "1" => false,
                        "3" => true,
                        _ => bail!("--brokers is 1 or 3"),
                    };
                }
                "--fault" if value == "all" => {}
                "--fault" => {
                    asked.faults = value.split(',').map(Fault::named).collect::<anyhow::Result<_>>()?;
                }
                _ => bail!("{word} is unknown; {USAGE}"),
            }
        }
        if asked.other.is_none() {
            // Without another release there is nothing to exchange: asked for by name, that is a mistake.
            let is_named = asked.faults != Fault::ALL;
            ensure!(!is_named || !asked.faults.contains(&Fault::Exchange), "exchange needs --other GISTMILL");
            asked.faults.retain(|fault| *fault != Fault::Exchange);
        }
        Ok(asked)
    }
}

/// What happened in the minutes of chaos.
struct Told {
    faults: BTreeMap<&'static str, u32>,
    rest_after: Duration,
    findings: Vec<Finding>,
    records: usize,
    imports: usize,
    lines: usize,
}

struct Chaos {
    asked: Asked,
    began: Instant,
}

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let chaos = Chaos { asked: Asked::read()?, began: Instant::now() };
    let binary =
        std::env::var_os("TEST_GISTMILL_BINARY").context("TEST_GISTMILL_BINARY names no gistmill")?;
    // Never another one's: what is broken here is broken for everybody on it.
    let own = OwnStack::start_with(binary.into())?;
    let brokers = chaos.asked.has_three_brokers.then(|| ThreeBrokers::start(&own)).transpose()?;
    let told = chaos.run(&own, brokers)?;
    chaos.report(&told)?;
    ensure!(told.findings.is_empty(), "{} invariants do not hold", told.findings.len());
    Ok(())
}

impl Chaos {
    fn say(&self, text: &str) {
        // Progress is for whoever looks on.
        drop(writeln!(stderr(), "{:7.1} s  {text}", self.began.elapsed().as_secs_f64()));
    }

    fn run(&self, own: &OwnStack, brokers: Option<ThreeBrokers>) -> anyhow::Result<Told> {
        let mut stack: Stack = own.addresses()?;
        if let Some(brokers) = &brokers {
            stack.brokers = brokers.addresses();
        }
        let pipeline = Pipeline::start_on(stack.clone(), "chaos")?;
        let mut units = Units::start(&pipeline, Ground::new(own, brokers), self.asked.other.as_deref())?;
        let reader = checks::LiveReader::start(&stack, &pipeline)?;
        let mut load = Load::new(&self.asked.directory);
        let faults = self.break_things(&mut units, &mut load)?;
        self.say("no more faults; waiting for rest");
        units.mend()?;
        let calm = Instant::now();
        load.finish(&pipeline, &mut units)?;
        let seen = settle_within(&pipeline, &[], LONG)?.into_seen();
        let rest_after = calm.elapsed();
        self.say(&format!("at rest after {:.1} s: {} records", rest_after.as_secs_f64(), seen.len()));
        let mut findings = reader.finish(&seen)?;
        findings.extend(checks::ended(&units.ended()?));
        findings.extend(checks::alone(&pipeline, &seen, load.files())?);
        self.say("importing the same into a pipeline that is left alone");
        let undisturbed = Pipeline::start_on(stack, "undisturbed")?;
        let up = undisturbed.up_without(&[])?;
        for (group, file) in load.files() {
            undisturbed.import(file, group)?;
        }
        let expected = settle_within(&undisturbed, &[], LONG)?.into_seen();
        findings.extend(checks::compared((&undisturbed, &expected), (&pipeline, &seen))?);
        let told = Told {
            faults,
            rest_after,
            findings,
            records: seen.len(),
            imports: load.files().count(),
            lines: load.lines(),
        };
        drop((up, units));
        // They end with the stack, which is their own.
        undisturbed.leave();
        pipeline.leave();
        Ok(told)
    }

    /// One fault after another, and one import after another, until the time is up.
    fn break_things(
        &self,
        units: &mut Units,
        load: &mut Load,
    ) -> anyhow::Result<BTreeMap<&'static str, u32>> {
        let (mut die, mut faults) = (Die::from_seed(self.asked.seed), BTreeMap::new());
        let until = Instant::now() + Duration::from_mins(self.asked.minutes);
        let mut next = Instant::now();
        while Instant::now() < until {
            load.go_on(units, &mut die)?;
            units.look_after()?;
            for what in units.sprung() {
                *faults.entry(what).or_default() += 1;
            }
            if Instant::now() >= next {
                next = Instant::now() + self.asked.every;
                let fault = self.asked.faults[die.roll(self.asked.faults.len() as u64) as usize];
                if let Some(what) = fault.inject(units, load, &mut die)? {
                    *faults.entry(what).or_default() += 1;
                    let count: u32 = faults.values().sum();
                    if count.is_multiple_of(25) {
                        self.say(&format!("{count} faults, {} imports", load.files().count()));
                    }
                }
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Ok(faults)
    }

    fn report(&self, told: &Told) -> anyhow::Result<()> {
        let count: u32 = told.faults.values().sum();
        let findings: Vec<String> = told.findings.iter().map(ToString::to_string).collect();
        let report = json!({
            "seed": self.asked.seed,
            "minutes": self.asked.minutes,
            "faults": count,
            "by_fault": told.faults,
            "imports": told.imports,
            "lines": told.lines,
            "records_checked": told.records,
            "rest_after_s": told.rest_after.as_secs_f64(),
            "violations": findings,
        });
        let mut out = stdout();
        if self.asked.json {
            return writeln!(out, "{report}").context("could not write the report");
        }
        writeln!(out, "seed {}, {} minutes: {count} faults", self.asked.seed, self.asked.minutes)?;
        for (fault, count) in &told.faults {
            writeln!(out, "  {count:5}  {fault}")?;
        }
        writeln!(
            out,
            "{} imports of {} lines; {} records on the topics checked; at rest {:.1} s after the last fault",
            told.imports,
            told.lines,
            told.records,
            told.rest_after.as_secs_f64()
        )?;
        for finding in &findings {
            writeln!(out, "VIOLATION  {finding}")?;
        }
        writeln!(out, "{} violations", findings.len())?;
        Ok(())
    }
}
