//! A message, as the digest that cites it.

use super::super::entry::{Visit, see};
use crate::{api::name, app::App, extract::Path, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::routes;
use state::MessageWindow;
use std::cmp::Reverse;

pub(in super::super) async fn lead(
    State(app): State<App>,
    visit: Visit,
    Path((group_id, message_id)): Path<(String, i64)>,
) -> Result<Response<Body>, Problem> {
    name("group", &group_id)?;
    let place = place(&app, &visit, (&group_id, message_id)).await?;
    place.map(|path| see(&path)).ok_or_else(|| Problem::not_found("there is no such message"))
}

/// Where a message is told of; none where there is none, or nothing came of it yet.
pub(super) async fn place(
    app: &App,
    visit: &Visit,
    (group_id, message_id): (&str, i64),
) -> Result<Option<String>, Problem> {
    let Some((_, windows)) = app.0.store.message_way((visit.tenant(), group_id), message_id).await? else {
        return Ok(None);
    };
    Ok(best(&windows, visit.frame.may_operate))
}

/// The newest digest that cites it, else the one of its smallest window, else, for operators, the way of that.
fn best(windows: &[MessageWindow], may_operate: bool) -> Option<String> {
    let there = || windows.iter().filter(|it| !it.withdrawn && it.digest_id.is_some());
    let citing = there().filter(|it| it.cites).max_by_key(|it| (it.window_start, Reverse(it.size_hours)));
    let told = citing.or_else(|| there().min_by_key(|it| it.size_hours));
    if let Some(id) = told.and_then(|it| it.digest_id.as_deref()) {
        return Some(routes::digest(id));
    }
    let smallest = windows.iter().min_by_key(|it| it.size_hours)?;
    may_operate.then(|| routes::trace(&smallest.window_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(id: &str, (size_hours, window_start): (i32, i64), digest: bool, cites: bool) -> MessageWindow {
        MessageWindow {
            window_id: id.to_owned(),
            size_hours,
            window_start,
            window_end: 0,
            version: "1.0".to_owned(),
            digest_id: digest.then(|| format!("d-{id}")),
            reason: None,
            withdrawn: false,
            cites,
            deliveries: Vec::new(),
        }
    }

    #[test]
    fn a_message_leads_to_what_cites_it_before_what_only_holds_it() {
        let (small, day) = (window("s", (1, 9), true, false), window("d", (24, 0), true, true));
        let blocked = window("b", (1, 9), false, false);
        assert_eq!(best(&[small.clone(), day], false).as_deref(), Some("/console/digests/d-d"));
        assert_eq!(best(&[small.clone(), blocked.clone()], false).as_deref(), Some("/console/digests/d-s"));
        assert_eq!(best(std::slice::from_ref(&blocked), true).as_deref(), Some("/console/operator/trace/b"));
        assert_eq!(best(&[blocked], false), None);
        let gone = MessageWindow { withdrawn: true, ..small };
        assert_eq!(best(&[gone], false), None);
    }
}
