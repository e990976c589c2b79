//! `/livez`, `/readyz` and `/metrics`. Ready is a process whose units work and whose peers all answer.

use super::{Shared, status::UnitStatus};
use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
    routing::get,
};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Prometheus' text format, which scrapers of today ask to be named.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

struct Process {
    units: Vec<Arc<UnitStatus>>,
    shared: Arc<Shared>,
}

impl Process {
    /// What each unit is doing, what holds units up, and which peers are away.
    fn lines(&self) -> String {
        // Until it has been looked for, the clients' complaints tell.
        let lost = || self.shared.no_broker("a client has lost its last connection");
        let broker = || self.shared.standing.why_away().unwrap_or_else(lost);
        let units = self.units.iter().map(|unit| unit.line());
        let (held_up, away) = (self.shared.held_up.lines(), self.shared.peers_away.lines());
        let process = held_up.into_iter().chain(away).chain(self.is_alone().then(broker));
        units.chain(process).map(|line| line + "\n").collect()
    }

    fn is_alone(&self) -> bool {
        self.shared.standing.is_away()
    }
}

fn code(is_good: bool) -> StatusCode {
    if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn livez(State(process): State<Arc<Process>>) -> (StatusCode, String) {
    (code(process.units.iter().all(|unit| unit.is_live())), process.lines())
}

async fn readyz(State(process): State<Arc<Process>>) -> (StatusCode, String) {
    let is_ready = !process.is_alone()
        && process.shared.held_up.lines().is_empty()
        && process.shared.peers_away.lines().is_empty()
        && process.units.iter().all(|unit| unit.is_ready());
    (code(is_ready), process.lines())
}

async fn metrics(State(process): State<Arc<Process>>) -> ([(HeaderName, &'static str); 1], String) {
    let shared = &process.shared;
    shared.metrics.units(process.units.iter().map(AsRef::as_ref));
    let mut peers = shared.peers_away.all(shared.store.get().is_some());
    peers.push(("kafka", process.is_alone()));
    shared.metrics.peers(&peers);
    ([(CONTENT_TYPE, EXPOSITION)], shared.metrics.text())
}

/// Serves until the process ends.
pub(super) async fn serve(
    listener: TcpListener,
    units: Vec<Arc<UnitStatus>>,
    shared: Arc<Shared>,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(Process { units, shared }));
    axum::serve(listener, router).await
}
