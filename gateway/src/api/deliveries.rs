//! The ledger of deliveries.

use super::{Page, limit, name};
use crate::{
    app::App,
    cursor,
    extract::{Json, Query},
    guard::Caller,
    problem::{Problem, Refusals},
    times,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use state::{DeliveryPage, DeliveryPlace, DeliverySeen};
use utoipa::{IntoParams, ToSchema};

const KIND: &str = "deliveries";

/// A delivery of a digest, or of a part of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct Shown {
    /// Digest.
    digest_id: String,
    /// Group.
    group_id: String,
    /// Window.
    window_id: String,
    /// `<window revision>.<attempt>`.
    version: String,
    /// Channel.
    channel: String,
    /// Target in the channel's own terms; empty where there is but one.
    chat: String,
    /// Part of a digest that is delivered in several, from 1.
    part: i32,
    /// `planned`, `sending`, `sent`, `failed`, `unknown`, `superseded`, `withdrawn`, `blocked` or `muted`.
    status: String,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When it was planned.
    #[schema(format = DateTime)]
    planned_at: String,
    /// When it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    sending_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

impl From<DeliverySeen> for Shown {
    fn from(seen: DeliverySeen) -> Self {
        let place = seen.place;
        Self {
            digest_id: seen.digest_id,
            group_id: seen.group_id,
            window_id: place.window_id,
            version: format!("{}.{}", place.revision, place.attempt),
            channel: place.channel,
            chat: place.chat,
            part: place.part,
            status: seen.status,
            error: seen.error,
            planned_at: times::told(place.planned_us.div_euclid(1_000)),
            sending_at: seen.sending_at.map(times::told),
            finished_at: seen.finished_at.map(times::told),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Of this group only
    group_id: Option<String>,
    /// In this state only
    status: Option<String>,
    /// Where the page before ended
    cursor: Option<String>,
    /// Most rows
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// Deliveries of digests, the newest first
#[utoipa::path(
    operation_id = "list_deliveries",
    get, path = "/api/v1/deliveries", tag = "digests", params(Asked), security(("key" = ["DIGEST_READ"])),
    responses((status = 200, description = "A page of deliveries", body = Page<Shown>), Refusals)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, after) = (limit(asked.limit)?, cursor::read::<DeliveryPlace>(KIND, asked.cursor.as_deref())?);
    if after
        .iter()
        .any(|place| [&place.window_id, &place.channel, &place.chat].iter().any(|it| it.contains('\0')))
    {
        return Err(Problem::bad_request("the cursor is not one of this listing"));
    }
    for given in asked.group_id.iter().chain(&asked.status) {
        name("group or state", given)?;
    }
    let (tenant_id, limit_and_one) = (caller.tenant_id.to_string(), limit + 1);
    let Asked { group_id, status, .. } = asked;
    let page = DeliveryPage { tenant_id, group_id, status, after, limit: limit_and_one };
    let mut seen = app.0.store.delivery_page(&page).await?;
    let next = cursor::cut(&mut seen, limit, (KIND, |seen: &DeliverySeen| seen.place.clone()));
    Ok(Json(Page { items: seen.into_iter().map(Shown::from).collect(), next }))
}
