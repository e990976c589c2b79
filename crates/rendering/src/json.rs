//! A digest as JSON for programs.

use crate::View;
use schemas::Digest;
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    tenant_id: &'a str,
    group_id: &'a str,
    digest_id: &'a str,
    version: &'a str,
    window_start: i64,
    window_end: i64,
    size_hours: i32,
    time_zone: &'a str,
    digest: &'a Digest,
}

/// Renders a digest as indented JSON with a final newline. Times are ms since the epoch; a number that JSON cannot
/// hold is written as null.
pub fn json(view: &View<'_>) -> String {
    let document = Document {
        tenant_id: view.tenant_id,
        group_id: view.group_id,
        digest_id: view.digest_id,
        version: view.version,
        window_start: view.window.window_start,
        window_end: view.window.window_end,
        size_hours: view.window.size_hours,
        time_zone: &view.window.settings.time_zone,
        digest: view.digest,
    };
    // Strings, numbers and lists only: there is nothing that serde_json could refuse.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
