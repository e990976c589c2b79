//! Where a page ended, as text that programs hand back unread.
//!
//! Invariant: a cursor holds places only, which are read as the tenant of the key: one that was made up shows nothing else.

use crate::problem::Problem;
use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

/// Longest cursor that is read.
const CHARS_MAX: usize = 2_048;

/// The cursor of a listing called `kind`.
pub(crate) fn write<T: Serialize>(kind: &str, place: &T) -> String {
    // Names and numbers: there is nothing that serde_json could refuse.
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(kind, place)).unwrap_or_default())
}

/// Where to go on; none from the beginning.
///
/// # Errors
/// Text that no listing of this kind gave.
pub(crate) fn read<T: DeserializeOwned>(kind: &str, cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(text) = cursor else { return Ok(None) };
    let read = || {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|_| text.len() <= CHARS_MAX)?;
        let (of, place): (String, T) = serde_json::from_slice(&bytes).ok()?;
        (of == kind).then_some(place)
    };
    let bad = || Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", "the cursor is not one of this listing");
    read().map(Some).ok_or_else(bad)
}

/// The first `limit` of `limit + 1` rows, and the cursor after them where there are more.
pub(crate) fn cut<T, P: Serialize>(
    rows: &mut Vec<T>,
    limit: u32,
    (kind, place): (&str, impl Fn(&T) -> P),
) -> Option<String> {
    let limit = limit as usize;
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(|row| write(kind, &place(row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_by_the_listing_that_gave_it() {
        let cursor = write("messages", &(7_i64, 9_i64));
        assert_eq!(read("messages", Some(&cursor)), Ok(Some((7_i64, 9_i64))));
        assert_eq!(read::<(i64, i64)>("messages", None), Ok(None));
        let long = "A".repeat(CHARS_MAX + 4);
        for wrong in ["", "%", "W10", cursor.trim_end_matches('0'), long.as_str()] {
            if wrong != cursor {
                assert!(read::<(i64, i64)>("messages", Some(wrong)).is_err(), "{wrong}");
            }
        }
        assert!(read::<(i64, i64)>("windows", Some(&cursor)).is_err());
        assert!(read::<String>("messages", Some(&cursor)).is_err());
    }

    #[test]
    fn a_page_that_is_not_full_has_no_next_one() {
        let cut = |mut rows: Vec<i64>| (cut(&mut rows, 2, ("n", |row: &i64| *row)), rows);
        assert_eq!(cut(vec![1, 2]), (None, vec![1, 2]));
        assert_eq!(cut(vec![1, 2, 3]), (Some(write("n", &2)), vec![1, 2]));
    }
}
