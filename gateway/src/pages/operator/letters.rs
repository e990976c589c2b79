//! Dead letters of the tenant by kind, and those of one kind.

use super::super::{entry::Visit, frame::page};
use crate::{app::App, blocking::look, extract::Path, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{LetterKind, LetterLine, LetterList, Letters};
use operate::{DeadLetter, LetterFilter, LetterSelection};
use state::LetterState;
use std::cmp::Reverse;

/// Letters of a kind that are shown.
const LETTERS_MAX: usize = 200;

pub(in super::super) async fn kinds(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    let (mut kinds, unsettled) = of(&app, selection(&visit, None), [LetterState::Open].into()).await?;
    kinds.sort_by_key(|kind| Reverse(kind.last_ms));
    page(&visit.frame, &Letters { kinds, unsettled: unsettled.unwrap_or_default() })
}

pub(in super::super) async fn of_kind(
    State(app): State<App>,
    visit: Visit,
    Path(fingerprint): Path<String>,
) -> Result<Response<Body>, Problem> {
    let selection = selection(&visit, Some(fingerprint));
    let kind = kind(&app, selection.clone()).await?;
    let filter = LetterFilter { selection, states: all_states(), limit: LETTERS_MAX, each: false };
    let found = look(&app, move |config, _| operate::dead_letters(config, &filter, &mut |_, _| {})).await?;
    let view = LetterList {
        kind,
        letters: found.newest.iter().rev().filter_map(|(dead, _)| line(dead)).collect(),
        total: found.matching,
        may_replay: true,
    };
    page(&visit.frame, &view)
}

/// The tenant's letters, of one kind where one is named: those of nobody are nobody's here.
pub(super) fn selection(visit: &Visit, fingerprint: Option<String>) -> LetterSelection {
    LetterSelection { tenant: Some(visit.tenant().to_owned()), fingerprint, ..LetterSelection::default() }
}

/// The kind of a selection of one, whatever became of its letters.
pub(super) async fn kind(app: &App, selection: LetterSelection) -> Result<LetterKind, Problem> {
    let (mut kinds, _) = of(app, selection, all_states()).await?;
    kinds.pop().ok_or_else(|| Problem::not_found("the tenant has no dead letter of this kind"))
}

fn all_states() -> std::collections::BTreeSet<LetterState> {
    [LetterState::Open, LetterState::Replayed, LetterState::Parked, LetterState::Discarded].into()
}

async fn of(
    app: &App,
    selection: LetterSelection,
    states: std::collections::BTreeSet<LetterState>,
) -> Result<(Vec<LetterKind>, Option<String>), Problem> {
    let filter = LetterFilter { selection, states, limit: usize::MAX, each: true };
    let (kinds, unsettled) =
        look(app, move |config, _| operate::letter_kinds(config, &filter, &mut |_, _| {})).await?;
    Ok((kinds.into_iter().map(shown).collect(), unsettled))
}

fn shown(of: operate::LetterKind) -> LetterKind {
    LetterKind {
        fingerprint: of.fingerprint,
        unit: of.unit,
        topic: of.topic,
        reason: of.reason,
        error: of.error,
        inputs: of.inputs,
        first_ms: of.first_ms,
        last_ms: of.last_ms,
        example: of.example.to_string(),
    }
}

fn line(dead: &DeadLetter) -> Option<LetterLine> {
    let letter = dead.letter.as_ref().ok()?;
    Some(LetterLine {
        place: dead.place.to_string(),
        appended_at_ms: dead.append_time_ms,
        state: dead.state.to_string(),
        group: format!("{}/{}", letter.tenant_id, letter.group_id),
        input: format!("{}/{}:{}", letter.topic, letter.partition, letter.offset),
        error: letter.error.clone(),
    })
}
