//! What a loop of the simulation tells: of interest is only that it says what it waits for.

use super::world::World;
use crate::engine::{Observer, shape::Fate};
use std::time::Duration;

pub(super) struct Told(pub(super) World);

impl Observer for Told {
    fn fate(&mut self, _: &Fate) {}
    fn committed(&mut self, _: usize, _: Duration) {}
    fn waiting(&mut self, why: &str) {
        assert_eq!(why, "registry away");
        self.0.count("registry, told");
    }
    fn recovering(&mut self, _: &str) {}
    fn assigned(&mut self, _: &[i32]) {}
    fn now(&self) -> Duration {
        self.0.now()
    }
}
