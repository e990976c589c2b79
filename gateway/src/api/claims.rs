//! Statements of a digest, by number, with the messages that they rest on.

use super::{digests::stored, shown::ShownMessage};
use crate::{
    app::App,
    extract::{Json, Path},
    guard::Caller,
    problem::{Problem, Refusals},
};
use axum::extract::State;
use schemas::{Claim, Digest};
use serde::Serialize;
use utoipa::ToSchema;

/// A statement and the messages that it rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Claim)]
pub(crate) struct Shown {
    /// Its number in the digest, from 1.
    number: usize,
    /// How many there are.
    of: usize,
    /// `summary`, `decision`, `question`, `action` or `answer`.
    section: &'static str,
    /// What it says.
    text: String,
    /// Ids of the messages that it cites.
    message_ids: Vec<i64>,
    /// Those messages as the digest saw them; without those that were deleted since.
    messages: Vec<ShownMessage>,
}

struct Statement<'a> {
    section: &'static str,
    text: &'a str,
    message_ids: &'a [i64],
}

/// All statements of a digest in one order: summary, decisions, questions, actions, answers.
fn statements(digest: &Digest) -> Vec<Statement<'_>> {
    let mut all = Vec::new();
    for (section, claims) in
        [("summary", &digest.summary), ("decision", &digest.decisions), ("question", &digest.questions)]
    {
        all.extend(claims.iter().map(|claim| Statement::of(section, claim)));
    }
    all.extend(digest.actions.iter().map(|action| Statement {
        section: "action",
        text: &action.text,
        message_ids: &action.message_ids,
    }));
    let answers = digest.answers.iter().flat_map(|answer| &answer.answers);
    all.extend(answers.map(|claim| Statement::of("answer", claim)));
    all
}

impl<'a> Statement<'a> {
    fn of(section: &'static str, claim: &'a Claim) -> Self {
        Self { section, text: &claim.text, message_ids: &claim.message_ids }
    }
}

/// A statement of a digest and the messages that it rests on
#[utoipa::path(
    operation_id = "show_claim",
    get, path = "/api/v1/digests/{id}/claims/{number}", tag = "digests", security(("key" = ["DIGEST_READ"])),
    params(
        ("id" = String, Path, description = "Id of the digest, or of a window for its newest"),
        ("number" = u32, Path, description = "From 1: summary, decisions, questions, actions, answers", minimum = 1)
    ),
    responses((status = 200, description = "The statement", body = Shown), Refusals)
)]
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((id, number)): Path<(String, u32)>,
) -> Result<Json<Shown>, Problem> {
    let stored = stored(&app, &caller, &id).await?;
    let all = statements(&stored.digest);
    let number = number as usize;
    let found = number.checked_sub(1).and_then(|at| all.get(at));
    let Some(Statement { section, text, message_ids }) = found else {
        return Err(Problem::not_found(format!("the digest has {} statements", all.len())));
    };
    let place = (stored.source_partition, stored.source_offset);
    let group = (&*caller.tenant_id, &*stored.summary.group_id);
    let messages = app.0.store.cited_messages(group, place, message_ids).await?;
    Ok(Json(Shown {
        number,
        of: all.len(),
        section,
        text: (*text).to_owned(),
        message_ids: message_ids.to_vec(),
        messages: messages.into_iter().map(ShownMessage::from).collect(),
    }))
}
