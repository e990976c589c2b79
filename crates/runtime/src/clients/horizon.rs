//! How far the sink has come that Lookups wait for, and whether it will ever come as far as they ask.
//!
//! Invariant: a question is let through once the sink has passed its offset, and given up only when the topic can never
//! hold that offset; while the sink is merely behind, or the broker away, it waits.

use super::{SINK, passed::Passed};
use crate::kafka::{Place, Places};
use state::Store;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Mutex, watch};
use tracing::warn;

/// How long the sink may stand still before the topic is asked whether it holds what is waited for.
const STANDSTILL: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// What a Lookup may read up to.
pub(super) struct Horizon {
    passed: Arc<Passed>,
    places: Arc<dyn Places>,
    /// One question to the broker at a time: many may wait for the same sink.
    asking: Arc<Mutex<()>>,
    standstill: (Duration, Duration),
}

impl Horizon {
    pub(super) fn start(store: Store, places: Arc<dyn Places>, tasks: &tokio::runtime::Handle) -> Self {
        let passed = Passed::start(store, SINK, tasks);
        Self { passed, places, asking: Arc::default(), standstill: STANDSTILL }
    }

    /// Waits until the sink has passed `offset`. Fails with why that can never be.
    pub(super) async fn reached(&self, partition: i32, offset: i64) -> Result<(), String> {
        let passed = self.passed.wait_for(partition, offset);
        tokio::pin!(passed);
        let mut wait = self.standstill.0;
        loop {
            let before = self.passed.of(partition);
            tokio::select! {
                biased;
                () = &mut passed => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
            if self.passed.of(partition) != before {
                continue;
            }
            // Hundreds may wait for their turn to ask: each goes on as soon as the sink does.
            let place = tokio::select! {
                biased;
                () = &mut passed => return Ok(()),
                place = self.ask(partition, offset) => place,
            };
            match place {
                Place::Held => {
                    passed.await;
                    return Ok(());
                }
                Place::Never(why) => return Err(why),
                Place::Unknown => wait = (wait * 2).min(self.standstill.1),
            }
        }
    }

    /// Why the sink's offsets cannot be read, while they cannot.
    pub(super) fn away(&self) -> watch::Receiver<Option<String>> {
        self.passed.away()
    }

    /// Takes back what is known of the sink: the database was set back to an earlier time.
    pub(super) fn forget(&self) {
        self.passed.forget();
    }

    async fn ask(&self, partition: i32, offset: i64) -> Place {
        let turn = Arc::clone(&self.asking).lock_owned().await;
        let places = Arc::clone(&self.places);
        let look = move || {
            // Over when the broker has answered, whether anybody still waits for it or not.
            let _turn = turn;
            places.look(partition, offset)
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(Ok(place)) => place,
            Ok(Err(why)) => {
                warn!(why, "waiting for the broker to tell what its topic holds");
                Place::Unknown
            }
            // The process is ending.
            Err(_) => Place::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
