//! Looks at the broker for the whole process: whether it is away, and whether its topics are still cut as the map says.

use super::{Shared, binding::BindError};
use std::{sync::Arc, time::Duration};
use tracing::{info, warn};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// Looks between two at the partitions of topics.
const COUNTS_EVERY: u32 = 10;

/// Looks until the process is asked to stop. Whether it is away the broker itself is asked only while a client says so.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut said: Option<String> = None;
    let mut looks: u32 = 0;
    loop {
        tokio::select! {
            biased;
            () = shared.stop.asked() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        looks = looks.wrapping_add(1);
        let is_away = shared.standing.is_away();
        if !is_away && !looks.is_multiple_of(COUNTS_EVERY) {
            continue;
        }
        let asking = Arc::clone(&shared);
        let ask = move || if is_away { asking.broker_answers() } else { asking.look_at_counts() };
        let Ok(answer) = tokio::task::spawn_blocking(ask).await else { return };
        if !is_away {
            // What has gone away meanwhile is noticed by the clients that use it.
            continue;
        }
        match answer {
            Ok(()) => {
                shared.standing.is_back();
                if said.take().is_some() {
                    info!("kafka at {} is back", shared.config.kafka.brokers);
                }
            }
            Err(BindError::Wait(why) | BindError::Fatal(why)) => {
                shared.standing.is_away_because(&why);
                if said.as_ref() != Some(&why) {
                    warn!("waiting: {why}");
                    said = Some(why);
                }
            }
        }
    }
}
