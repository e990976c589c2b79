//! The JSON that is posted.
//!
//! Invariant: the same record gives the same bytes, and what a delivery is (`type`) is all that is added to them.

use courier::Kind;
use jiff::Timestamp;
use rendering::{View, markdown, plain, rich, withdrawn};
use schemas::{Action, Claim, Digest, DigestBlocked, DigestReadyForDelivery, WindowRef};
use serde::Serialize;

/// The form of the document: raised when a field changes its meaning or goes.
const FORM: u32 = 1;

/// What does not depend on what a delivery is.
#[derive(Serialize)]
struct Payload<D> {
    timestamp: String,
    form: u32,
    data: D,
}

#[derive(Serialize)]
struct Of<'a> {
    tenant: &'a str,
    group: &'a str,
    digest_id: &'a str,
    version: &'a str,
    window: Window<'a>,
}

#[derive(Serialize)]
struct Window<'a> {
    id: &'a str,
    start: String,
    end: String,
    size_hours: i32,
    time_zone: &'a str,
}

#[derive(Serialize)]
struct DigestData<'a> {
    #[serde(flatten)]
    of: Of<'a>,
    language: &'a str,
    headline: &'a str,
    text: String,
    markdown: String,
    claims: Vec<Stated<'a>>,
    message_count: i32,
    participant_count: i32,
    quality: f64,
}

/// A statement and the messages that it is of.
#[derive(Serialize)]
struct Stated<'a> {
    section: &'static str,
    text: &'a str,
    message_ids: &'a [i64],
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<&'a str>,
}

#[derive(Serialize)]
struct WithdrawnData<'a> {
    #[serde(flatten)]
    of: Of<'a>,
    reason: &'a str,
    text: String,
}

/// What is posted of a digest, but for what it is.
pub(crate) fn digest(ready: &DigestReadyForDelivery, appended_ms: i64) -> String {
    let (view, digest) = (View::from(ready), &ready.delivery_payload);
    let of = Of {
        tenant: &ready.tenant_id,
        group: &ready.group_id,
        digest_id: &ready.digest_id,
        version: &ready.version,
        window: window(&ready.window_id, &ready.window),
    };
    let data = DigestData {
        of,
        language: &digest.language,
        headline: &digest.headline,
        text: plain(&rich(&view, None)),
        markdown: markdown(&view),
        claims: claims(digest),
        message_count: digest.message_count,
        participant_count: digest.participant_count,
        quality: ready.quality_score,
    };
    written(&Payload { timestamp: time(appended_ms), form: FORM, data })
}

/// What is posted of a version that was blocked.
pub(crate) fn withdrawal(blocked: &DigestBlocked, appended_ms: i64) -> String {
    let digest_id = schemas::digest_id(&blocked.window_id, &blocked.version);
    let of = Of {
        tenant: &blocked.tenant_id,
        group: &blocked.group_id,
        digest_id: &digest_id,
        version: &blocked.version,
        window: window(&blocked.window_id, &blocked.window),
    };
    let data = WithdrawnData { of, reason: &blocked.reason, text: plain(&withdrawn(&blocked.window)) };
    written(&Payload { timestamp: time(appended_ms), form: FORM, data })
}

/// The body of a request.
pub(crate) fn body(kind: Kind, payload: &str) -> String {
    // What was made by `written` begins so.
    let rest = payload.strip_prefix('{').unwrap_or(payload);
    format!("{{\"type\":\"digest.{}\",{rest}", kind.as_str())
}

fn written(payload: &impl Serialize) -> String {
    // Strings, lists and finite numbers: there is nothing that JSON could refuse.
    serde_json::to_string(payload).unwrap_or_default()
}

fn window<'a>(id: &'a str, window: &'a WindowRef) -> Window<'a> {
    let (start, end) = (time(window.window_start), time(window.window_end));
    let time_zone = &window.settings.time_zone;
    Window { id, start, end, size_hours: window.size_hours, time_zone }
}

/// RFC 3339, in UTC; the number where it is no date.
fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

fn claims(digest: &Digest) -> Vec<Stated<'_>> {
    let of = |section: &'static str| {
        move |claim| {
            let Claim { text, message_ids }: &Claim = claim;
            Stated { section, text, message_ids, owner: None, due: None }
        }
    };
    let action = |action| {
        let Action { text, owner, due, message_ids, .. }: &Action = action;
        let (owner, due) = (owner.as_deref(), due.as_deref());
        Stated { section: "action", text, message_ids, owner, due }
    };
    let threads =
        digest.topics.iter().flat_map(|topic| topic.threads.iter().flat_map(|thread| &thread.claims));
    let mut claims: Vec<Stated<'_>> = digest.summary.iter().map(of("summary")).collect();
    claims.extend(digest.topics.iter().flat_map(|topic| &topic.story).chain(threads).map(of("topic")));
    claims.extend(digest.decisions.iter().map(of("decision")));
    claims.extend(digest.questions.iter().map(of("question")));
    claims.extend(digest.actions.iter().map(action));
    claims
}
