//! Inputs of dead letters, written to their topics again: looked at first, then done, and gone on with where it was killed.
//!
//! Invariants: one replay at a time; each chosen input is written once; records and progress share a transaction; nothing is
//! written that would fail again as it did.

mod choose;
mod headers;
mod run;
mod send;

use super::{Error, LetterSelection, Peers, dead_letters::TOPIC, settled::none_is_meant};
use choose::{Choice, Chosen, choose};
pub use run::ReplayRun;
use runtime::{Config, TransactionalProducer, observe::Broker};
use send::{Sender, failed};
use serde::Serialize;
use state::{LetterInput, LetterState, ReplayLock};
use std::collections::{BTreeMap, BTreeSet};
use topology::Map;

/// What to write again, and how.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// Which letters.
    pub selection: LetterSelection,
    /// In which states they are now.
    pub states: BTreeSet<LetterState>,
    /// Put records with a wrong key or partition where they belong.
    pub rekey: bool,
    /// Replays after which an input is parked instead.
    pub attempts_max: i32,
    /// Most records a second. Default: as many as go.
    pub rate: Option<u32>,
    /// Forget a replay of other letters that was interrupted.
    pub abandon: bool,
    /// Who wants it.
    pub actor: String,
}

/// What a replay would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayPlan {
    /// The run.
    pub run: ReplayRun,
    /// It goes on with one that was interrupted.
    pub is_resumed: bool,
    /// Inputs to write again.
    pub inputs: u64,
    /// Those of them that get another key or partition.
    pub rekeyed: u64,
    /// By topic and unit.
    pub by_unit: BTreeMap<String, u64>,
    /// Inputs that were written again too often, and are parked.
    pub parked: u64,
    /// Inputs that would fail again, by reason: left as they are.
    pub unfit: BTreeMap<&'static str, u64>,
    /// Inputs that cannot be written again, by what is gone: left as they are.
    pub gone: BTreeMap<String, u64>,
}

impl ReplayPlan {
    fn of(run: &ReplayRun, chosen: &Chosen) -> Self {
        let mut plan = Self {
            run: run.clone(),
            is_resumed: !run.next.is_empty(),
            inputs: 0,
            rekeyed: 0,
            by_unit: BTreeMap::new(),
            parked: 0,
            unfit: BTreeMap::new(),
            gone: BTreeMap::new(),
        };
        for (input, choice) in chosen.letters.values() {
            match choice {
                Choice::Replay { to } => {
                    plan.inputs += 1;
                    plan.rekeyed += u64::from(to.is_some());
                    let LetterInput { unit, topic, .. } = input;
                    *plan.by_unit.entry(format!("{topic} for {unit}")).or_default() += 1;
                }
                Choice::Park => plan.parked += 1,
                Choice::Unfit(reason) => *plan.unfit.entry(reason).or_default() += 1,
                Choice::Gone(what) => *plan.gone.entry(what.clone()).or_default() += 1,
            }
        }
        plan
    }

    /// Fails when there is nothing to do, and says why.
    fn refuse_nothing(&self, chosen: &Chosen, states: &BTreeSet<LetterState>) -> Result<(), Error> {
        if self.inputs + self.parked > 0 || self.is_resumed {
            return Ok(());
        }
        if chosen.letters.is_empty() {
            return Err(none_is_meant(states));
        }
        let unfit = self.unfit.iter().map(|(reason, count)| {
            let placed = engine::wire_check::is_of_placement(reason);
            let advice = if placed { " (--rekey puts them where they belong)" } else { "" };
            format!("{count} would fail again with {reason}{advice}")
        });
        let gone = self.gone.iter().map(|(what, count)| format!("{count}: {what}"));
        let why: Vec<String> = unfit.chain(gone).collect();
        Err(Error::Refused(format!("none of these inputs can be written again: {}", why.join("; "))))
    }
}

/// What a replay tells of itself.
#[derive(Debug)]
pub enum ReplayTold<'a> {
    /// Offsets of dead letters passed, of so many.
    Looking(u64, u64),
    /// What it will do.
    Planned(&'a ReplayPlan),
    /// Inputs written again, of so many.
    Written(u64, u64),
}

/// The run that an order is: one that was interrupted, if it was of the same letters, else a new one.
fn run_of(
    options: &ReplayOptions,
    broker: &Broker<'_>,
    interrupted: Option<ReplayRun>,
) -> Result<ReplayRun, Error> {
    let stables = broker.stables(&broker.partitions(TOPIC)?)?;
    let ends = stables.into_iter().map(|((_, partition), stable)| (partition, stable)).collect();
    let (selection, how) = (options.selection.clone(), (options.rekey, options.attempts_max));
    let new = ReplayRun::begin(selection, &options.states, how, ends);
    match interrupted.filter(|run| !run.is_done) {
        Some(run) if run.is_like(&new) => Ok(run),
        Some(run) if !options.abandon => Err(Error::Refused(format!(
            "{}: give the same options again to go on with it, or --abandon to forget it; what it has written stays \
             written, and is not written again",
            run.told()
        ))),
        _ => Ok(new),
    }
}

/// Looks what a replay would do. Changes nothing.
///
/// # Errors
/// [`Error::Refused`] when nothing can be written again, or another replay was interrupted; a peer that is away.
pub fn plan_replay(
    config: &Config,
    map: &Map,
    options: &ReplayOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<ReplayPlan, Error> {
    let (peers, broker) = (Peers::new(config)?, Broker::connect(config)?);
    let run = run_of(options, &broker, run::newest(config, map, &broker, false)?)?;
    let chosen = choose(config, map, (&peers, &broker), &run, progress)?;
    let plan = ReplayPlan::of(&run, &chosen);
    plan.refuse_nothing(&chosen, &options.states)?;
    Ok(plan)
}

/// Writes inputs again, or goes on with it.
///
/// # Errors
/// [`Error::Refused`] as there, and while another replay runs; a peer that is away, after which the same order goes on.
pub fn replay(
    config: &Config,
    map: &Map,
    options: &ReplayOptions,
    told: &mut dyn FnMut(ReplayTold<'_>),
) -> Result<ReplayPlan, Error> {
    let (peers, broker) = (Peers::new(config)?, Broker::connect(config)?);
    peers.wait(peers.store.ready())?;
    let lock = peers.wait(ReplayLock::take(config.postgres_url(), peers.store.schema()))?;
    let lock = lock.ok_or_else(|| {
        Error::Refused(
            "another replay runs: nothing was done; wait for its end, or end it and repeat this".to_owned(),
        )
    })?;
    // Whoever had the lock and lost its connection is fenced here.
    let producer = TransactionalProducer::named(config, run::IDENTITY).map_err(failed)?;
    let mut run = run_of(options, &broker, run::newest(config, map, &broker, true)?)?;
    let looking = &mut |done, total| told(ReplayTold::Looking(done, total));
    let chosen = choose(config, map, (&peers, &broker), &run, looking)?;
    let plan = ReplayPlan::of(&run, &chosen);
    plan.refuse_nothing(&chosen, &options.states)?;
    told(ReplayTold::Planned(&plan));
    let sender = Sender {
        config,
        map,
        broker: &broker,
        peers: &peers,
        producer,
        actor: &options.actor,
        rate: options.rate,
    };
    sender.settle(&chosen.last, LetterState::Replayed)?;
    let too_often = chosen.letters.values().filter(|(_, choice)| *choice == Choice::Park);
    let parked: Vec<LetterInput> = too_often.map(|(input, _)| input.clone()).collect();
    sender.settle(&parked, LetterState::Parked)?;
    sender.send(&mut run, &chosen, &mut |done, total| told(ReplayTold::Written(done, total)))?;
    // Letting go of a connection that is lost already changes nothing.
    drop(peers.wait(lock.release()));
    Ok(plan)
}
