//! Open transactions.

use super::super::{entry::Visit, frame::page};
use crate::{app::App, blocking::look, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Hanging, Running, Transactions};
use runtime::operate::{self, HangingTransaction};

pub(in super::super) async fn show(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    let found = look(&app, operate::transactions).await?;
    let running = found.running.into_iter().map(|it| Running {
        place: format!("{}/{}", it.open.at.topic, it.open.at.partition),
        start_offset: it.open.start_offset,
        producer_id: it.open.producer_id,
        transactional_id: it.transactional_id,
    });
    let unseen = found.unseen.into_iter().map(|it| (format!("{}/{}", it.at.topic, it.at.partition), it.why));
    let view = Transactions {
        hanging: found.hanging.into_iter().map(hanging).collect(),
        running: running.collect(),
        unseen: unseen.collect(),
    };
    page(&visit.frame, &view)
}

fn hanging(of: HangingTransaction) -> Hanging {
    Hanging {
        topic: of.topic,
        partition: of.partition,
        start_offset: of.start_offset,
        producer_id: of.producer_id,
        producer_epoch: of.producer_epoch,
        transactional_id: of.transactional_id.unwrap_or_default(),
        age_seconds: of.age_seconds,
        blocks: of.blocks.into_iter().map(|it| (it.unit, it.effect.to_owned())).collect(),
        outcome: of.outcome.map(|it| it.to_string()).unwrap_or_default(),
        because: of.because,
    }
}
