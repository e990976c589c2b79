//! Mood and participation of a group over its last windows.

use super::{
    super::{entry::Visit, frame::page, settings::settings_of},
    lines::{before, known},
};
use crate::{app::App, extract::Path, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Mood, MoodPoint, Participation};
use state::{DigestFound, DigestSummary, StoredDigest};
use std::{cmp::Reverse, collections::BTreeMap};

/// Digests among which those of one size are looked for, and windows that are shown.
const NEWEST_MAX: u32 = 300;
const WINDOWS_MAX: usize = 31;
const PEOPLE_MAX: usize = 20;

pub(in super::super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(group_id): Path<String>,
) -> Result<Response<Body>, Problem> {
    known(&app, visit.tenant(), &group_id).await?;
    let newest = app.0.store.digest_page(&before(visit.tenant(), &group_id, (i64::MAX, NEWEST_MAX))).await?;
    let mut windows = Vec::new();
    for summary in of_one_size(newest) {
        let found = app.0.store.digest_show(visit.tenant(), &summary.digest_id).await?;
        if let Some(DigestFound::Stored(stored)) = found {
            windows.push(*stored);
        }
    }
    windows.sort_by_key(|stored| stored.summary.window_start);
    let view = Mood {
        time_zone: settings_of(&app, &visit.caller, &group_id).await.time_zone,
        group_id,
        points: windows.iter().map(point).collect(),
        people: people(&windows),
    };
    page(&visit.frame, &view)
}

/// The newest of the largest windows of a day or less: smaller ones lie in them.
fn of_one_size(mut newest: Vec<DigestSummary>) -> Vec<DigestSummary> {
    let size = newest.iter().map(|it| it.size_hours).max().unwrap_or_default();
    newest.retain(|it| it.size_hours == size && size > 0);
    newest.truncate(WINDOWS_MAX);
    newest
}

fn point(of: &StoredDigest) -> MoodPoint {
    MoodPoint {
        digest_id: of.summary.digest_id.clone(),
        window_start_ms: of.summary.window_start,
        positive: of.digest.mood.positive,
        negative: of.digest.mood.negative,
        message_count: of.summary.message_count,
        participant_count: of.summary.participant_count,
    }
}

/// Who wrote most, over all windows.
fn people(windows: &[StoredDigest]) -> Vec<Participation> {
    let mut all: BTreeMap<&str, (Participation, BTreeMap<&str, u32>)> = BTreeMap::new();
    for one in windows.iter().flat_map(|stored| &stored.digest.participants) {
        let (of, roles) = all.entry(&one.author_id).or_default();
        of.name.clone_from(&one.name);
        of.messages += i64::from(one.message_count);
        of.windows += 1;
        *roles.entry(&one.role).or_default() += 1;
    }
    let most = |(of, roles): (Participation, BTreeMap<&str, u32>)| {
        let role = roles.into_iter().max_by_key(|(role, times)| (*times, Reverse(*role)));
        Participation { role: role.map_or_else(String::new, |(role, _)| role.to_owned()), ..of }
    };
    let mut people: Vec<Participation> = all.into_values().map(most).collect();
    people.sort_by(|left, right| right.messages.cmp(&left.messages).then_with(|| left.name.cmp(&right.name)));
    people.truncate(PEOPLE_MAX);
    people
}
