//! Where every page lies, as a router matches it and as a link says it.
//!
//! Invariant: ids stand in paths and queries percent-encoded, so that none leads elsewhere.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in a path and a query.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// GET: the groups of the tenant.
pub const HOME: &str = "/console";
/// GET: the form (`next`); POST: `key`, `next`, `form_token`.
pub const LOG_IN: &str = "/console/login";
/// POST: `form_token`.
pub const LOG_OUT: &str = "/console/logout";
/// POST: `language` or `theme`, and `to`, the path that is shown again.
pub const PREFERENCES: &str = "/console/preferences";
/// GET: files of [`crate::assets`].
pub const ASSET: &str = "/console/assets/{name}";
/// GET: `q`, `group`. What is an id of a digest, window or message leads there.
pub const SEARCH: &str = "/console/search";
/// GET: the calendar (`month`, as `2026-05`).
pub const GROUP: &str = "/console/groups/{group_id}";
/// GET: mood and participation.
pub const MOOD: &str = "/console/groups/{group_id}/mood";
/// GET: digests since (`since`); POST: `since`, `form_token` asks for one digest of the whole time.
pub const AWAY: &str = "/console/groups/{group_id}/away";
/// GET: the newest digest that cites a message, else its trace.
pub const MESSAGE: &str = "/console/groups/{group_id}/messages/{message_id}";
/// GET: a digest.
pub const DIGEST: &str = "/console/digests/{digest_id}";
/// GET: two versions (`with`, the id of the older one; the version before where absent).
pub const VERSIONS: &str = "/console/digests/{digest_id}/versions";
/// GET: the map.
pub const MAP: &str = "/console/operator/map";
/// GET: windows in flight.
pub const WINDOWS: &str = "/console/operator/windows";
/// GET: the way of a window or digest.
pub const TRACE: &str = "/console/operator/trace/{id}";
/// GET: kinds of dead letters.
pub const LETTERS: &str = "/console/operator/letters";
/// GET: letters of a kind.
pub const LETTER_KIND: &str = "/console/operator/letters/kinds/{fingerprint}";
/// GET: what a replay would do; POST: `confirmation`, `rate`, `form_token`.
pub const REPLAY: &str = "/console/operator/letters/kinds/{fingerprint}/replay";
/// GET: a letter, by `PARTITION:OFFSET`.
pub const LETTER: &str = "/console/operator/letters/places/{place}";
/// GET: deliveries.
pub const DELIVERIES: &str = "/console/operator/deliveries";
/// POST: `digest_id`, `channel`, `chat`, `part`, `found` (`message` or `nothing`), `message_id`, `form_token`.
pub const RESOLVE: &str = "/console/operator/deliveries/resolve";
/// POST: `channel`, `chat`, `form_token`.
pub const ENABLE: &str = "/console/operator/deliveries/enable";
/// GET: open transactions.
pub const TRANSACTIONS: &str = "/console/operator/transactions";
/// GET: consumer positions.
pub const POSITIONS: &str = "/console/operator/positions";
/// GET: schema revisions.
pub const SCHEMAS: &str = "/console/operator/schemas";
/// GET: cost (`month`).
pub const COST: &str = "/console/operator/cost";
/// GET: the audit log (`days`).
pub const AUDIT: &str = "/console/operator/audit";

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// The path of a route with one parameter.
fn filled(route: &str, value: &str) -> String {
    let (before, rest) = route.split_once('{').unwrap_or((route, ""));
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    format!("{before}{}{after}", encoded(value))
}

/// The calendar of a group, the newest month that has digests.
pub fn group(group_id: &str) -> String {
    filled(GROUP, group_id)
}

/// A month of a group.
pub fn month(group_id: &str, year: i16, month: i8) -> String {
    format!("{}?month={year:04}-{month:02}", group(group_id))
}

/// Mood and participation of a group.
pub fn mood(group_id: &str) -> String {
    filled(MOOD, group_id)
}

/// What a group said since the reader was away.
pub fn away(group_id: &str) -> String {
    filled(AWAY, group_id)
}

/// A message.
pub fn message(group_id: &str, message_id: i64) -> String {
    format!("{}/messages/{message_id}", group(group_id))
}

/// A digest, by its id or its window's.
pub fn digest(digest_id: &str) -> String {
    filled(DIGEST, digest_id)
}

/// A digest beside an older version.
pub fn versions(digest_id: &str) -> String {
    filled(VERSIONS, digest_id)
}

/// A search; in all groups where `group_id` is empty.
pub fn search(query: &str, group_id: &str) -> String {
    let group = if group_id.is_empty() { String::new() } else { format!("&group={}", encoded(group_id)) };
    format!("{SEARCH}?q={}{group}", encoded(query))
}

/// The way of a window or digest.
pub fn trace(id: &str) -> String {
    filled(TRACE, id)
}

/// Letters of a kind.
pub fn letter_kind(fingerprint: &str) -> String {
    filled(LETTER_KIND, fingerprint)
}

/// The form that replays letters of a kind.
pub fn replay(fingerprint: &str) -> String {
    filled(REPLAY, fingerprint)
}

/// A letter.
pub fn letter(place: &str) -> String {
    filled(LETTER, place)
}

/// A path to go on to that a form or query named: one of the console, else its first page.
pub fn local(path: &str) -> &str {
    let rest = path.strip_prefix(HOME);
    let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_plain = !path.contains(['\\', '#']) && path.bytes().all(|byte| byte > b' ' && byte < 0x7f);
    if is_ours && is_plain { path } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leads_elsewhere() {
        assert_eq!(group("a/../b?c#d\"é"), "/console/groups/a%2F..%2Fb%3Fc%23d%22%C3%A9");
        assert_eq!(
            search("буря & co", "x y"),
            "/console/search?q=%D0%B1%D1%83%D1%80%D1%8F%20%26%20co&group=x%20y"
        );
        assert_eq!(replay("00ff"), "/console/operator/letters/kinds/00ff/replay");
        assert_eq!(letter("2:17"), "/console/operator/letters/places/2%3A17");
        assert_eq!(month("team", 2026, 5), "/console/groups/team?month=2026-05");
        assert_eq!(message("team", -4), "/console/groups/team/messages/-4");
    }

    #[test]
    fn one_goes_on_only_inside_the_console() {
        for path in ["/console", "/console?x", "/console/search?q=a"] {
            assert_eq!(local(path), path);
        }
        for path in [
            "//evil.example",
            "https://evil.example",
            "/consolex",
            "/console/\\evil",
            "/api",
            "",
            "/console/\n",
        ] {
            assert_eq!(local(path), HOME, "{path:?}");
        }
    }
}
