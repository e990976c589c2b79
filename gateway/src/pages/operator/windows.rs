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
use runtime::{
    Config,
    operate::{self, Decoded, Error, Trace},
};
use schemas::Version;
use serde::Deserialize;
use state::WindowPage;
use std::{
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
};
use topology::Map;

const READY: &str = "group.window.ready.v1";
/// The newest windows of a partition that are looked at, and those of which something is stored that they are held against.
const NEWEST_MAX: i64 = 500;
const STORED_MAX: u32 = 1_000;
/// Windows whose way is shown.
const SHOWN_MAX: usize = 8;

/// As much as is asked of the completion of a window.
#[derive(Debug, Clone, Deserialize)]
struct Ready {
    window_id: String,
    group_id: String,
    revision: i32,
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
    let total = open.len() as u64;
    open.truncate(SHOWN_MAX);
    let ids: Vec<String> = open.iter().map(|it| it.window_id.clone()).collect();
    let ways = look(&app, move |config, map| ways(config, map, &ids)).await?;
    let flights = open.into_iter().filter_map(|it| {
        let way = ways.iter().find(|way| way.window_id == it.window_id)?;
        Some(flight(&app.0.map, it, way.clone()))
    });
    page(&visit.frame, &Windows { flights: flights.collect(), total })
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
