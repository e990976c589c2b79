//! What a loop of the simulation tells: that it says what it waits for, and does not say so for ever.

use super::world::World;
use crate::exactly_once::{Observer, shape::Fate};
use std::time::Duration;

pub(crate) struct Told {
    world: World,
    instance: usize,
}

impl Told {
    /// What an instance tells from its start on.
    pub(crate) fn by(world: &World, instance: usize) -> Self {
        world.waits(instance, None);
        Self { world: world.clone(), instance }
    }
}

impl Observer for Told {
    fn fate(&mut self, _: &Fate) {}

    fn committed(&mut self, _: usize, _: Duration) {}

    fn waiting(&mut self, why: &str) {
        assert_eq!(why, "registry away");
        self.world.count("registry, told");
        self.world.waits(self.instance, Some(why));
    }

    fn recovering(&mut self, why: &str) {
        self.world.waits(self.instance, Some(why));
    }

    fn recovered(&mut self) {
        self.world.waits(self.instance, None);
    }

    fn assigned(&mut self, _: &[i32]) {
        self.world.waits(self.instance, None);
    }

    fn now(&self) -> Duration {
        self.world.now()
    }
}
