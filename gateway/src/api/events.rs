//! Windows, digests and deliveries of the tenant as they happen (server-sent events).
//!
//! Invariant: the id of an event is where to go on after it, in every partition.

use super::{
    name,
    places::{are_reached, read, written},
};
use crate::{
    app::App,
    events::{Event, News, TOPICS},
    extract::Query,
    guard::Caller,
    problem::{Problem, Refusals},
    seats::Seat,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response, Sse,
        sse::{self, KeepAlive},
    },
};
use futures_util::{StreamExt, stream};
use operate::Places;
use serde::Deserialize;
use std::{
    convert::Infallible,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{
        broadcast,
        mpsc::{self, error::TrySendError},
        watch,
    },
    time::sleep,
};
use utoipa::IntoParams;

const LAST_EVENT_ID: &str = "last-event-id";
/// Silence after which a listener is told that the line is open.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// Offsets that are read again for a listener who comes back.
const BEHIND_MAX: i64 = 100_000;
/// Looks, and the time between two, whether this process has come as far as the one that a listener comes from: 2 s in all.
const LOOKS_MAX: u32 = 40;
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Events on their way to a listener who catches up.
const CATCHING_UP: usize = 64;
/// Longest that a listener who has no room for what it missed is waited for: it holds a place among the questions to the broker.
const CATCH_UP_MAX: Duration = Duration::from_secs(20);
/// Time between two looks whether it has room.
const ROOM_EVERY: Duration = Duration::from_millis(10);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Of this group only
    group_id: Option<String>,
}

/// Windows, digests and deliveries as they happen
///
/// Server-sent events named `window`, `digest`, `blocked` and `delivery`, each with the record of its topic as JSON. Who comes back
/// with `Last-Event-ID` goes on where it was; an id comes first, without an event. `dropped` ends the stream with a reason: `slow`,
/// `gap`, `revoked`, `stopping`.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "digests", security(("key" = ["DIGEST_READ"])),
    params(Asked, ("Last-Event-ID" = Option<String>, Header, description = "Id of the event that was heard last")),
    responses((status = 200, description = "The events", body = String, content_type = "text/event-stream"), Refusals)
)]
pub(crate) async fn listen(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(group_id) = &asked.group_id {
        name("group", group_id)?;
    }
    let busy = || {
        let detail = "as many listen as may; try again later";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(5)
    };
    let seat = app.0.events.listeners.take(&caller.tenant_id).ok_or_else(busy)?;
    let last = headers.get(LAST_EVENT_ID).map(|id| id.to_str().map_err(|_| bad_id())).transpose()?;
    let (live, now, from) = begun(&app, last).await?;
    let wanted = Wanted { tenant_id: caller.tenant_id.to_string(), group_id: asked.group_id };
    let (places, earlier) = match from {
        None => (now, None),
        Some(from) => {
            let earlier = catch_up(&app, (&from, &now), &wanted)?;
            (from, Some((earlier, now)))
        }
    };
    app.0.metrics.listeners.inc();
    let listener = Listener {
        key_holds: app.0.held.watch(&app, &caller.prefix),
        app,
        wanted,
        places,
        earlier,
        live,
        _seat: seat,
    };
    // An id alone: who hears of no event, and comes back, goes on from here too.
    let begin: Told = Ok(sse::Event::default().id(written(&listener.places)));
    let events = stream::unfold(Some(listener), |listener| async { listener?.next().await });
    let events = stream::iter([begin]).chain(events);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response())
}

/// What comes from now on, the places from which that is, and those of the event that was heard last. Each process reads for
/// itself: one that is a moment behind the one that told the event is waited for.
async fn begun(
    app: &App,
    last: Option<&str>,
) -> Result<(broadcast::Receiver<News>, Places, Option<Places>), Problem> {
    let unknown = || Problem::away("the broker", &"where events end is not known yet");
    for _ in 0..LOOKS_MAX {
        let (live, now) = app.0.events.listen().ok_or_else(unknown)?;
        let Some(id) = last else { return Ok((live, now, None)) };
        let from = read(id, &now).ok_or_else(bad_id)?;
        if are_reached(&from, &now) {
            return Ok((live, now, Some(from)));
        }
        sleep(LOOK_EVERY).await;
    }
    Err(bad_id())
}

fn bad_id() -> Problem {
    Problem::bad_request("Last-Event-ID is not the id of an event of this address")
}

/// Whose events are wanted.
#[derive(Debug, Clone)]
struct Wanted {
    tenant_id: String,
    group_id: Option<String>,
}

impl Wanted {
    fn wants(&self, tenant_id: &str, group_id: &str) -> bool {
        self.tenant_id == tenant_id && self.group_id.as_ref().is_none_or(|wanted| wanted == group_id)
    }
}

/// What was missed, event by event. Where it ends without a word, whoever reads it has given the listener up.
#[derive(Debug)]
enum Missed {
    Event(Event),
    /// That was all.
    Over,
    /// It cannot be read.
    Unread,
}

type Earlier = mpsc::Receiver<Missed>;

/// Reads what a listener has missed, on a thread of its own.
fn catch_up(app: &App, (from, until): (&Places, &Places), wanted: &Wanted) -> Result<Earlier, Problem> {
    let behind: i64 = from.iter().filter_map(|(key, next)| Some(until.get(key)? - next)).sum();
    if behind > BEHIND_MAX {
        let detail = "too much has happened since: begin without Last-Event-ID, and read the listings";
        return Err(Problem::new(StatusCode::GONE, "too_far_back", detail));
    }
    let (sender, receiver) = mpsc::channel(CATCHING_UP);
    if behind == 0 {
        // Nothing is in it yet: it has room.
        drop(sender.try_send(Missed::Over));
        return Ok(receiver);
    }
    let busy = |_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many catch up; try again").retry_after(1)
    };
    let permit = Arc::clone(&app.0.looks).try_acquire_owned().map_err(busy)?;
    let (app, from, until, wanted) = (app.clone(), from.clone(), until.clone(), wanted.clone());
    let reading = move || {
        let _permit = permit;
        let is_wanted =
            |key: &str| key.split_once('/').is_some_and(|(tenant, group)| wanted.wants(tenant, group));
        let (by, mut is_given_up) = (Instant::now() + CATCH_UP_MAX, false);
        let told = &mut |followed| {
            let event = Event::of(followed);
            is_given_up = event.is_some_and(|event| !given(&sender, Missed::Event(event), by));
            if is_given_up { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let end = match operate::read_places(&app.0.config, &app.0.map, (&from, &until), &is_wanted, told) {
            Ok(()) if is_given_up => return,
            Ok(()) => Missed::Over,
            Err(error) => {
                tracing::warn!(%error, "could not read what a listener has missed");
                Missed::Unread
            }
        };
        given(&sender, end, by);
    };
    let started = std::thread::Builder::new().name("catch up".to_owned()).spawn(reading);
    started.map(|_| receiver).map_err(|error| Problem::internal(&error))
}

/// Gives a listener something once it has room; false where it has gone, or has none by then.
fn given(sender: &mpsc::Sender<Missed>, missed: Missed, by: Instant) -> bool {
    let mut left = missed;
    loop {
        match sender.try_send(left) {
            Ok(()) => return true,
            Err(TrySendError::Full(back)) if Instant::now() < by => left = back,
            Err(_) => return false,
        }
        std::thread::park_timeout(ROOM_EVERY);
    }
}

/// The next that a listener has missed; none where it is given up.
async fn missed(earlier: &mut Option<(Earlier, Places)>) -> Option<Missed> {
    match earlier {
        Some((earlier, _)) => earlier.recv().await,
        None => None,
    }
}

/// Comes back once a key holds no more.
async fn revoked(key_holds: &mut watch::Receiver<bool>) {
    // The sender lives as long as somebody listens, and the key holds.
    drop(key_holds.wait_for(|holds| !*holds).await);
}

/// Somebody who listens.
struct Listener {
    app: App,
    wanted: Wanted,
    places: Places,
    /// What was missed, and where that ends.
    earlier: Option<(Earlier, Places)>,
    live: broadcast::Receiver<News>,
    /// Whether the key may be used still.
    key_holds: watch::Receiver<bool>,
    _seat: Seat,
}

type Told = Result<sse::Event, Infallible>;

impl Listener {
    /// The next event, and who hears the one after it; nobody after the last.
    async fn next(mut self) -> Option<(Told, Option<Self>)> {
        loop {
            let mut stopping = self.app.0.stopping.subscribe();
            // The sender lives in `app`.
            let stopped = async { drop(stopping.wait_for(|stopping| *stopping).await) };
            tokio::select! {
                missed = missed(&mut self.earlier), if self.earlier.is_some() => match missed {
                    Some(Missed::Event(event)) => return Some((Ok(self.told(&event)), Some(self))),
                    Some(Missed::Over) => if let Some((_, end)) = self.earlier.take() {
                        self.places = end;
                    },
                    Some(Missed::Unread) => return Some((Ok(self.dropped("gap")), None)),
                    None => return Some((Ok(self.dropped("slow")), None)),
                },
                news = self.live.recv(), if self.earlier.is_none() => match news {
                    Ok(News::Event(event)) if self.wanted.wants(&event.tenant_id, &event.group_id) => {
                        return Some((Ok(self.told(&event)), Some(self)));
                    }
                    Ok(News::Event(event)) => {
                        self.places.insert(event.partition.clone(), event.next);
                    }
                    Ok(News::Passed(partition, next)) => {
                        self.places.insert(partition, next);
                    }
                    Ok(News::Gap) => return Some((Ok(self.dropped("gap")), None)),
                    Err(_) => return Some((Ok(self.dropped("slow")), None)),
                },
                () = revoked(&mut self.key_holds) => return Some((Ok(self.dropped("revoked")), None)),
                () = stopped => return Some((Ok(self.dropped("stopping")), None)),
            }
        }
    }

    fn told(&mut self, event: &Event) -> sse::Event {
        self.places.insert(event.partition.clone(), event.next);
        let name = TOPICS
            .iter()
            .find(|(_, topic, _)| *topic == event.partition.0)
            .map_or("event", |(.., name)| name);
        sse::Event::default().id(written(&self.places)).event(name).data(&event.data)
    }

    fn dropped(&self, reason: &'static str) -> sse::Event {
        self.app.0.metrics.dropped(reason);
        let data = format!("{{\"reason\":\"{reason}\"}}");
        sse::Event::default().event("dropped").data(data)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.app.0.metrics.listeners.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_another_tenant_are_not_wanted() {
        let wanted = Wanted { tenant_id: "acme".to_owned(), group_id: None };
        assert!(wanted.wants("acme", "qa") && !wanted.wants("beta", "qa"));
        let one = Wanted { group_id: Some("qa".to_owned()), ..wanted };
        assert!(one.wants("acme", "qa") && !one.wants("acme", "dev") && !one.wants("beta", "qa"));
    }

    #[test]
    fn who_does_not_hear_what_they_missed_is_waited_for_a_while_and_no_longer() {
        let (sender, mut receiver) = mpsc::channel(1);
        let soon = || Instant::now() + Duration::from_millis(20);
        assert!(given(&sender, Missed::Unread, soon()));
        assert!(!given(&sender, Missed::Over, soon()), "there is no room");
        assert!(matches!(receiver.try_recv(), Ok(Missed::Unread)));
        assert!(given(&sender, Missed::Over, soon()));
        drop(receiver);
        assert!(!given(&sender, Missed::Over, soon()), "nobody is there");
    }
}
