//! The groups of the tenant.

use super::{
    super::{entry::Visit, frame::page, settings::settings_of},
    lines::{before, line},
};
use crate::{app::App, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Group, Groups};
use std::{cmp::Reverse, collections::HashMap};

/// Groups that are shown: a page of more is none that anybody reads.
const GROUPS_MAX: u32 = 100;

pub(in super::super) async fn show(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    let store = &app.0.store;
    let known = store.group_page(visit.tenant(), None, GROUPS_MAX).await?;
    let counts = store.message_counts(visit.tenant()).await?;
    let messages: HashMap<String, i64> = counts.into_iter().map(|it| (it.group_id, it.messages)).collect();
    let mut groups = Vec::with_capacity(known.len());
    for group in known {
        let newest = before(visit.tenant(), &group.group_id, (i64::MAX, super::lines::DIGESTS_MAX));
        let digests = store.digest_page(&newest).await?;
        let settings = settings_of(&app, &visit.caller, &group.group_id).await;
        groups.push((
            group.last_sent_at,
            Group {
                time_zone: settings.time_zone,
                messages: messages.get(&group.group_id).copied().unwrap_or_default(),
                digests: digests.len() as i64,
                newest: digests.into_iter().next().map(line),
                group_id: group.group_id,
            },
        ));
    }
    groups.sort_by_key(|(at, _)| Reverse(*at));
    page(&visit.frame, &Groups { groups: groups.into_iter().map(|(_, group)| group).collect() })
}
