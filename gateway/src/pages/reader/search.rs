//! Search by words; what is an id leads to what it is the id of.

use super::{
    super::{
        entry::{Visit, see},
        frame::page,
    },
    message::place,
};
use crate::{api::name, app::App, extract::Query, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Citation, DigestHit, MessageHit, Search, routes};
use operate::LetterPlace;
use serde::Deserialize;
use state::{DigestFound, Outcome, SearchQuery};

const QUERY_CHARS_MAX: usize = 500;
const HITS_MAX: u32 = 20;
/// Groups in which a message is looked for by its number alone.
const GROUPS_MAX: usize = 20;
/// Digits of the fingerprint of a kind of dead letters.
const FINGERPRINT_CHARS: usize = 16;

#[derive(Debug, Deserialize)]
pub(in super::super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    group: String,
}

pub(in super::super) async fn show(
    State(app): State<App>,
    mut visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, Problem> {
    let text: String = wanted.q.replace('\0', " ").trim().chars().take(QUERY_CHARS_MAX).collect();
    if !wanted.group.is_empty() {
        name("group", &wanted.group)?;
    }
    if let Some(path) = of_id(&app, &visit, (&text, &wanted.group)).await? {
        return Ok(see(&path));
    }
    visit.frame.query.clone_from(&text);
    let group_id = (!wanted.group.is_empty()).then(|| wanted.group.clone());
    let mut view = Search { query: text.clone(), group_id: wanted.group, ..Search::default() };
    if text.chars().any(char::is_alphanumeric) {
        let query = SearchQuery {
            tenant_id: visit.tenant().to_owned(),
            group_id,
            text,
            since_ms: None,
            author: None,
            limit: HITS_MAX,
        };
        if let Outcome::Hits(hits) = app.0.store.search_messages(&query).await? {
            view.has_words = true;
            view.messages = hits.into_iter().map(message).collect();
        }
        if let Outcome::Hits(hits) = app.0.store.search_digests(&query).await? {
            view.digests = hits.into_iter().map(digest).collect();
        }
    }
    page(&visit.frame, &view)
}

/// The page of what has this id: a digest, a window, a message, and for operators a letter or a kind of letters.
async fn of_id(app: &App, visit: &Visit, (text, group): (&str, &str)) -> Result<Option<String>, Problem> {
    if text.is_empty() || text.contains(char::is_whitespace) || name("id", text).is_err() {
        return Ok(None);
    }
    let number = text.strip_prefix('#').unwrap_or(text);
    if let Ok(id) = number.parse::<i64>() {
        return of_message(app, visit, (id, group)).await;
    }
    if let Some(DigestFound::Stored(_)) = app.0.store.digest_show(visit.tenant(), text).await? {
        return Ok(Some(routes::digest(text)));
    }
    if !visit.frame.may_operate {
        return Ok(None);
    }
    if app.0.store.window_bounds(visit.tenant(), text).await?.is_some() {
        return Ok(Some(routes::trace(text)));
    }
    let is_kind = text.len() == FINGERPRINT_CHARS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(match text.parse::<LetterPlace>() {
        Ok(place) => Some(routes::letter(&place.to_string())),
        Err(_) => is_kind.then(|| routes::letter_kind(&text.to_ascii_lowercase())),
    })
}

/// A message by its number: in the group, or in the one group that has one of it.
async fn of_message(app: &App, visit: &Visit, (id, group): (i64, &str)) -> Result<Option<String>, Problem> {
    let named = [group.to_owned()];
    let groups = if group.is_empty() { visit.frame.groups.as_slice() } else { &named };
    let mut found = Vec::new();
    for group in groups.iter().take(GROUPS_MAX) {
        found.extend(place(app, visit, (group, id)).await?);
    }
    Ok(if found.len() == 1 { found.pop() } else { None })
}

fn message(hit: state::MessageHit) -> MessageHit {
    let citation = |of: state::Citation| Citation { digest_id: of.digest_id, headline: of.headline };
    MessageHit {
        group_id: hit.group_id,
        message_id: hit.message_id,
        author: hit.author_name.filter(|name| !name.is_empty()),
        sent_at_ms: hit.sent_at,
        snippet: hit.snippet,
        matches: hit.matches,
        digests: hit.digests.into_iter().map(citation).collect(),
    }
}

fn digest(hit: state::DigestHit) -> DigestHit {
    DigestHit {
        group_id: hit.group_id,
        digest_id: hit.digest_id,
        window_start_ms: hit.window_start,
        window_end_ms: hit.window_end,
        headline: hit.headline,
        snippet: hit.snippet,
        matches: hit.matches,
    }
}
