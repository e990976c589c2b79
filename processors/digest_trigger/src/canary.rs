//! Reads the list of canary tenants as operators write it: comma separated, or a JSON array of strings.
//!
//! Invariant: a list that is not understood is an error, never an empty list.

use std::collections::BTreeSet;

/// A list of tenants could not be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read canary tenants: expected a,b,c or [\"a\",\"b\",\"c\"]")]
pub struct CanaryError(#[source] serde_json::Error);

/// Tenants of a list such as `acme, other` or `["acme", "other"]`; blanks around names and empty names are left out.
pub fn canary_tenants(list: &str) -> Result<BTreeSet<String>, CanaryError> {
    let list = list.trim();
    let names: Vec<String> = if list.starts_with(['[', '{', '"']) {
        serde_json::from_str(list).map_err(CanaryError)?
    } else {
        list.split(',').map(str::to_owned).collect()
    };
    let names = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(list: &str) -> Vec<String> {
        canary_tenants(list).expect("readable").into_iter().collect()
    }

    #[test]
    fn csv_and_json_are_read() {
        assert_eq!(names("b, a ,,b"), ["a", "b"]);
        assert_eq!(names(r#" ["b", " a "] "#), ["a", "b"]);
        assert_eq!(names(""), [""; 0]);
        assert_eq!(names("[]"), [""; 0]);
    }

    #[test]
    fn what_is_neither_is_refused() {
        for list in ["[acme]", r#"{"acme": true}"#, r#"["acme", 1]"#, r#"["acme""#, r#""acme""#] {
            assert!(canary_tenants(list).is_err(), "{list}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(list: String) {
            if let Ok(names) = canary_tenants(&list) {
                prop_assert!(names.iter().all(|name| !name.trim().is_empty()));
            }
        }
    }
}
