//! Deliveries that wait for an operator, what happened lately, and what an operator found.

use super::{
    super::{entry::Visit, form::Form, frame::page_with},
    put_on_record,
};
use crate::{api::name, app::App, problem::Problem, times, whole::whole};
use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};
use console_pages::{Deliveries, DeliveryLine, DisabledTarget, MutedDelivery, UnknownDelivery};
use serde::Deserialize;
use serde_json::json;
use state::{AuditChange, DeliveryPage, DeliverySeen, Settled, Settlement};

/// The channel in which a message that is there has a number.
const NUMBERED: &str = "telegram";
const RECENT_MAX: u32 = 50;
const MUTED_MAX: i64 = 50;

pub(in super::super) async fn show(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    shown(&app, &visit, (StatusCode::OK, String::new())).await
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct Resolution {
    digest_id: String,
    channel: String,
    chat: String,
    part: i32,
    found: String,
    #[serde(default)]
    message_id: String,
}

/// Says how a delivery ended of which nobody knows, as `gistmill delivery resolve` does.
pub(in super::super) async fn resolve(
    State(app): State<App>,
    visit: Visit,
    Form(found): Form<Resolution>,
) -> Result<Response<Body>, Problem> {
    name("digest", &found.digest_id)?;
    name("channel", &found.channel)?;
    // Postgres takes no NUL, and nothing of the ledger has one.
    if found.chat.contains('\0') || found.message_id.contains('\0') {
        return Err(Problem::not_found("there is no such delivery"));
    }
    let message: Option<i64> = found.message_id.trim().parse().ok().filter(|id| *id > 0);
    let reference = match found.found.as_str() {
        "message" if found.channel == NUMBERED => {
            Some(message.ok_or_else(|| Problem::bad_request("message_id"))?.to_string())
        }
        "message" => Some(found.message_id.trim().to_owned()),
        "nothing" => None,
        _ => return Err(Problem::bad_request("found")),
    };
    let settlement = Settlement {
        tenant_id: visit.tenant().to_owned(),
        digest_id: found.digest_id.clone(),
        channel: found.channel.clone(),
        chat: Some(found.chat),
        part: found.part,
        reference,
    };
    let told = match whole(settle(app.clone(), visit.clone(), settlement)).await? {
        Settled::Delivered => "it is delivered, and digest.delivered says so",
        Settled::Partly => "this part is there; the digest's other parts come with its next version",
        Settled::NotDelivered => {
            "it is not delivered, and digest.delivered says so unless another recipient has it; the next version is \
             posted"
        }
        Settled::NotUnknown => {
            let note =
                format!("could not settle part {} of {}: it is not unknown", found.part, found.digest_id);
            return shown(&app, &visit, (StatusCode::CONFLICT, note)).await;
        }
    };
    let note = format!("settled part {} of {}: {told}", found.part, found.digest_id);
    shown(&app, &visit, (StatusCode::OK, note)).await
}

/// Settles a delivery, and puts on record that somebody did.
async fn settle(app: App, visit: Visit, of: Settlement) -> Result<Settled, Problem> {
    let settled = app.0.store.settle_delivery(&of, times::now_ms()).await?;
    if settled != Settled::NotUnknown {
        let after = json!({ "part": of.part, "channel": of.channel, "message": of.reference });
        record(&app, &visit, ("delivery resolve", &of.digest_id, Some(&after))).await;
    }
    Ok(settled)
}

#[derive(Debug, Clone, Deserialize)]
pub(in super::super) struct Target {
    channel: String,
    chat: String,
}

/// Delivers to a target again that has refused, as `gistmill delivery enable` does.
pub(in super::super) async fn enable(
    State(app): State<App>,
    visit: Visit,
    Form(target): Form<Target>,
) -> Result<Response<Body>, Problem> {
    name("target", &target.chat)?;
    name("channel", &target.channel)?;
    if !whole(set_free(app.clone(), visit.clone(), target.clone())).await? {
        let note = format!("could not enable {}: it is not disabled", target.chat);
        return shown(&app, &visit, (StatusCode::CONFLICT, note)).await;
    }
    let note = format!("enabled {}: digests from now on are delivered there", target.chat);
    shown(&app, &visit, (StatusCode::OK, note)).await
}

/// Lets a target have deliveries again, and puts on record that somebody did; false where it has them.
async fn set_free(app: App, visit: Visit, target: Target) -> Result<bool, Problem> {
    let is_done = app.0.store.enable_target(visit.tenant(), &target.channel, &target.chat).await?;
    if is_done {
        // Of a target that one person sees, the chat.
        let chat = target.chat.split('+').next().unwrap_or_default();
        record(&app, &visit, ("delivery enable", chat, None)).await;
    }
    Ok(is_done)
}

async fn record(
    app: &App,
    visit: &Visit,
    (action, subject, after): (&str, &str, Option<&serde_json::Value>),
) {
    let (tenant_id, actor) = (visit.tenant(), visit.caller.actor());
    put_on_record(app, &AuditChange { tenant_id, actor: &actor, action, subject, before: None, after }).await;
}

async fn shown(
    app: &App,
    visit: &Visit,
    (status, note): (StatusCode, String),
) -> Result<Response<Body>, Problem> {
    let (store, tenant) = (&app.0.store, visit.tenant());
    let recent = DeliveryPage { tenant_id: tenant.to_owned(), limit: RECENT_MAX, ..DeliveryPage::default() };
    let view = Deliveries {
        unknown: store.unknown_deliveries(tenant).await?.into_iter().map(unknown).collect(),
        disabled: store.disabled_targets(tenant).await?.into_iter().map(disabled).collect(),
        muted: store.muted_deliveries(tenant, MUTED_MAX).await?.into_iter().map(muted).collect(),
        recent: store.delivery_page(&recent).await?.into_iter().map(line).collect(),
        may_settle: true,
        note,
    };
    page_with(status, &visit.frame, &view)
}

pub(in super::super) fn line(of: DeliverySeen) -> DeliveryLine {
    let planned_at = of.place.planned_us.div_euclid(1_000);
    DeliveryLine {
        digest_id: of.digest_id,
        version: format!("{}.{}", of.place.revision, of.place.attempt),
        channel: of.place.channel,
        chat: of.place.chat,
        part: of.place.part,
        status: of.status,
        at_ms: of.finished_at.or(of.sending_at).unwrap_or(planned_at),
    }
}

fn unknown(of: state::UnknownDelivery) -> UnknownDelivery {
    UnknownDelivery {
        group_id: of.group_id,
        digest_id: of.digest_id,
        version: of.version,
        channel: of.channel,
        chat: of.chat,
        part: of.part,
        error: of.error.unwrap_or_default(),
        sending_at_ms: of.sending_at,
    }
}

fn disabled(of: state::DisabledTarget) -> DisabledTarget {
    DisabledTarget { channel: of.channel, chat: of.chat, reason: of.reason }
}

fn muted(of: state::MutedDelivery) -> MutedDelivery {
    MutedDelivery { group_id: of.group_id, digest_id: of.digest_id, chat: of.chat }
}
