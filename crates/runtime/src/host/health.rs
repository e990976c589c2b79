//! `/livez`, `/readyz` and `/metrics`.

use super::status::UnitStatus;
use crate::metrics::Metrics;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use std::{net::SocketAddr, sync::Arc};

type Shared = Arc<(Vec<Arc<UnitStatus>>, Arc<Metrics>)>;

fn report(units: &[Arc<UnitStatus>], good: impl Fn(&UnitStatus) -> bool) -> (StatusCode, String) {
    let ok = units.iter().all(|unit| good(unit));
    let lines: Vec<String> = units.iter().map(|unit| unit.line()).collect();
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, lines.join("\n") + "\n")
}

async fn livez(State(shared): State<Shared>) -> (StatusCode, String) {
    report(&shared.0, UnitStatus::is_live)
}

async fn readyz(State(shared): State<Shared>) -> (StatusCode, String) {
    report(&shared.0, UnitStatus::is_ready)
}

async fn metrics(State(shared): State<Shared>) -> String {
    shared.1.text()
}

/// Serves until the process ends. Fails when the address cannot be bound.
pub(super) async fn serve(
    address: SocketAddr,
    units: Vec<Arc<UnitStatus>>,
    metrics_of: Arc<Metrics>,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Arc::new((units, metrics_of)));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, router).await
}
