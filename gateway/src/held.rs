//! Whether keys still hold, asked for those who listen.
//!
//! Invariant: a key is asked about once a second, however many listen with it; nobody listens a second after it is revoked.

use crate::app::App;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

/// Time between two looks at a key.
const EVERY: Duration = Duration::from_secs(1);

type Watched = HashMap<Arc<str>, Arc<watch::Sender<bool>>>;

/// Keys that somebody listens with, by their prefixes.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<Watched>);

impl Held {
    /// Whether a key holds, from now on: true until it does not.
    pub(crate) fn watch(&self, app: &App, prefix: &Arc<str>) -> watch::Receiver<bool> {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = watched.get(prefix) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(true);
        let sender = Arc::new(sender);
        watched.insert(Arc::clone(prefix), Arc::clone(&sender));
        drop(tokio::spawn(ask(app.clone(), Arc::clone(prefix), sender)));
        receiver
    }

    /// Forgets a key that is over, or that nobody listens with; false where somebody does.
    fn forget(&self, prefix: &str, sender: &watch::Sender<bool>) -> bool {
        // Under the lock nobody subscribes between the two.
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = !*sender.borrow() || sender.receiver_count() == 0;
        if is_over {
            watched.remove(prefix);
        }
        is_over
    }
}

async fn ask(app: App, prefix: Arc<str>, sender: Arc<watch::Sender<bool>>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Where it cannot be asked, it holds.
        if let Ok(found) = app.0.store.presented_api_key(&prefix).await
            && found.is_none_or(|found| !found.holds)
        {
            sender.send_replace(false);
        }
        if app.0.held.forget(&prefix, &sender) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_forgotten_once_it_is_over_or_nobody_listens_with_it() {
        let held = Held::default();
        let put = |holds| {
            let (sender, receiver) = watch::channel(holds);
            let sender = Arc::new(sender);
            held.0.lock().unwrap().insert("a".into(), Arc::clone(&sender));
            (sender, receiver)
        };
        let (sender, receiver) = put(true);
        assert!(!held.forget("a", &sender), "somebody listens");
        drop(receiver);
        assert!(held.forget("a", &sender) && held.0.lock().unwrap().is_empty());
        let (sender, _receiver) = put(false);
        assert!(held.forget("a", &sender) && held.0.lock().unwrap().is_empty(), "it is over");
    }
}
