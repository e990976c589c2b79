//! The console: what people look at, served beside what programs call.
//!
//! Invariants: a page shows what the key of its session may read, read as that key's tenant; whatever changes something is a POST
//! from a form that this session was given; an answer is never kept by a cache, but for files named by their content.

mod door;
mod entry;
mod form;
mod frame;
mod operator;
mod reader;
mod settings;
mod throttle;

pub(crate) use frame::{formed, is_page};

use crate::{app::App, scope::Scope};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{MethodRouter, any, get, post},
};
use console_pages::routes as at;
use entry::{Asks, Room, enter};
use operator::{
    audit, cost, deliveries, letter, letters, looks::Looks, map, positions, replay, schemas, trace,
    transactions, windows,
};
use std::sync::Arc;

/// Every path of the console that is no page's.
const ELSEWHERE: &str = "/console/{*rest}";

/// Largest body of a form: anybody may send that to log in, and it is read before it is known who does.
const FORM_BYTES_MAX: usize = 64 << 10;

/// What the console keeps between requests: nothing that another process would miss.
#[derive(Debug, Default)]
pub(crate) struct Console {
    log_ins: throttle::LogIns,
    settings: settings::Known,
    looks: Looks,
}

/// The pages' routes, each with what it asks for.
pub(crate) fn routes(app: &App) -> Router<App> {
    let [read, administer, operate] =
        [Scope::DigestRead, Scope::DigestAdmin, Scope::Operator].map(Asks::Scope);
    let nothing = Asks::Nothing;
    let all: [(&'static str, Asks, MethodRouter<App>); 28] = [
        (at::ASSET, nothing, get(door::asset)),
        (at::LOG_IN, nothing, get(door::form).post(door::log_in)),
        (at::LOG_OUT, nothing, post(door::log_out)),
        (at::PREFERENCES, nothing, post(door::prefer)),
        (ELSEWHERE, nothing, any(door::nothing)),
        (at::HOME, read, get(reader::groups::show)),
        (at::SEARCH, read, get(reader::search::show)),
        (at::GROUP, read, get(reader::calendar::show)),
        (at::MOOD, read, get(reader::mood::show)),
        (at::AWAY, read, get(reader::away::show).post(reader::away::ask)),
        (at::MESSAGE, read, get(reader::message::lead)),
        (at::DIGEST, read, get(reader::digest::show)),
        (at::VERSIONS, read, get(reader::versions::show)),
        (at::MAP, operate, get(map::show)),
        (at::WINDOWS, operate, get(windows::show)),
        (at::TRACE, operate, get(trace::show)),
        (at::LETTERS, operate, get(letters::kinds)),
        (at::LETTER_KIND, operate, get(letters::of_kind)),
        (at::REPLAY, operate, get(replay::plan).post(replay::replay)),
        (at::LETTER, operate, get(letter::show)),
        (at::DELIVERIES, operate, get(deliveries::show)),
        (at::RESOLVE, operate, post(deliveries::resolve)),
        (at::ENABLE, operate, post(deliveries::enable)),
        (at::TRANSACTIONS, operate, get(transactions::show)),
        (at::POSITIONS, operate, get(positions::show)),
        (at::SCHEMAS, operate, get(schemas::show)),
        (at::COST, administer, get(cost::show)),
        (at::AUDIT, administer, get(audit::show)),
    ];
    let mut router = Router::new();
    for (path, asks, methods) in all {
        let room = Arc::new(Room { app: app.clone(), path, asks });
        router = router.route(path, methods.layer(middleware::from_fn_with_state(room, enter)));
    }
    router.layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}
