//! One instance of the loop on the model broker.

use super::{
    broker::TRANSACTION_TIMEOUT,
    clients::Answers,
    log::{Killed, ModelLog},
    processors::{AnyShape, Kind},
    told::Told,
    world::World,
};
use crate::exactly_once::{Engine, Error, Limits};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

/// A process, running or not.
pub(crate) struct Instance {
    engine: Option<Engine<ModelLog, AnyShape, Told>>,
    answers: Answers,
    kind: Kind,
    world: World,
    number: usize,
    /// Until then nothing of it runs: a SIGSTOP, a machine that is suspended.
    sleeps_until: Duration,
}

impl Instance {
    pub(crate) fn new(world: &World, kind: Kind, number: usize) -> Self {
        let (answers, world) = (Answers::new(), world.clone());
        Self { engine: None, answers, kind, world, number, sleeps_until: Duration::ZERO }
    }

    /// Starts the process, if its predecessor's transaction has come to an end.
    pub(crate) fn start(&mut self) {
        let (world, number) = (&self.world, self.number);
        let Some(log) = ModelLog::start(world, number) else { return world.count("start postponed") };
        let limits = Limits {
            commit_records: 7,
            commit_interval: Duration::from_millis(20),
            round_interval: Duration::from_millis(60),
            round_idle: Duration::from_millis(25),
            round_records: 25,
            // A record of a snapshot has some 40 bytes.
            round_bytes: [50, 200, 1 << 20][world.dice(3) as usize],
            in_flight_max: 6,
            retry: (Duration::from_millis(3), Duration::from_millis(30)),
            transaction_timeout: TRANSACTION_TIMEOUT,
            fenced_wait: Duration::from_millis(50),
            ..Limits::default()
        };
        let shape = AnyShape::new(self.kind, world, &self.answers);
        self.engine = Some(Engine::new(log, shape, Told::by(world, number), limits));
    }

    pub(crate) fn is_running(&self) -> bool {
        self.engine.is_some()
    }

    /// Sleeps for some time, in which its session may end.
    pub(crate) fn sleep(&mut self, time: Duration) {
        self.sleeps_until = self.world.now() + time;
    }

    pub(crate) fn is_asleep(&self) -> bool {
        self.world.now() < self.sleeps_until
    }

    /// A turn; an instance that stops by itself leaves the group, one that is killed in it too.
    ///
    /// # Panics
    /// It takes its own broker's patience for a rival, or an invariant of the model does not hold.
    pub(crate) fn turn(&mut self) {
        match catch_unwind(AssertUnwindSafe(|| self.try_turn())) {
            Ok(Ok(())) => {}
            Ok(Err(stop)) => {
                let is_taken_for_rival = matches!(&stop, Error::Rival(why) if why.starts_with("fenced"));
                assert!(!is_taken_for_rival, "there is no other instance: {stop}");
                self.world.count("stopped by itself");
                self.crash();
            }
            Err(panic) if panic.is::<Killed>() => self.crash(),
            Err(panic) => resume_unwind(panic),
        }
    }

    pub(crate) fn try_turn(&mut self) -> Result<(), Error> {
        self.answers.come(&self.world);
        self.engine.as_mut().map_or(Ok(()), |engine| engine.turn(self.world.now()))
    }

    /// SIGTERM: what is complete is committed, then the group is left.
    pub(crate) fn finish(&mut self) {
        let Some(engine) = &mut self.engine else { return };
        let now = self.world.now();
        match catch_unwind(AssertUnwindSafe(|| engine.finish(now))) {
            Err(panic) if !panic.is::<Killed>() => resume_unwind(panic),
            _ => self.crash(),
        }
    }

    /// SIGKILL: whatever is open stays open on the broker.
    pub(crate) fn crash(&mut self) {
        if self.engine.take().is_some() {
            self.world.group().leave(self.number);
        }
        self.sleeps_until = Duration::ZERO;
    }
}
