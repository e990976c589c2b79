//! What happens to groups, read once for the process and told to everybody who listens.
//!
//! Invariant: the place after an event is known with it, so that a listener who comes back misses nothing and hears nothing
//! twice; who does not keep up is sent away, and holds up nobody.

use crate::{
    app::{App, StartError, set},
    seats::Seats,
};
use operate::{Decoded, Followed, Places};
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::broadcast;
use tracing::warn;

/// Events that a listener may be behind.
const BEHIND_MAX: usize = 1_024;
/// Wait before a reader that failed begins again, where it was.
const RETRY: Duration = Duration::from_secs(1);
/// Failures in a row after which it begins at the end: what lies between is lost to listeners, who are told.
const FAILURES_MAX: u32 = 10;

/// Topics that are told, by the letter that a place has for them and the name that an event has.
pub(crate) const TOPICS: [(char, &str, &str); 4] = [
    ('w', "group.window.ready.v1", "window"),
    ('p', "digest.persisted.v1", "digest"),
    ('b', "digest.blocked.v1", "blocked"),
    ('d', "digest.delivered.v1", "delivery"),
];

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Logical topic and partition.
    pub(crate) partition: (String, i32),
    /// The next offset there.
    pub(crate) next: i64,
    pub(crate) tenant_id: String,
    pub(crate) group_id: String,
    /// The record as JSON.
    pub(crate) data: String,
}

impl Event {
    /// The event that a record is; none where it is of no group or cannot be read.
    pub(crate) fn of(followed: Followed) -> Option<Self> {
        let (tenant_id, group_id) = followed.key.as_deref()?.split_once('/')?;
        let Decoded::Avro(value) = &followed.value else { return None };
        Some(Self {
            tenant_id: tenant_id.to_owned(),
            group_id: group_id.to_owned(),
            data: serde_json::to_string(value).ok()?,
            next: followed.offset + 1,
            partition: (followed.topic, followed.partition),
        })
    }
}

/// What listeners hear.
#[derive(Debug, Clone)]
pub(crate) enum News {
    Event(Arc<Event>),
    /// A record that is nobody's event has been passed.
    Passed((String, i32), i64),
    /// Some records were lost to those who listen now.
    Gap,
}

/// Those who listen, and how far the one reader has come.
#[derive(Debug)]
pub(crate) struct Events {
    news: broadcast::Sender<News>,
    /// Empty until the reader knows where it is.
    places: Mutex<Places>,
    pub(crate) listeners: Seats,
}

impl Events {
    pub(crate) fn new(listeners_max: usize) -> Self {
        let (news, _) = broadcast::channel(BEHIND_MAX);
        Self { news, places: Mutex::default(), listeners: Seats::new(listeners_max) }
    }

    /// What comes from now on, and the places from which that is; none while the reader does not know.
    pub(crate) fn listen(&self) -> Option<(broadcast::Receiver<News>, Places)> {
        // Under the lock no event is told between the two.
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        (!places.is_empty()).then(|| (self.news.subscribe(), places.clone()))
    }

    /// Begins to read.
    pub(crate) fn start(app: &App) -> Result<(), StartError> {
        let app = app.clone();
        let reading = move || app.0.events.read(&app);
        std::thread::Builder::new()
            .name("events".to_owned())
            .spawn(reading)
            .map(drop)
            .map_err(set("start a thread"))
    }

    fn read(&self, app: &App) {
        let mut failures = 0;
        while !app.is_stopping() {
            let from = match self.from(app) {
                Ok(from) => from,
                Err(error) => {
                    warn!(%error, "could not find where events end");
                    std::thread::park_timeout(RETRY);
                    continue;
                }
            };
            let ended = operate::follow(&app.0.config, &app.0.map, &from, &mut |heard| {
                if let Some(followed) = heard {
                    failures = 0;
                    self.tell(followed);
                }
                if app.is_stopping() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            let Err(error) = ended else { return };
            failures += 1;
            warn!(%error, failures, "events cannot be read; trying again");
            if failures > FAILURES_MAX {
                failures = 0;
                self.places.lock().unwrap_or_else(PoisonError::into_inner).clear();
                // Nobody may listen.
                drop(self.news.send(News::Gap));
            }
            std::thread::park_timeout(RETRY);
        }
    }

    /// Where to read on: where it was, or at the end.
    fn from(&self, app: &App) -> Result<Places, operate::Error> {
        let known = self.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !known.is_empty() {
            return Ok(known);
        }
        let topics = TOPICS.map(|(_, topic, _)| topic);
        let ends = operate::stable_ends(&app.0.config, &topics)?;
        self.places.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&ends);
        Ok(ends)
    }

    fn tell(&self, followed: Followed) {
        let (partition, next) = ((followed.topic.clone(), followed.partition), followed.offset + 1);
        let news = match Event::of(followed) {
            Some(event) => News::Event(Arc::new(event)),
            None => News::Passed(partition.clone(), next),
        };
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert(partition, next);
        // Nobody may listen.
        drop(self.news.send(news));
    }
}
