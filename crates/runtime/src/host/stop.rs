//! The one flag that ends a process in order.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// Asked for once, seen by every unit. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop {
    waiting: Arc<(Mutex<()>, Condvar)>,
    sender: watch::Sender<bool>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { waiting: Arc::default(), sender: watch::Sender::new(false) }
    }
}

impl Stop {
    /// Asks every unit to finish what it has and end.
    pub fn ask(&self) {
        let (lock, asked) = &*self.waiting;
        // Under the lock, so that nobody who has just looked goes to sleep over it.
        let _looked = lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.sender.send_replace(true);
        asked.notify_all();
    }

    /// True once somebody asked.
    pub fn is_asked(&self) -> bool {
        *self.sender.borrow()
    }

    /// Resolves once somebody asked.
    pub async fn asked(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives in `self`.
        drop(receiver.wait_for(|asked| *asked).await);
    }

    /// Waits so long on a thread of its own, or until somebody asks.
    pub(crate) fn wait(&self, wait: Duration) {
        let (lock, asked) = &*self.waiting;
        let looked = lock.lock().unwrap_or_else(PoisonError::into_inner);
        // Whichever way the wait ends, the caller looks again.
        drop(asked.wait_timeout_while(looked, wait, |()| !self.is_asked()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_ends_every_wait() {
        let stop = Stop::default();
        let waiting = stop.clone();
        let waiter = std::thread::spawn(move || waiting.wait(Duration::from_hours(1)));
        assert!(!stop.is_asked());
        stop.ask();
        waiter.join().expect("the wait ends");
        assert!(stop.is_asked());
        stop.wait(Duration::from_hours(1));
    }
}
