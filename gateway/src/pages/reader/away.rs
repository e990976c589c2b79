//! What a group was told since the reader was away, and one digest of the whole time, which is asked for as programs ask.

use super::{
    super::{
        entry::Visit,
        form::Form,
        frame::{page, page_with},
        settings::settings_of,
    },
    lines::{between, civil, known, line, moment, zone},
};
use crate::{
    api::ask::{SPAN_MAX_MS, request},
    app::App,
    extract::{Path, Query},
    problem::Problem,
    scope::Scope,
};
use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};
use console_pages::{Asked, Away, AwayProblem};
use jiff::{civil::DateTime, tz::TimeZone};
use serde::Deserialize;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// As a field of a form has a time.
const TYPED: &str = "%Y-%m-%dT%H:%M";

#[derive(Debug, Deserialize)]
pub(in super::super) struct Wanted {
    #[serde(default)]
    since: String,
}

pub(in super::super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(group_id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, Problem> {
    known(&app, visit.tenant(), &group_id).await?;
    let mut view = blank(&app, &visit, group_id).await;
    let zone = zone(&view.time_zone);
    if wanted.since.is_empty() {
        view.since = civil(visit.frame.now_ms - DAY_MS, &zone).strftime(TYPED).to_string();
        return page(&visit.frame, &view);
    }
    match since(&wanted.since, (&zone, visit.frame.now_ms)) {
        Ok(since_ms) => tell(&app, &visit, (&mut view, since_ms)).await?,
        Err(problem) => view.problem = Some(problem),
    }
    view.since = wanted.since;
    page(&visit.frame, &view)
}

/// Asks for one digest of the whole time; it is only here, and posted nowhere.
pub(in super::super) async fn ask(
    State(app): State<App>,
    visit: Visit,
    Path(group_id): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Response<Body>, Problem> {
    known(&app, visit.tenant(), &group_id).await?;
    let (mut view, now_ms) = (blank(&app, &visit, group_id).await, visit.frame.now_ms);
    view.since = wanted.since;
    let since_ms = match since(&view.since, (&zone(&view.time_zone), now_ms)) {
        _ if !view.may_ask => Err(AwayProblem::Forbidden),
        Ok(since_ms) if now_ms - since_ms > SPAN_MAX_MS => Err(AwayProblem::TooLong),
        read => read,
    };
    let since_ms = match since_ms {
        Ok(since_ms) => since_ms,
        Err(problem) => return refused(&visit, view, problem),
    };
    // On whole minutes, so that to ask twice within one is to ask once.
    let until_ms = now_ms.div_euclid(MINUTE_MS).saturating_add(1).saturating_mul(MINUTE_MS);
    let asked = request(&app, &visit.caller, (&view.group_id, (since_ms, until_ms)), false).await;
    let (asked, _) = match asked {
        Ok(asked) => asked,
        Err(problem) if problem.code() == "feature_flag" => {
            return refused(&visit, view, AwayProblem::Forbidden);
        }
        Err(problem) => return Err(problem),
    };
    view.asked = Some(Asked { digest_id: asked.digest_id(), since_ms, until_ms });
    tell(&app, &visit, (&mut view, since_ms)).await?;
    page_with(StatusCode::ACCEPTED, &visit.frame, &view)
}

fn refused(visit: &Visit, view: Away, problem: AwayProblem) -> Result<Response<Body>, Problem> {
    let status = match problem {
        AwayProblem::Forbidden | AwayProblem::Stale => StatusCode::FORBIDDEN,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    page_with(status, &visit.frame, &Away { problem: Some(problem), ..view })
}

async fn blank(app: &App, visit: &Visit, group_id: String) -> Away {
    let time_zone = settings_of(app, &visit.caller, &group_id).await.time_zone;
    let may_ask = visit.caller.may(Scope::DigestAdmin) && app.0.trigger.is_enabled_for(visit.tenant());
    Away { group_id, time_zone, may_ask, ..Away::default() }
}

async fn tell(app: &App, visit: &Visit, (view, since_ms): (&mut Away, i64)) -> Result<(), Problem> {
    let time = (view.group_id.as_str(), (since_ms, i64::MAX));
    let digests = between(app, visit.tenant(), time).await?;
    view.digests = Some(digests.into_iter().map(line).collect());
    Ok(())
}

/// The time in ms that somebody typed, on the clock of the group.
fn since(typed: &str, (zone, now_ms): (&TimeZone, i64)) -> Result<i64, AwayProblem> {
    let at: DateTime = typed.parse().map_err(|_| AwayProblem::NoTime)?;
    let ms = moment(at, zone).ok_or(AwayProblem::NoTime)?;
    if ms < now_ms { Ok(ms) } else { Err(AwayProblem::ToCome) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_groups_clock() {
        let berlin = zone("Europe/Berlin");
        let read = |typed, now| since(typed, (&berlin, now));
        assert_eq!(read("2026-05-11T06:00", i64::MAX), Ok(1_778_472_000_000));
        assert_eq!(read("2026-05-11T06:00", 1_778_472_000_000), Err(AwayProblem::ToCome));
        for wrong in ["", "yesterday", "2026-13-01T00:00"] {
            assert_eq!(read(wrong, i64::MAX), Err(AwayProblem::NoTime), "{wrong}");
        }
    }
}
