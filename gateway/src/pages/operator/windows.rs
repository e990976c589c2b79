//! Windows that are closed and of which nothing is stored yet, each as far as it has come.
//!
//! Invariant: a bounded number of the newest is looked at; who has more in flight has other pages to look at first.

use super::{
    super::{entry::Visit, frame::page},
    steps::step,
};
use crate::{app::App, blocking::look, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Flight, Windows};
use operate::{Decoded, Error, Trace};
use runtime::Config;
use schemas::{Version, WINDOW_HOURS};
use serde::Deserialize;
use state::{WindowPage, WindowPlace};
use std::{
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
};
use topology::Map;

const READY: &str = "group.window.ready.v1";
/// The newest windows of a partition that are looked at, and those of which something is stored that they are held against.
const NEWEST_MAX: i64 = 500;
const STORED_MAX: u32 = 1_000;
/// Windows that are held against the store one by one, and those of them whose way is shown.
const ASKED_MAX: usize = 100;
const SHOWN_MAX: usize = 8;

/// As much as is asked of the completion of a window.
#[derive(Debug, Clone, Deserialize)]
struct Ready {
    window_id: String,
    group_id: String,
    revision: i32,
    window_start: i64,
    window_end: i64,
    message_count: i32,
}

pub(in super::super) async fn show(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    let tenant = visit.tenant().to_owned();
    let newest = look(&app, move |config, map| ready(config, map, &tenant)).await?;
    let page_of = WindowPage {
        tenant_id: visit.tenant().to_owned(),
        asked: Some(false),
        limit: STORED_MAX,
        ..WindowPage::default()
    };
    let stored = app.0.store.window_page(&page_of).await?;
    let stored: HashMap<String, i32> =
        stored.into_iter().map(|it| (it.window_id, revision(&it.version))).collect();
    let is_open = |it: &Ready| stored.get(&it.window_id).is_none_or(|stored| *stored < it.revision);
    let mut open: Vec<Ready> = newest.into_values().filter(is_open).collect();
    open.sort_by_key(|it| it.window_end);
    // What is stored of late does not have windows of an import that lie further back.
    let (mut total, mut shown) = (open.len() as u64, Vec::new());
    for it in open.into_iter().take(ASKED_MAX) {
        if is_stored(&app, visit.tenant(), &it).await? {
            total -= 1;
        } else {
            shown.push(it);
        }
        if shown.len() == SHOWN_MAX {
            break;
        }
    }
    let open = shown;
    let ids: Vec<String> = open.iter().map(|it| it.window_id.clone()).collect();
    let ways = look(&app, move |config, map| ways(config, map, &ids)).await?;
    let flights = open.into_iter().filter_map(|it| {
        let way = ways.iter().find(|way| way.window_id == it.window_id)?;
        Some(flight(&app.0.map, it, way.clone()))
    });
    page(&visit.frame, &Windows { flights: flights.collect(), total })
}

/// Whether something of this revision of a window, or of a newer one, is stored.
async fn is_stored(app: &App, tenant: &str, of: &Ready) -> Result<bool, Problem> {
    // No window has that size: those that begin when this one does come first, one of each size.
    let after = WindowPlace {
        start_ms: of.window_start.saturating_add(1),
        size_hours: i32::MIN,
        group_id: String::new(),
        window_id: String::new(),
    };
    let page = WindowPage {
        tenant_id: tenant.to_owned(),
        group_id: Some(of.group_id.clone()),
        asked: Some(false),
        after: Some(after),
        limit: WINDOW_HOURS.len() as u32,
    };
    let stored = app.0.store.window_page(&page).await?;
    Ok(stored.iter().any(|it| it.window_id == of.window_id && revision(&it.version) >= of.revision))
}

fn revision(version: &str) -> i32 {
    version.parse::<Version>().map_or(0, |version| version.revision)
}

/// The newest revisions of the tenant's windows that are closed, by window.
fn ready(config: &Config, map: &Map, tenant: &str) -> Result<BTreeMap<String, Ready>, Error> {
    let until = operate::stable_ends(config, &[READY])?;
    let from = until.iter().map(|(at, end)| (at.clone(), (end - NEWEST_MAX).max(0))).collect();
    let mut found: BTreeMap<String, Ready> = BTreeMap::new();
    let is_ours = |key: &str| key.split_once('/').is_some_and(|(of, _)| of == tenant);
    operate::read_places(config, map, (&from, &until), &is_ours, &mut |followed| {
        let ready = match &followed.value {
            Decoded::Avro(value) => {
                serde_json::to_value(value).and_then(serde_json::from_value::<Ready>).ok()
            }
            _ => None,
        };
        let is_newer =
            |it: &Ready| found.get(&it.window_id).is_none_or(|known| known.revision <= it.revision);
        if let Some(ready) = ready.filter(is_newer) {
            found.insert(ready.window_id.clone(), ready);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

fn ways(config: &Config, map: &Map, ids: &[String]) -> Result<Vec<Trace>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    operate::traces(config, map, None, &ids)
}

fn flight(map: &Map, ready: Ready, way: Trace) -> Flight {
    let writer = way.missing.first().and_then(|topic| map.writers(topic).next());
    Flight {
        tenant_id: way.tenant_id,
        group_id: ready.group_id,
        window_id: ready.window_id,
        window_start_ms: way.window.0,
        window_end_ms: way.window.1,
        message_count: ready.message_count,
        before: writer.unwrap_or_default().to_owned(),
        steps: way.steps.into_iter().map(step).collect(),
    }
}
