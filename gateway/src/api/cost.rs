//! What calls to language models came to.

use crate::{
    app::App,
    extract::{Json, Query},
    guard::Caller,
    problem::{Problem, Refusals},
    times,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use state::LlmCosts;
use utoipa::{IntoParams, ToSchema};

/// How far is looked back where nobody says.
const DAYS_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// What calls of one kind came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cost)]
pub(crate) struct Shown {
    /// Day of UTC.
    #[schema(format = Date)]
    day: String,
    /// Group.
    group_id: String,
    /// Stage that asked.
    stage: String,
    /// Provider.
    provider: String,
    /// Model.
    model: String,
    /// Whose key was used: `operator`, `tenant` or `user`.
    payer: String,
    /// Currency; empty where the model has no price.
    currency: String,
    /// `reserved`, `settled`, `failed` or `unknown`.
    state: String,
    /// Calls.
    calls: i64,
    /// Tokens of questions.
    tokens_in: i64,
    /// Tokens of answers.
    tokens_out: i64,
    /// Millionths of the currency.
    cost_micros: i64,
}

/// What they came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Costs)]
pub(crate) struct Found {
    /// From this time.
    #[schema(format = DateTime)]
    since: String,
    /// Before this time.
    #[schema(format = DateTime)]
    until: String,
    /// By day, group, stage, provider, model and payer.
    items: Vec<Shown>,
}

impl From<LlmCosts> for Shown {
    fn from(of: LlmCosts) -> Self {
        Self {
            day: of.day,
            group_id: of.group_id,
            stage: of.stage,
            provider: of.provider,
            model: of.model,
            payer: of.payer,
            currency: of.currency,
            state: of.state,
            calls: of.calls,
            tokens_in: of.tokens_in,
            tokens_out: of.tokens_out,
            cost_micros: of.cost_micros,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// From this time; 30 days before the end where it is not given
    #[param(format = DateTime)]
    since: Option<String>,
    /// Before this time; now where it is not given
    #[param(format = DateTime)]
    until: Option<String>,
}

/// What calls to language models came to
#[utoipa::path(
    get, path = "/api/v1/cost", tag = "operation", params(Asked), security(("key" = ["DIGEST_ADMIN"])),
    responses((status = 200, description = "Costs", body = Found), Refusals)
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Found>, Problem> {
    let until = times::read("until", asked.until.as_deref())?.unwrap_or_else(times::now_ms);
    let since = times::read("since", asked.since.as_deref())?.unwrap_or(until.saturating_sub(DAYS_MS));
    let costs = app.0.store.llm_costs(&caller.tenant_id, (since, until)).await?;
    let items = costs.into_iter().map(Shown::from).collect();
    Ok(Json(Found { since: times::told(since), until: times::told(until), items }))
}
