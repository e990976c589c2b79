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

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How far is looked back where nobody says, and the longest time that is told of at once.
const DAYS_MS: i64 = 30 * DAY_MS;
const SPAN_MAX_MS: i64 = 366 * DAY_MS;

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

impl Shown {
    /// What tells it from all others.
    fn kind(&self) -> [&str; 8] {
        let Self { day, group_id, stage, provider, model, payer, currency, state, .. } = self;
        [day, group_id, stage, provider, model, payer, currency, state]
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.tokens_in += other.tokens_in;
        self.tokens_out += other.tokens_out;
        self.cost_micros += other.cost_micros;
    }
}

/// Each kind once: that several people asked is not told.
fn summed(costs: Vec<LlmCosts>) -> Vec<Shown> {
    let mut items: Vec<Shown> = costs.into_iter().map(Shown::from).collect();
    items.sort_by(|left, right| left.kind().cmp(&right.kind()));
    items.dedup_by(|next, kept| {
        let is_same = next.kind() == kept.kind();
        if is_same {
            kept.add(next);
        }
        is_same
    });
    items
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
    operation_id = "show_cost",
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
    if until.saturating_sub(since) > SPAN_MAX_MS {
        return Err(Problem::unprocessable("long_span", "costs are told of 366 days at most"));
    }
    let costs = app.0.store.llm_costs(&caller.tenant_id, (since, until)).await?;
    Ok(Json(Found { since: times::told(since), until: times::told(until), items: summed(costs) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_people_asked_for_is_one_item() {
        let of = |user_id: &str, stage: &str, calls| LlmCosts {
            day: "2026-11-29".to_owned(),
            group_id: "qa".to_owned(),
            user_id: user_id.to_owned(),
            stage: stage.to_owned(),
            provider: "p".to_owned(),
            model: "m".to_owned(),
            payer: "operator".to_owned(),
            currency: "USD".to_owned(),
            state: "settled".to_owned(),
            calls,
            tokens_in: 10 * calls,
            tokens_out: calls,
            tokens_reserved: 0,
            cost_micros: 100 * calls,
        };
        let costs = vec![of("", "synthesis", 1), of("ann", "roles", 2), of("ann", "synthesis", 4)];
        let items: Vec<_> = summed(costs)
            .into_iter()
            .map(|item| (item.stage, item.calls, item.tokens_in, item.tokens_out, item.cost_micros))
            .collect();
        let expected = [("roles".to_owned(), 2, 20, 2, 200), ("synthesis".to_owned(), 5, 50, 5, 500)];
        assert_eq!(items, expected);
    }
}
