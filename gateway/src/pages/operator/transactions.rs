//! Open transactions.
//!
//! Invariant: they are those of the pipeline, and a transactional id that names another tenant and its group is cut before the names.

use super::super::{entry::Visit, frame::page};
use crate::{app::App, blocking::look, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Hanging, Running, Transactions};
use operate::HangingTransaction;

pub(in super::super) async fn show(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    let found = look(&app, operate::transactions).await?;
    let running = found.running.into_iter().map(|it| Running {
        place: format!("{}/{}", it.open.at.topic, it.open.at.partition),
        start_offset: it.open.start_offset,
        producer_id: it.open.producer_id,
        transactional_id: without_others(&it.transactional_id, visit.tenant()),
    });
    let unseen = found.unseen.into_iter().map(|it| (format!("{}/{}", it.at.topic, it.at.partition), it.why));
    let view = Transactions {
        hanging: found.hanging.into_iter().map(|it| hanging(it, visit.tenant())).collect(),
        running: running.collect(),
        unseen: unseen.collect(),
    };
    page(&visit.frame, &view)
}

/// A transactional id; of a source that reads for another tenant (`UNIT-KIND/TENANT/GROUP/WHAT`) what it begins with.
pub(super) fn without_others(id: &str, tenant: &str) -> String {
    match id.splitn(3, '/').collect::<Vec<_>>()[..] {
        [kind, of, _] if of != tenant => format!("{kind}/…"),
        _ => id.to_owned(),
    }
}

fn hanging(of: HangingTransaction, tenant: &str) -> Hanging {
    Hanging {
        topic: of.topic,
        partition: of.partition,
        start_offset: of.start_offset,
        producer_id: of.producer_id,
        producer_epoch: of.producer_epoch,
        transactional_id: of.transactional_id.map(|id| without_others(&id, tenant)).unwrap_or_default(),
        age_seconds: of.age_seconds,
        blocks: of.blocks.into_iter().map(|it| (it.unit, it.effect.to_owned())).collect(),
        outcome: of.outcome.map(|it| it.to_string()).unwrap_or_default(),
        because: of.because,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_names_another_tenant_or_its_group() {
        let import = "p.telegram_export_source-import/acme/qa/0f3c";
        assert_eq!(without_others(import, "acme"), import);
        assert_eq!(without_others(import, "beta"), "p.telegram_export_source-import/…");
        assert_eq!(without_others("p.segmenter-0-0", "beta"), "p.segmenter-0-0");
        let outbox = "p.postgres_outbox_source-outbox/gistmill";
        assert_eq!(without_others(outbox, "beta"), outbox);
    }
}
