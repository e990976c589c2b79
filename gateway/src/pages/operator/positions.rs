//! How far every unit has read.

use super::{
    super::{entry::Visit, frame::page},
    looks::looked,
    transactions::without_others,
};
use crate::{app::App, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Outbox, PartitionPosition, Positions, UnitPosition};
use operate::{HangingTransaction, Lag, PartitionLag, Stalled, UnitLag};

pub(in super::super) async fn show(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    let look = looked(&app, visit.frame.now_ms).await?;
    let lag = &look.lag;
    let unknown = lag.unknown.iter().map(|it| UnitPosition {
        unit: it.unit.clone(),
        members: it.members as u64,
        is_unknown: true,
        ..UnitPosition::default()
    });
    let outboxes = lag.outboxes.iter().map(|it| Outbox {
        unit: it.unit.clone(),
        members: it.members as u64,
        rows: it.readable,
        stalled: it.stalled,
    });
    let view = Positions {
        measured_at_ms: lag.measured_at_ms,
        units: lag.units.iter().map(unit).chain(unknown).collect(),
        outboxes: outboxes.collect(),
        notes: notes(lag, visit.tenant()),
    };
    page(&visit.frame, &view)
}

fn unit(of: &UnitLag) -> UnitPosition {
    UnitPosition {
        unit: of.unit.clone(),
        members: of.members as u64,
        is_unknown: false,
        waiting: of.consumable.count,
        is_estimate: of.consumable.is_estimate,
        to_stable: of.to_stable,
        to_end: of.to_end,
        behind_seconds: of.seconds,
        open_seconds: of.open_transaction_seconds,
        partitions: of.partitions.iter().map(partition).collect(),
    }
}

fn partition(of: &PartitionLag) -> PartitionPosition {
    PartitionPosition {
        topic: of.topic.clone(),
        partition: of.partition,
        position: of.position,
        waiting: of.consumable.count,
        to_stable: of.to_stable,
        to_end: of.to_end,
        behind_seconds: of.seconds,
        problem: of.problem.clone().unwrap_or_default(),
    }
}

/// What else is known, a sentence each.
fn notes(lag: &Lag, tenant: &str) -> Vec<String> {
    let waiting = lag.waiting.iter().map(|it| {
        let stored = it.stored.map_or_else(|| "nothing yet".to_owned(), |next| format!("up to {}", next - 1));
        format!(
            "{} waits for {} to store partition {} up to {}; it has stored {stored}",
            it.unit, it.sink, it.partition, it.offset
        )
    });
    let away = [&lag.hanging_unknown, &lag.postgres_unknown, &lag.registry_away];
    waiting
        .chain(lag.hanging.iter().map(|it| hanging(it, tenant)))
        .chain(lag.stalled.iter().map(Stalled::line))
        .chain(away.into_iter().flatten().cloned())
        .collect()
}

fn hanging(of: &HangingTransaction, tenant: &str) -> String {
    let transactional_id = of.transactional_id.as_deref().map(|id| without_others(id, tenant));
    HangingTransaction { transactional_id, ..of.clone() }.line()
}
