//! Notices that the broker is away, and back again, once for the whole process.

use super::{Shared, binding::BindError};
use std::{sync::Arc, time::Duration};
use tracing::{info, warn};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Looks until the process is asked to stop. The broker itself is asked only while a client says that it is away.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut is_said = false;
    loop {
        tokio::select! {
            biased;
            () = shared.stop.asked() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        if !shared.standing.is_away() {
            continue;
        }
        let asking = Arc::clone(&shared);
        let Ok(answer) = tokio::task::spawn_blocking(move || asking.broker_answers()).await else { return };
        match answer {
            Ok(()) => {
                shared.standing.is_back();
                if std::mem::take(&mut is_said) {
                    info!("kafka at {} is back", shared.config.kafka.brokers);
                }
            }
            Err(BindError::Wait(why) | BindError::Fatal(why)) if !is_said => {
                is_said = true;
                warn!("waiting: {why}");
            }
            Err(_) => {}
        }
    }
}
