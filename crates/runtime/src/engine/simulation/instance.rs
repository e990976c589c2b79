//! One instance of the loop on the model broker.

use super::{
    log::{ModelLog, TRANSACTION_TIMEOUT},
    shapes::{AnyShape, Kind},
    told::Told,
    world::World,
};
use crate::engine::{Engine, Limits, Stop};
use std::time::Duration;

/// A running loop.
pub(super) struct Instance {
    engine: Option<Engine<ModelLog, AnyShape, Told>>,
    world: World,
    number: usize,
}

impl Instance {
    pub(super) fn start(world: &World, kind: Kind, number: usize) -> Self {
        let log = ModelLog::start(world, number);
        let limits = Limits {
            commit_records: 7,
            commit_interval: Duration::from_millis(20),
            round_interval: Duration::from_millis(60),
            round_idle: Duration::from_millis(25),
            round_records: 25,
            // A snapshot of the simulation has some 30 bytes.
            round_bytes: [12, 60, 1 << 20][world.dice(3) as usize],
            in_flight_max: 6,
            retry: (Duration::from_millis(3), Duration::from_millis(30)),
            transaction_timeout: TRANSACTION_TIMEOUT,
            fenced_wait: Duration::from_millis(50),
            ..Limits::default()
        };
        let engine = Engine::new(log, AnyShape::new(kind, world), Told::by(world, number), limits);
        Self { engine: Some(engine), world: world.clone(), number }
    }

    /// A turn; an instance that stops by itself leaves the group.
    ///
    /// # Panics
    /// It takes its own broker's patience for a rival.
    pub(super) fn turn(&mut self) {
        if let Err(stop) = self.try_turn() {
            let is_taken_for_rival = matches!(&stop, Stop::Rival(why) if why.starts_with("fenced"));
            assert!(!is_taken_for_rival, "there is no other instance: {stop}");
            self.crash();
        }
    }

    pub(super) fn try_turn(&mut self) -> Result<(), Stop> {
        self.engine.as_mut().map_or(Ok(()), |engine| engine.turn(self.world.now()))
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.engine.is_none()
    }

    /// SIGKILL: whatever was open is lost.
    pub(super) fn crash(&mut self) {
        if self.engine.take().is_some() {
            self.world.leave(self.number);
        }
    }
}
