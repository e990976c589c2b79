//! Search by words, in messages or in digests.

use super::name;
use crate::{
    app::App,
    extract::{Json, Query},
    guard::Caller,
    problem::{Problem, Refusals},
    times,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use state::{DigestHit, MessageHit, Outcome, SearchQuery};
use utoipa::{IntoParams, ToSchema};

/// More is no query.
const QUERY_CHARS_MAX: usize = 500;
const LIMIT: u32 = 20;
const LIMIT_MAX: u32 = 100;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Messages,
    Digests,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Words; a phrase in quotes and a word after a minus are kept to
    #[param(min_length = 1, max_length = 500)]
    q: String,
    /// What is looked through
    #[serde(default)]
    #[param(inline, default = "messages")]
    kind: Kind,
    /// In this group only
    group_id: Option<String>,
    /// Messages of the author with this id or name only
    author: Option<String>,
    /// Sent, or with a window that began, at this time or later
    #[param(format = DateTime)]
    since: Option<String>,
    /// Most hits
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// A message or digest that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hit)]
pub(crate) struct Shown {
    /// Group.
    group_id: String,
    /// Id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<i64>,
    /// Author of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    author_name: Option<String>,
    /// When it was sent, or when its window began.
    #[schema(format = DateTime)]
    at: String,
    /// Id of the digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest_id: Option<String>,
    /// How well it answers; comparable within one search only.
    score: f64,
    /// The text around the words.
    snippet: String,
    /// The words, as they stand there.
    matches: Vec<String>,
    /// Ids of digests that cite the message.
    cited_by: Vec<String>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hits)]
pub(crate) struct Found {
    /// Best first.
    items: Vec<Shown>,
}

impl From<MessageHit> for Shown {
    fn from(hit: MessageHit) -> Self {
        Self {
            group_id: hit.group_id,
            message_id: Some(hit.message_id),
            author_name: hit.author_name,
            at: times::told(hit.sent_at),
            digest_id: None,
            score: hit.score,
            snippet: hit.snippet,
            matches: hit.matches,
            cited_by: hit.digests.into_iter().map(|citation| citation.digest_id).collect(),
        }
    }
}

impl From<DigestHit> for Shown {
    fn from(hit: DigestHit) -> Self {
        Self {
            group_id: hit.group_id,
            message_id: None,
            author_name: None,
            at: times::told(hit.window_start),
            digest_id: Some(hit.digest_id),
            score: hit.score,
            snippet: hit.snippet,
            matches: hit.matches,
            cited_by: Vec::new(),
        }
    }
}

fn no_words() -> Problem {
    Problem::unprocessable("no_words", "the query has no word to look for")
}

/// Search messages or digests by words
#[utoipa::path(
    operation_id = "search",
    get, path = "/api/v1/search", tag = "messages", params(Asked), security(("key" = ["DIGEST_READ"])),
    responses((status = 200, description = "What was found", body = Found), Refusals)
)]
pub(crate) async fn find(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Found>, Problem> {
    let query = query(&caller, &asked)?;
    let items = if asked.kind == Kind::Digests {
        shown(app.0.store.search_digests(&query).await?)?
    } else {
        shown(app.0.store.search_messages(&query).await?)?
    };
    Ok(Json(Found { items }))
}

fn shown<H: Into<Shown>>(outcome: Outcome<H>) -> Result<Vec<Shown>, Problem> {
    match outcome {
        Outcome::Hits(hits) => Ok(hits.into_iter().map(Into::into).collect()),
        Outcome::NoWords => Err(no_words()),
    }
}

fn query(caller: &Caller, asked: &Asked) -> Result<SearchQuery, Problem> {
    if asked.q.chars().count() > QUERY_CHARS_MAX {
        return Err(Problem::bad_request(format!("q is longer than {QUERY_CHARS_MAX} characters")));
    }
    let text = asked.q.replace('\0', " ");
    if !text.chars().any(char::is_alphanumeric) {
        return Err(no_words());
    }
    let limit = asked.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::bad_request(format!("limit has to be from 1 to {LIMIT_MAX}")));
    }
    if let Some(group_id) = &asked.group_id {
        name("group", group_id)?;
    }
    if let Some(author) = &asked.author {
        name("author", author)?;
    }
    Ok(SearchQuery {
        tenant_id: caller.tenant_id.to_string(),
        group_id: asked.group_id.clone(),
        text,
        since_ms: times::read("since", asked.since.as_deref())?,
        author: asked.author.clone(),
        limit,
    })
}
