//! Groups that have messages.

use super::{Page, limit, name};
use crate::{
    app::App,
    cursor,
    extract::{Json, Path, Query},
    guard::Caller,
    problem::{Problem, Refusals},
    times,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use state::GroupKnown;
use utoipa::{IntoParams, ToSchema};

const KIND: &str = "groups";

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct Shown {
    /// Its id.
    group_id: String,
    /// When its newest message was sent.
    #[schema(format = DateTime)]
    last_message_at: String,
}

impl From<GroupKnown> for Shown {
    fn from(known: GroupKnown) -> Self {
        Self { group_id: known.group_id, last_message_at: times::told(known.last_sent_at) }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Where the page before ended
    cursor: Option<String>,
    /// Most rows
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// Groups that have messages, by id
#[utoipa::path(
    operation_id = "list_groups",
    get, path = "/api/v1/groups", tag = "groups", params(Asked), security(("key" = ["DIGEST_READ"])),
    responses((status = 200, description = "A page of groups", body = Page<Shown>), Refusals)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, after) = (limit(asked.limit)?, cursor::read::<String>(KIND, asked.cursor.as_deref())?);
    if let Some(after) = &after {
        name("group", after)?;
    }
    let mut known = app.0.store.group_page(&caller.tenant_id, after.as_deref(), limit + 1).await?;
    let next = cursor::cut(&mut known, limit, (KIND, |group: &GroupKnown| group.group_id.clone()));
    Ok(Json(Page { items: known.into_iter().map(Shown::from).collect(), next }))
}

/// One group
#[utoipa::path(
    operation_id = "show_group",
    get, path = "/api/v1/groups/{group_id}", tag = "groups", security(("key" = ["DIGEST_READ"])),
    params(("group_id" = String, Path, description = "Group")),
    responses((status = 200, description = "The group", body = Shown), Refusals)
)]
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(group_id): Path<String>,
) -> Result<Json<Shown>, Problem> {
    Ok(Json(known(&app, &caller, &group_id).await?.into()))
}

/// The group, if the tenant has one of this name with messages.
pub(crate) async fn known(app: &App, caller: &Caller, group_id: &str) -> Result<GroupKnown, Problem> {
    name("group", group_id)?;
    let known = app.0.store.group_known(&caller.tenant_id, group_id).await?;
    known.ok_or_else(|| Problem::not_found("there is no such group, or it has no message yet"))
}
