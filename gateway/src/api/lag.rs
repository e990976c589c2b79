//! How far the pipeline is behind.

use crate::{
    app::App,
    blocking::look,
    extract::Json,
    guard::Caller,
    problem::{Problem, Refusals},
    times,
};
use axum::extract::State;
use operate::Lag;
use serde::Serialize;
use utoipa::ToSchema;

/// What lies before a processor or sink.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnitLag)]
pub(crate) struct ShownUnit {
    /// Its name in the map.
    unit: String,
    /// `processor` or `sink`.
    kind: &'static str,
    /// Consumers of its group that are connected.
    members: usize,
    /// Records of all tenants that it still gets.
    records: u64,
    /// Records of this tenant among them, as far as they were counted.
    of_tenant: u64,
    /// Age of the oldest in s.
    seconds: f64,
}

/// Lag of everything in the map.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lag)]
pub(crate) struct Shown {
    /// When it was measured.
    #[schema(format = DateTime)]
    measured_at: String,
    /// Processors in the order of the flow, then sinks.
    units: Vec<ShownUnit>,
    /// Rows that outboxes have still to publish.
    outbox_rows: u64,
    /// Partitions in which transactions hang or readers stand still.
    held_up: usize,
}

fn shown(lag: Lag, tenant: &str) -> Shown {
    let held_up = lag.hanging.len() + lag.stalled.len();
    let outbox_rows = lag.outboxes.iter().map(|outbox| outbox.readable + outbox.stalled).sum();
    let unit = |unit: operate::UnitLag| ShownUnit {
        of_tenant: unit.tenants.get(tenant).copied().unwrap_or_default(),
        unit: unit.unit,
        kind: unit.kind,
        members: unit.members,
        records: unit.consumable.count,
        seconds: unit.seconds,
    };
    let measured_at = times::told(lag.measured_at_ms);
    Shown { measured_at, units: lag.units.into_iter().map(unit).collect(), outbox_rows, held_up }
}

/// How far the pipeline is behind, for all tenants together
#[utoipa::path(
    operation_id = "show_lag",
    get, path = "/api/v1/lag", tag = "operation", security(("key" = ["OPERATOR"])),
    responses((status = 200, description = "The lag", body = Shown), Refusals)
)]
pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Result<Json<Shown>, Problem> {
    let lag = look(&app, operate::lag).await?;
    Ok(Json(shown(lag, &caller.tenant_id)))
}
