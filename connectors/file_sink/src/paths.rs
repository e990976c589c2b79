//! Where a digest's files lie. Invariant: two groups never share a folder, and no name leads out of `out_dir`.

use jiff::Timestamp;
use schemas::{DigestReadyForDelivery, Version, WindowRef, identity_hash};
use std::path::PathBuf;

/// A window's start, as its file is called.
pub(crate) const START: &str = "%Y-%m-%dT%H%M%SZ";

/// Longest part of a path in bytes; file systems end at 255.
const COMPONENT_BYTES_MAX: usize = 160;

/// Path of a digest's files below `out_dir`, without extension: `<tenant>/<group>/<window start>_<size>h_r<revision>`, and
/// `.._asked_<window id>_r<revision>` where somebody asked for it. The window's start is in UTC, as `2024-03-01T000000Z`.
pub fn digest_stem(ready: &DigestReadyForDelivery) -> PathBuf {
    let revision = ready.version.parse().map_or(ready.window.revision, |version: Version| version.revision);
    stem(&ready.tenant_id, &ready.group_id, &ready.window, revision)
}

/// [`digest_stem`] for any revision of a window.
pub(crate) fn stem(tenant_id: &str, group_id: &str, window: &WindowRef, revision: i32) -> PathBuf {
    let asked = window.is_asked().then(|| window.id(tenant_id, group_id));
    named((tenant_id, group_id), (window.window_start, window.size_hours), asked.as_deref(), revision)
}

/// [`stem`] by the start and size of a window, and its id where somebody asked for it.
pub(crate) fn named(
    (tenant_id, group_id): (&str, &str),
    (window_start, size_hours): (i64, i32),
    asked: Option<&str>,
    revision: i32,
) -> PathBuf {
    let start = Timestamp::from_millisecond(window_start)
        .map_or_else(|_| window_start.to_string(), |time| time.strftime(START).to_string());
    let which = asked.map_or_else(|| format!("{size_hours}h"), |window_id| format!("asked_{window_id}"));
    let name = format!("{start}_{which}_r{revision}");
    [component(tenant_id), component(group_id), name].iter().collect()
}

/// `name` as one part of a path: letters and digits of any script, `_`, `-` and inner dots stay, other bytes become
/// `%XX`; one that gets too long is cut and told apart by a hash.
pub(crate) fn component(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        if c.is_alphanumeric() || c == '_' || c == '-' || (c == '.' && at > 0) {
            path.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                path.extend(['%', hex(byte >> 4), hex(byte & 15)]);
            }
        }
    }
    if path.is_empty() {
        path.push('%');
    }
    if path.len() > COMPONENT_BYTES_MAX {
        let start = &path[..path.floor_char_boundary(COMPONENT_BYTES_MAX - 37)];
        return format!("{start}~{}", identity_hash("path", &[name]));
    }
    path
}

fn hex(nibble: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(nibble & 15)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for (name, path) in [
            ("acme", "acme"),
            ("..", "%2E."),
            (".", "%2E"),
            ("", "%"),
            ("a/b", "a%2Fb"),
            ("a\\b", "a%5Cb"),
            ("a\0b", "a%00b"),
            ("-100123", "-100123"),
            ("v1.2", "v1.2"),
            ("чат", "чат"),
            ("50%", "50%25"),
        ] {
            assert_eq!(component(name), path, "{name:?}");
        }
    }

    #[test]
    fn windows_that_were_asked_for_from_the_same_moment_have_files_of_their_own() {
        let asked = |end_ms| WindowRef::asked((0, end_ms), "ann", schemas::GroupSettings::default());
        let path = |window: &WindowRef| stem("acme", "qa", window, 1).to_string_lossy().into_owned();
        let hour = asked(3_600_000);
        assert_eq!(path(&hour), format!("acme/qa/1970-01-01T000000Z_asked_{}_r1", hour.id("acme", "qa")));
        assert_ne!(path(&hour), path(&asked(7_200_000)));
        let day = WindowRef { size_hours: 24, ..hour };
        assert_eq!(path(&day), "acme/qa/1970-01-01T000000Z_24h_r1");
    }

    #[test]
    fn long_names_stay_apart_and_below_the_limit() {
        let names: Vec<String> = (0..9).map(|last| format!("{}{last}", "ж".repeat(300))).collect();
        let paths: BTreeSet<String> = names.iter().map(|name| component(name)).collect();
        assert_eq!(paths.len(), names.len());
        assert!(paths.iter().all(|path| path.len() <= COMPONENT_BYTES_MAX));
    }
}
