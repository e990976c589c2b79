//! What each unit of a process is doing, for health checks and for people who wait.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tracing::{info, warn};

/// A loop that has not turned for this long is stuck; longer than the longest call to a broker that is away.
const STUCK: Duration = Duration::from_secs(150);

/// State of one unit.
#[derive(Debug)]
pub(crate) struct UnitStatus {
    pub(crate) name: String,
    started: Instant,
    turned_ms: AtomicU64,
    ready: AtomicBool,
    /// What it waits for.
    waiting: Mutex<Option<String>>,
}

impl UnitStatus {
    pub(crate) fn new(name: String) -> Arc<Self> {
        Arc::new(Self {
            name,
            started: Instant::now(),
            turned_ms: AtomicU64::new(0),
            ready: AtomicBool::new(false),
            waiting: Mutex::new(None),
        })
    }

    /// The loop has turned once more.
    pub(crate) fn turned(&self) {
        self.turned_ms.store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// The unit has what it needs.
    pub(crate) fn ready(&self) {
        if !self.ready.swap(true, Ordering::Relaxed) {
            info!(unit = self.name, "ready");
        }
        self.working();
    }

    /// What the unit waited for has come.
    pub(crate) fn working(&self) {
        let waited = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(what) = waited {
            info!(unit = self.name, "goes on after waiting: {what}");
        }
    }

    /// The unit cannot begin or go on; said once per reason.
    pub(crate) fn waiting(&self, what: &str) {
        self.turned();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.as_deref() != Some(what) {
            warn!(unit = self.name, "waiting: {what}");
            *waiting = Some(what.to_owned());
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        let turned = Duration::from_millis(self.turned_ms.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(turned) < STUCK
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
            && self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// One line for people: name and state.
    pub(crate) fn line(&self) -> String {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*waiting, self.ready.load(Ordering::Relaxed)) {
            (Some(what), _) => format!("{}: waiting: {what}", self.name),
            (None, true) => format!("{}: ready", self.name),
            (None, false) => format!("{}: starting", self.name),
        }
    }
}
