//! Dead letters of the tenant.
//!
//! Invariant: a letter of which nobody could tell whose it is, is nobody's here.

use super::limit;
use crate::{
    app::App,
    blocking::look,
    extract::{Json, Path, Query},
    guard::Caller,
    problem::{Problem, Refusals},
    times,
};
use axum::extract::State;
use operate::{DeadLetter, LetterFilter, LetterPlace, LetterSelection};
use schemas::{DigestDlq, Fingerprint};
use serde::{Deserialize, Serialize};
use state::LetterState;
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Wanted {
    Open,
    Replayed,
    Parked,
    Discarded,
}

impl From<Wanted> for LetterState {
    fn from(state: Wanted) -> Self {
        match state {
            Wanted::Open => Self::Open,
            Wanted::Replayed => Self::Replayed,
            Wanted::Parked => Self::Parked,
            Wanted::Discarded => Self::Discarded,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// In this state only; open ones where it is not given
    #[param(inline)]
    state: Option<Wanted>,
    /// Of this kind only
    fingerprint: Option<String>,
    /// Appended at this time or later
    #[param(format = DateTime)]
    since: Option<String>,
    /// Most letters: the newest
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// A dead letter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(crate) struct Shown {
    /// Where it lies: `PARTITION:OFFSET`.
    place: String,
    /// When it was appended.
    #[schema(format = DateTime)]
    at: String,
    /// Group, where it is known.
    group_id: String,
    /// Processor or sink that gave up.
    unit: String,
    /// Topic of the input.
    topic: String,
    /// Partition of the input.
    partition: i32,
    /// Offset of the input.
    offset: i64,
    /// Why, as a metric label.
    reason: String,
    /// Why, in words.
    error: String,
    /// What it has in common with others of its kind.
    fingerprint: String,
    /// What is to be done about it.
    next_action: String,
    /// `open`, `replayed`, `parked` or `discarded`.
    state: &'static str,
}

/// Letters, and how many there are in all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetters)]
pub(crate) struct Found {
    /// The newest of them, the oldest first.
    items: Vec<Shown>,
    /// How many there are.
    matching: u64,
}

/// A kind of failure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetterKind)]
pub(crate) struct ShownKind {
    /// What the letters have in common.
    fingerprint: String,
    /// Processor or sink that gave up.
    unit: String,
    /// Topic of the inputs.
    topic: String,
    /// Why, as a metric label.
    reason: String,
    /// Inputs given up.
    inputs: u64,
    /// Letters.
    letters: u64,
    /// When the first was appended.
    #[schema(format = DateTime)]
    first: String,
    /// When the last was appended.
    #[schema(format = DateTime)]
    last: String,
    /// Where the last lies.
    example: String,
    /// What the last says.
    error: String,
}

/// Kinds of failure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetterKinds)]
pub(crate) struct FoundKinds {
    /// Those of most inputs first.
    items: Vec<ShownKind>,
}

fn shown(dead: &DeadLetter, letter: &DigestDlq) -> Shown {
    Shown {
        place: dead.place.to_string(),
        at: times::told(dead.append_time_ms),
        group_id: letter.group_id.clone(),
        unit: letter.stage.clone(),
        topic: letter.topic.clone(),
        partition: letter.partition,
        offset: letter.offset,
        reason: letter.error_class.clone(),
        error: letter.error.clone(),
        fingerprint: Fingerprint::of_letter(letter).to_string(),
        next_action: letter.next_action.clone(),
        state: dead.state.as_str(),
    }
}

fn filter(caller: &Caller, asked: Asked) -> Result<LetterFilter, Problem> {
    let selection = LetterSelection {
        tenant: Some(caller.tenant_id.to_string()),
        fingerprint: asked.fingerprint,
        since_ms: times::read("since", asked.since.as_deref())?,
        ..LetterSelection::default()
    };
    let states = BTreeSet::from([asked.state.map_or(LetterState::Open, LetterState::from)]);
    Ok(LetterFilter { selection, states, limit: limit(asked.limit)? as usize, each: false })
}

/// Dead letters of the tenant
#[utoipa::path(
    operation_id = "list_dead_letters",
    get, path = "/api/v1/dead-letters", tag = "operation", params(Asked), security(("key" = ["OPERATOR"])),
    responses((status = 200, description = "The newest of them", body = Found), Refusals)
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Found>, Problem> {
    let filter = filter(&caller, asked)?;
    let letters = look(&app, move |config, _| operate::dead_letters(config, &filter, &mut |_, _| {})).await?;
    let items = letters.newest.iter().filter_map(|(dead, _)| Some(shown(dead, dead.letter.as_ref().ok()?)));
    Ok(Json(Found { items: items.collect(), matching: letters.matching }))
}

/// Dead letters of the tenant by kind
#[utoipa::path(
    operation_id = "list_dead_letter_kinds",
    get, path = "/api/v1/dead-letters/kinds", tag = "operation", params(Asked), security(("key" = ["OPERATOR"])),
    responses((status = 200, description = "The kinds", body = FoundKinds), Refusals)
)]
pub(crate) async fn kinds(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<FoundKinds>, Problem> {
    let filter = LetterFilter { each: true, ..filter(&caller, asked)? };
    let most = filter.limit;
    let (kinds, _) =
        look(&app, move |config, _| operate::letter_kinds(config, &filter, &mut |_, _| {})).await?;
    let items = kinds.into_iter().take(most).map(|kind| ShownKind {
        fingerprint: kind.fingerprint,
        unit: kind.unit,
        topic: kind.topic,
        reason: kind.reason,
        inputs: kind.inputs,
        letters: kind.letters,
        first: times::told(kind.first_ms),
        last: times::told(kind.last_ms),
        example: kind.example.to_string(),
        error: kind.error,
    });
    Ok(Json(FoundKinds { items: items.collect() }))
}

/// One dead letter of the tenant
#[utoipa::path(
    operation_id = "show_dead_letter",
    get, path = "/api/v1/dead-letters/{place}", tag = "operation", security(("key" = ["OPERATOR"])),
    params(("place" = String, Path, description = "`PARTITION:OFFSET`, as the listing has it")),
    responses((status = 200, description = "The letter", body = Shown), Refusals)
)]
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(place): Path<String>,
) -> Result<Json<Shown>, Problem> {
    let none = || Problem::not_found("the tenant has no dead letter there");
    let place: LetterPlace = place.parse().map_err(|_| none())?;
    let opened = look(&app, move |config, map| match operate::dead_letter(config, map, place) {
        Ok(opened) => Ok(Some(opened)),
        Err(operate::Error::Refused(_) | operate::Error::UnknownPartition { .. }) => Ok(None),
        Err(error) => Err(error),
    })
    .await?
    .ok_or_else(none)?;
    match &opened.letter.letter {
        Ok(letter) if letter.tenant_id == *caller.tenant_id => Ok(Json(shown(&opened.letter, letter))),
        _ => Err(none()),
    }
}
