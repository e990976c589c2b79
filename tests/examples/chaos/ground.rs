//! What the units stand on: a stack of its own, and three brokers in the place of its one where that was asked for.

use anyhow::Context;
use std::time::{Duration, Instant};
use tests::{Die, OwnStack, ThreeBrokers, eventually};

/// Longer than a broker's session: others have taken over what it led.
const AWAY: Duration = Duration::from_secs(10);
/// Replicas catch up within seconds on a quiet machine.
const IN_SYNC_WITHIN: Duration = Duration::from_mins(5);

pub(crate) struct Ground<'a> {
    own: &'a OwnStack,
    brokers: Option<ThreeBrokers>,
    /// The broker that does not run, and when it is to run again.
    down: Option<(usize, Instant)>,
    /// Brokers die in turn.
    next: usize,
}

impl<'a> Ground<'a> {
    pub(crate) fn new(own: &'a OwnStack, brokers: Option<ThreeBrokers>) -> Self {
        Self { own, brokers, down: None, next: 0 }
    }

    /// Kills a part of the stack and starts it again.
    pub(crate) fn kill(&self, part: &str) -> anyhow::Result<()> {
        OwnStack::kill(self.own.pid(part)?)?;
        self.own.restart()
    }

    /// The one broker is killed and started again. Of three the next one is killed, where all replicas are in sync: more
    /// than one away is more than was promised.
    pub(crate) fn kill_a_broker(&mut self, die: &mut Die) -> anyhow::Result<Option<&'static str>> {
        let Some(brokers) = &mut self.brokers else {
            return self.kill("kafka").map(|()| Some("SIGKILL of the broker"));
        };
        if self.down.is_some() || !brokers.are_in_sync()? {
            return Ok(None);
        }
        let index = self.next % ThreeBrokers::count();
        self.next += 1;
        brokers.kill(index)?;
        let (away, what) = match die.roll(2) {
            0 => (Duration::ZERO, "SIGKILL of one of three brokers, back at once"),
            _ => (AWAY, "SIGKILL of one of three brokers, back after its session"),
        };
        self.down = Some((index, Instant::now() + away));
        Ok(Some(what))
    }

    /// Starts a broker again that has been away for long enough.
    pub(crate) fn look_after(&mut self) -> anyhow::Result<()> {
        if let (Some((index, until)), Some(brokers)) = (self.down, &mut self.brokers)
            && Instant::now() >= until
        {
            brokers.restart(index)?;
            self.down = None;
        }
        Ok(())
    }

    /// All brokers run, and are in sync.
    pub(crate) fn mend(&mut self) -> anyhow::Result<()> {
        let Some(brokers) = &mut self.brokers else { return Ok(()) };
        if let Some((index, _)) = self.down.take() {
            brokers.restart(index)?;
        }
        eventually("all replicas are in sync", IN_SYNC_WITHIN, || Ok(brokers.are_in_sync()?.then_some(())))
            .context("after the last fault")
    }
}
