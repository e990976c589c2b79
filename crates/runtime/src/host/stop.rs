//! The one flag that ends a process in order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Asked for once, seen by every unit. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    sender: watch::Sender<bool>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { asked: Arc::default(), sender: watch::Sender::new(false) }
    }
}

impl Stop {
    /// Asks every unit to finish what it has and end.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
        self.sender.send_replace(true);
    }

    /// True once somebody asked.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Resolves once somebody asked.
    pub async fn asked(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives in `self`.
        drop(receiver.wait_for(|asked| *asked).await);
    }

    /// Waits so long on a thread of its own, or until somebody asks.
    pub(crate) fn wait(&self, wait: Duration) {
        let step = Duration::from_millis(20);
        let mut left = wait;
        while !left.is_zero() && !self.is_asked() {
            std::thread::park_timeout(step.min(left));
            left = left.saturating_sub(step);
        }
    }
}
