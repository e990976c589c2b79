//! A digest, with the messages that its claims cite as they were when it was made, and those around them as they are now.
//!
//! Invariant: a message that was deleted since is not shown, whatever cites it.

use super::{
    super::{entry::Visit, frame::page, settings::settings_of},
    lines::{before, line, version_line},
};
use crate::{api::name, app::App, extract::Path, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Block, DeliveryLine, DigestPage, Said, blocks};
use rendering::{Extent, View};
use schemas::{GroupSettings, WindowRef};
use state::{DigestFound, DigestSummary, MessagePage, StoredDigest};
use std::collections::{BTreeMap, BTreeSet};

/// Messages of a window that are looked through for those around a claim's.
const AROUND_MAX: u32 = 5_000;
/// Deliveries of a window that are looked through for those of a digest.
const DELIVERIES_MAX: u32 = 200;
/// Windows that are looked through for the neighbours of one.
const NEAR_MAX: u32 = 200;

pub(in super::super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    let stored = stored(&app, visit.tenant(), &id).await?;
    let settings = settings_of(&app, &visit.caller, &stored.summary.group_id).await;
    let (tenant, summary) = (visit.tenant().to_owned(), stored.summary.clone());
    let window = window(&stored, &settings);
    let shown = view(&stored, &window);
    let (blocks, chat_address) = (blocks(&shown), shown.chat_address());
    let messages = said(&app, &tenant, (&stored, &blocks)).await?;
    let versions = app.0.store.digest_versions(&tenant, &summary.window_id).await?;
    let deliveries = deliveries(&app, &tenant, &summary).await?;
    let (earlier, later) = neighbours(&app, &tenant, &summary).await?;
    let view = DigestPage {
        line: line(summary),
        time_zone: settings.time_zone,
        blocks,
        messages,
        chat_address,
        versions: versions.into_iter().map(version_line).collect(),
        deliveries,
        before: earlier,
        after: later,
    };
    page(&visit.frame, &view)
}

/// The digest with this id, or the newest of the window with this id.
pub(super) async fn stored(app: &App, tenant: &str, id: &str) -> Result<StoredDigest, Problem> {
    name("digest", id)?;
    match app.0.store.digest_show(tenant, id).await? {
        Some(DigestFound::Stored(digest)) => Ok(*digest),
        // Nothing says what it was; its window still leads to versions that are there.
        Some(DigestFound::Withdrawn { .. }) | None => Err(Problem::not_found("there is no such digest")),
    }
}

/// The window of a digest, under the settings that its group has now: none were kept with it.
pub(super) fn window(stored: &StoredDigest, settings: &GroupSettings) -> WindowRef {
    WindowRef { settings: settings.clone(), ..stored.window() }
}

pub(super) fn view<'a>(stored: &'a StoredDigest, window: &'a WindowRef) -> View<'a> {
    View {
        tenant_id: &stored.summary.tenant_id,
        group_id: &stored.summary.group_id,
        digest_id: &stored.summary.digest_id,
        version: &stored.summary.version,
        window,
        digest: &stored.digest,
        extent: Extent::Page,
    }
}

/// The messages of a window by time: those that lines cite as the digest saw them, the others as they are.
async fn said(
    app: &App,
    tenant: &str,
    (stored, blocks): (&StoredDigest, &[Block]),
) -> Result<Vec<Said>, Problem> {
    let summary = &stored.summary;
    let around = MessagePage {
        tenant_id: tenant.to_owned(),
        group_id: summary.group_id.clone(),
        since_ms: summary.window_start,
        until_ms: summary.window_end,
        after: None,
        limit: AROUND_MAX,
    };
    let around = app.0.store.message_page(&around).await?;
    let ids: Vec<i64> = cited(blocks).into_iter().collect();
    let place = (stored.source_partition, stored.source_offset);
    let cited = app.0.store.cited_messages((tenant, &summary.group_id), place, &ids).await?;
    let all: BTreeMap<i64, _> =
        around.into_iter().chain(cited).map(|message| (message.id, message)).collect();
    let mut said: Vec<Said> = all.values().map(Said::from).collect();
    said.sort_by_key(|message| (message.sent_at_ms, message.message_id));
    Ok(said)
}

fn cited(blocks: &[Block]) -> BTreeSet<i64> {
    let ids = blocks.iter().flat_map(|block| match block {
        Block::Claim(_, ids) | Block::Link(_, ids) => ids.as_slice(),
        _ => &[],
    });
    ids.copied().collect()
}

async fn deliveries(app: &App, tenant: &str, of: &DigestSummary) -> Result<Vec<DeliveryLine>, Problem> {
    let seen = app.0.store.window_deliveries(tenant, &of.window_id, DELIVERIES_MAX).await?;
    Ok(seen
        .into_iter()
        .filter(|it| it.digest_id == of.digest_id)
        .map(super::super::operator::deliveries::line)
        .collect())
}

/// The digests of the windows before and after, of the same size.
async fn neighbours(
    app: &App,
    tenant: &str,
    of: &DigestSummary,
) -> Result<(Option<String>, Option<String>), Problem> {
    if of.size_hours == 0 {
        return Ok((None, None));
    }
    let near = before(tenant, &of.group_id, (of.window_end.saturating_add(1), NEAR_MAX));
    let near = app.0.store.digest_page(&near).await?;
    let of_size = |it: &&DigestSummary| it.size_hours == of.size_hours;
    let id = |it: &DigestSummary| it.digest_id.clone();
    let earlier = near.iter().filter(of_size).find(|it| it.window_end == of.window_start).map(id);
    let later = near.iter().filter(of_size).find(|it| it.window_start == of.window_end).map(id);
    Ok((earlier, later))
}
