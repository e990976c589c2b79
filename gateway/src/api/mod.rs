//! The operations under `/api/v1`: each reads or writes as the tenant of the key.

pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod claims;
pub(crate) mod cost;
pub(crate) mod deliveries;
pub(crate) mod digests;
pub(crate) mod events;
pub(crate) mod groups;
pub(crate) mod lag;
pub(crate) mod letters;
pub(crate) mod messages;
mod places;
pub(crate) mod search;
pub(crate) mod settings;
mod shown;
pub(crate) mod windows;

use crate::{
    openapi,
    problem::{Problem, Refusals},
    router::Routes,
};
use axum::{
    http::{HeaderName, header::CONTENT_TYPE},
    routing::{get, post},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Rows of a page where nobody says how many.
const LIMIT: u32 = 50;
/// Most rows of a page.
const LIMIT_MAX: u32 = 200;

/// A page of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows, in the order of the listing.
    items: Vec<T>,
    /// To be given as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// How many rows are wanted.
fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(LIMIT);
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::bad_request(format!("limit has to be from 1 to {LIMIT_MAX}")))
    }
}

/// A name that a group or window can have; others there are none of, and Postgres takes no NUL.
pub(crate) fn name(what: &'static str, name: &str) -> Result<(), Problem> {
    let is_usable = !name.is_empty() && name.len() <= 256 && !name.contains('\0');
    if is_usable { Ok(()) } else { Err(Problem::not_found(format!("there is no such {what}"))) }
}

/// Adds all of them.
pub(crate) fn routes(routes: &mut Routes<'_>) {
    routes.add("/api/v1/openapi.json", get(openapi_json));
    routes.add("/api/v1/groups", get(groups::list));
    routes.add("/api/v1/groups/{group_id}", get(groups::one));
    routes.add("/api/v1/groups/{group_id}/settings", get(settings::show).patch(settings::change));
    routes.add("/api/v1/groups/{group_id}/messages", get(messages::list).post(messages::post));
    routes.add("/api/v1/groups/{group_id}/digest", post(ask::ask));
    routes.add("/api/v1/windows", get(windows::list));
    routes.add("/api/v1/digests", get(digests::list));
    routes.add("/api/v1/digests/{id}", get(digests::one));
    routes.add("/api/v1/digests/{id}/claims/{number}", get(claims::one));
    routes.add("/api/v1/events", get(events::listen));
    routes.add("/api/v1/search", get(search::find));
    routes.add("/api/v1/deliveries", get(deliveries::list));
    routes.add("/api/v1/dead-letters", get(letters::list));
    routes.add("/api/v1/dead-letters/kinds", get(letters::kinds));
    routes.add("/api/v1/dead-letters/{place}", get(letters::one));
    routes.add("/api/v1/lag", get(lag::show));
    routes.add("/api/v1/cost", get(cost::show));
    routes.add("/api/v1/audit", get(audit::list));
}

/// This document
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "about", security(()),
    responses((status = 200, description = "The document", body = Object), Refusals)
)]
pub(crate) async fn openapi_json() -> Result<([(HeaderName, &'static str); 1], String), Problem> {
    let document = openapi::document().map_err(|error| Problem::internal(&error))?;
    Ok(([(CONTENT_TYPE, "application/json")], document))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_bounds_and_a_name_that_nothing_has_is_not_looked_for() {
        assert_eq!((limit(None), limit(Some(200))), (Ok(LIMIT), Ok(200)));
        assert!(limit(Some(0)).is_err() && limit(Some(201)).is_err());
        assert!(name("group", "team").is_ok());
        assert!(
            name("group", "").is_err()
                && name("group", "a\0").is_err()
                && name("group", &"a".repeat(257)).is_err()
        );
    }
}
