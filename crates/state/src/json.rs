//! JSON for `jsonb` columns. Invariant: what goes in can be stored; U+0000, which `jsonb` refuses, becomes U+FFFD.

use crate::{Error, refusal::unreadable};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::borrow::Cow;

/// `text` as Postgres can store it.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// `value` as JSON that `jsonb` accepts.
pub(crate) fn to_jsonb<T: Serialize>(what: &'static str, value: &T) -> Result<String, Error> {
    let stored = |source| Error::Stored { what, source };
    let text = serde_json::to_string(value).map_err(stored)?;
    if !text.contains("\\u0000") {
        return Ok(text);
    }
    let mut value: Value = serde_json::from_str(&text).map_err(stored)?;
    replace_nul(&mut value);
    serde_json::to_string(&value).map_err(stored)
}

/// [`to_jsonb`] that was read back: a number that JSON does not have would be written as `null`, and nobody could read the
/// row any more.
pub(crate) fn to_readable<T: Serialize + DeserializeOwned>(
    what: &'static str,
    value: &T,
) -> Result<String, Error> {
    let text = to_jsonb(what, value)?;
    reads_back::<T>(what, &text)?;
    Ok(text)
}

/// Refuses text that is no `T`.
pub(crate) fn reads_back<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<(), Error> {
    match serde_json::from_str::<T>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Refused(unreadable(what, &error))),
    }
}

/// The value that JSON text holds.
pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::Stored { what, source })
}

fn replace_nul(value: &mut Value) {
    match value {
        Value::String(text) => *text = storable(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(replace_nul),
        Value::Object(fields) => {
            let old = std::mem::take(fields);
            for (key, mut value) in old {
                replace_nul(&mut value);
                fields.insert(storable(&key).into_owned(), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_characters_are_replaced_and_only_those() {
        let text =
            to_jsonb("test", &serde_json::json!({"a\0": ["x\0y", "\\u0000"], "n": 0.1})).expect("valid");
        let back: Value = from_json("test", &text).expect("valid");
        assert_eq!(back, serde_json::json!({"a\u{FFFD}": ["x\u{FFFD}y", "\\u0000"], "n": 0.1}));
    }
}
