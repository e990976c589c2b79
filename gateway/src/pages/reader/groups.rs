//! The groups of the tenant.

use super::{
    super::{entry::Visit, frame::page},
    lines::{before, line},
};
use crate::{app::App, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Group, Groups};
use std::cmp::Reverse;

/// Groups that are shown: a page of more is none that anybody reads.
const GROUPS_MAX: u32 = 100;

pub(in super::super) async fn show(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    let store = &app.0.store;
    let known = store.group_page(visit.tenant(), None, GROUPS_MAX).await?;
    let mut groups = Vec::with_capacity(known.len());
    for group in known {
        let newest = store.digest_page(&before(visit.tenant(), &group.group_id, (i64::MAX, 1))).await?;
        let newest = newest.into_iter().next().map(line);
        // To count them takes a look at each message: nobody waits for that.
        groups.push((group.last_sent_at, Group { group_id: group.group_id, messages: None, newest }));
    }
    groups.sort_by_key(|(at, _)| Reverse(*at));
    page(&visit.frame, &Groups { groups: groups.into_iter().map(|(_, group)| group).collect() })
}
