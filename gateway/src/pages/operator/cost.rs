//! What calls to language models came to in a month.

use super::super::{
    entry::Visit,
    frame::page,
    reader::calendar::{bounds, first_of},
};
use crate::{app::App, extract::Query, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Cost, CostLine};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use state::LlmCosts;
use std::{cmp::Reverse, collections::BTreeMap};

#[derive(Debug, Deserialize)]
pub(in super::super) struct Wanted {
    #[serde(default)]
    month: String,
}

pub(in super::super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, Problem> {
    let now = Timestamp::from_millisecond(visit.frame.now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let this = now.to_zoned(TimeZone::UTC).date().first_of_month();
    let first = first_of(&wanted.month).unwrap_or(this);
    let bounds = bounds(first, &TimeZone::UTC).ok_or_else(|| Problem::bad_request(""))?;
    let costs = app.0.store.llm_costs(visit.tenant(), bounds).await?;
    page(&visit.frame, &Cost { year: first.year(), month: first.month(), lines: lines(costs) })
}

/// A line for each group, stage, model and currency, the dearest first.
fn lines(costs: Vec<LlmCosts>) -> Vec<CostLine> {
    let mut lines: BTreeMap<(String, String, String, String), CostLine> = BTreeMap::new();
    for of in costs {
        let key = (of.group_id, of.stage, of.model, of.currency);
        let line = lines.entry(key).or_default();
        match of.state.as_str() {
            "settled" => line.settled += of.calls,
            "failed" => line.failed += of.calls,
            _ => line.unknown += of.calls,
        }
        line.tokens_in += of.tokens_in;
        line.tokens_out += of.tokens_out;
        line.cost_micros += of.cost_micros;
    }
    let line =
        |((group_id, stage, model, currency), line)| CostLine { group_id, stage, model, currency, ..line };
    let mut lines: Vec<CostLine> = lines.into_iter().map(line).collect();
    lines.sort_by_key(|line| Reverse(line.cost_micros));
    lines
}
