//! Dead letters of a kind, written to their topics again as `gistmill dlq replay` does.
//!
//! Invariant: only the tenant's own letters are meant, what is to happen is confirmed by a word that is typed, and both its
//! beginning and its end are on record.

use super::{
    super::{
        entry::Visit,
        form::Form,
        frame::{page, page_with},
    },
    letters::{kind, selection},
    put_on_record,
};
use crate::{app::App, blocking::look, extract::Path, problem::Problem};
use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};
use console_pages::{LetterKind, Replay, ReplayStep};
use operate::{Error, ReplayOptions, ReplayPlan, ReplayTold};
use serde::Deserialize;
use serde_json::json;
use state::{AuditChange, LetterState};
use tokio::runtime::Handle;

/// Times that an input may be written again before it is parked.
const ATTEMPTS_MAX: i32 = 3;

#[derive(Debug, Deserialize)]
pub(in super::super) struct Confirmed {
    #[serde(default)]
    confirmation: String,
    #[serde(default)]
    rate: String,
}

fn options(visit: &Visit, (fingerprint, rate): (&str, Option<u32>)) -> ReplayOptions {
    ReplayOptions {
        selection: selection(visit, Some(fingerprint.to_owned())),
        states: [LetterState::Open].into(),
        rekey: false,
        attempts_max: ATTEMPTS_MAX,
        rate,
        abandon: false,
        actor: visit.caller.actor(),
    }
}

fn view(kind: LetterKind, (plan, rate): (Option<&ReplayPlan>, Option<u32>), step: ReplayStep) -> Replay {
    Replay {
        fingerprint: kind.fingerprint,
        unit: kind.unit,
        topic: kind.topic,
        step,
        inputs: plan.map_or(0, |plan| plan.inputs),
        parked: plan.map_or(0, |plan| plan.parked),
        unfit: plan.map_or(0, |plan| plan.unfit.values().sum::<u64>() + plan.gone.values().sum::<u64>()),
        rate,
    }
}

/// What would be done; none where nothing can be written again.
async fn planned(app: &App, options: ReplayOptions) -> Result<Option<ReplayPlan>, Problem> {
    look(app, move |config, map| match operate::plan_replay(config, map, &options, &mut |_, _| {}) {
        Ok(plan) => Ok(Some(plan)),
        Err(Error::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    })
    .await
}

/// What a replay would do.
pub(in super::super) async fn plan(
    State(app): State<App>,
    visit: Visit,
    Path(fingerprint): Path<String>,
) -> Result<Response<Body>, Problem> {
    let kind = kind(&app, selection(&visit, Some(fingerprint.clone()))).await?;
    let plan = planned(&app, options(&visit, (&fingerprint, None))).await?;
    page(&visit.frame, &view(kind, (plan.as_ref(), None), ReplayStep::Confirm))
}

/// Does it. Whoever goes away meanwhile ends nothing: it is gone on with, or is done.
pub(in super::super) async fn replay(
    State(app): State<App>,
    visit: Visit,
    Path(fingerprint): Path<String>,
    Form(confirmed): Form<Confirmed>,
) -> Result<Response<Body>, Problem> {
    let kind = kind(&app, selection(&visit, Some(fingerprint.clone()))).await?;
    let rate = match confirmed.rate.trim() {
        "" => None,
        text => Some(text.parse().ok().filter(|rate| *rate > 0).ok_or_else(|| Problem::bad_request(""))?),
    };
    let options = options(&visit, (&fingerprint, rate));
    let plan = planned(&app, options.clone()).await?;
    let asked = view(kind.clone(), (plan.as_ref(), rate), ReplayStep::NotConfirmed);
    if confirmed.confirmation.trim() != asked.confirmation() {
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &visit.frame, &asked);
    }
    if plan.is_none() {
        let view = Replay { step: ReplayStep::Confirm, ..asked };
        return page_with(StatusCode::CONFLICT, &visit.frame, &view);
    }
    let done = done(&app, &visit, options);
    let Some(done) = done.await? else {
        let view = Replay { step: ReplayStep::Busy, ..asked };
        return page_with(StatusCode::CONFLICT, &visit.frame, &view);
    };
    page(&visit.frame, &view(kind, (Some(&done), rate), ReplayStep::Done))
}

/// Replays, and puts on record what is about to be written and what was; none where it was refused.
async fn done(app: &App, visit: &Visit, options: ReplayOptions) -> Result<Option<ReplayPlan>, Problem> {
    let (keeper, here) = (app.clone(), Handle::current());
    let tenant = visit.tenant().to_owned();
    look(app, move |config, map| {
        let on_record = |action: &str, plan: &ReplayPlan| {
            here.block_on(record(&keeper, (&tenant, &options), (action, plan)));
        };
        let replayed = operate::replay(config, map, &options, &mut |told| {
            if let ReplayTold::Planned(plan) = told {
                on_record("dlq replay", plan);
            }
        });
        match replayed {
            Ok(plan) => {
                on_record("dlq replay done", &plan);
                Ok(Some(plan))
            }
            Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    })
    .await
}

async fn record(
    app: &App,
    (tenant_id, options): (&str, &ReplayOptions),
    (action, plan): (&str, &ReplayPlan),
) {
    let after = json!({
        "run": plan.run.id, "which": options.selection, "rekey": options.rekey, "inputs": plan.inputs,
        "parked": plan.parked, "goes_on": plan.is_resumed,
    });
    let change = AuditChange {
        tenant_id,
        actor: &options.actor,
        action,
        subject: options.selection.fingerprint.as_deref().unwrap_or_default(),
        before: None,
        after: Some(&after),
    };
    put_on_record(app, &change).await;
}
