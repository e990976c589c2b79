//! Looks for what is due and has it tried, as long as the sink lives.
//!
//! Invariant: one target is tried by one try at a time; what is under way when the sink ends is ended first.

use crate::{
    Door,
    trip::{TRIES_AT_ONCE_MAX, Trips, target},
};
use state::{Error, Store};
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::Notify,
    task::{Id, JoinSet},
};
use tracing::warn;

/// How often the queue is looked at, and thoroughly; also at once when something was planned or a try has ended.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The courier of a sink.
pub(crate) struct Courier<D: Door> {
    trips: Arc<Trips<D>>,
    bell: Arc<Bell>,
    ended: Mutex<Option<Receiver<()>>>,
}

#[derive(Debug, Default)]
struct Bell {
    rung: Notify,
    is_over: AtomicBool,
}

impl<D: Door> fmt::Debug for Courier<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("channel", &D::CHANNEL).finish_non_exhaustive()
    }
}

impl<D: Door> Courier<D> {
    pub(crate) fn new(store: Store, door: Arc<D>, worker: &str) -> Self {
        let trips = Arc::new(Trips::new(store, door, worker));
        Self { trips, bell: Arc::default(), ended: Mutex::default() }
    }

    pub(crate) fn keep(&self, versions: u32) {
        self.trips.keep(versions);
    }

    /// Starts it, once; to be called inside of a runtime.
    pub(crate) fn begin(&self) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.is_none() {
            let (tell, told) = sync_channel(1);
            *ended = Some(told);
            tokio::spawn(go_round(Arc::clone(&self.trips), Arc::clone(&self.bell), tell));
        }
    }

    /// Something was planned.
    pub(crate) fn wake(&self) {
        self.bell.rung.notify_one();
    }

    /// Seconds that digests have waited which were delivered since this was last asked.
    pub(crate) fn waited(&self) -> Vec<f64> {
        self.trips.waited()
    }

    pub(crate) async fn try_what_is_due(&self) -> Result<usize, Error> {
        let due = self.trips.due(&BTreeSet::new(), true).await?;
        for due in &due {
            self.trips.carry(due).await?;
        }
        Ok(due.len())
    }
}

impl<D: Door> Drop for Courier<D> {
    fn drop(&mut self) {
        self.bell.is_over.store(true, Ordering::Relaxed);
        self.bell.rung.notify_one();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A try that does not end in time is found by the next process, as after a kill.
        if let Some(ended) = ended
            && ended.recv_timeout(D::LEASE).is_err()
        {
            warn!(channel = D::CHANNEL, "deliveries were under way at the end");
        }
    }
}

async fn go_round<D: Door>(trips: Arc<Trips<D>>, bell: Arc<Bell>, tell: SyncSender<()>) {
    let mut under_way = JoinSet::new();
    // The target of each try.
    let mut targets: HashMap<Id, String> = HashMap::new();
    let (mut is_free, mut is_away) = (false, false);
    let mut thorough: Option<Instant> = None;
    while !bell.is_over.load(Ordering::Relaxed) {
        let busy: BTreeSet<String> = targets.values().cloned().collect();
        let is_thorough = thorough.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        let looked = if is_free {
            trips.due(&busy, is_thorough).await
        } else {
            trips.free().await.map(|()| Vec::new())
        };
        if looked.is_ok() && !is_free {
            is_free = true;
            continue;
        }
        if let Err(error) = &looked
            && !is_away
        {
            warn!(channel = D::CHANNEL, error = %error.describe(), "could not look at the queue of deliveries");
        }
        is_away = looked.is_err();
        if is_thorough {
            thorough = Some(Instant::now());
        }
        for due in looked.unwrap_or_default() {
            if under_way.len() < TRIES_AT_ONCE_MAX {
                let (trips, target) = (Arc::clone(&trips), target(&due));
                let try_it = under_way.spawn(async move { trips.carry(&due).await });
                targets.insert(try_it.id(), target);
            }
        }
        tokio::select! {
            () = bell.rung.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            Some(joined) = under_way.join_next_with_id() => {
                let (id, gone) = match joined {
                    Ok((id, gone)) => (id, gone.map_err(|error| error.describe())),
                    Err(error) => (error.id(), Err(error.to_string())),
                };
                targets.remove(&id);
                if let Err(error) = gone {
                    warn!(channel = D::CHANNEL, error, "could not go on with a delivery");
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }
    while under_way.join_next().await.is_some() {}
    // Nobody waits where the process ends at once.
    tell.try_send(()).unwrap_or_default();
}
