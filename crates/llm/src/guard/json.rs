//! JSON out of an answer: clean → size and depth → parse, or mend and parse → schema.
//!
//! Invariant: nothing that calls itself sees a text before its depth is bounded. An error's words name places and what is
//! wanted there; of the answer they hold no value.

use super::{clean, depth, repair};
use crate::Turn;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use std::fmt;

/// Errors of the schema that a model is shown at once.
const SHOWN_MAX: usize = 8;
/// Longest name of a property that is told.
const NAME_BYTES_MAX: usize = 40;
/// So much of an answer is shown to the model again.
const SHOWN_BYTES_MAX: usize = 16 << 10;

/// Bounds of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest answer that is read. Default: 256 KiB.
    pub bytes_max: usize,
    /// Deepest brackets. Default: 24.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes_max: 256 << 10, depth_max: 24 }
    }
}

/// What an answer has to look like.
pub struct Schema(jsonschema::Validator);

/// A schema that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not use the JSON schema: {0}")]
pub struct SchemaError(String);

impl Schema {
    /// Takes a JSON Schema (draft 2020-12 unless it says otherwise). It may refer to itself only: nothing is fetched.
    ///
    /// # Errors
    /// It is none.
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        let validator = jsonschema::validator_for(schema);
        validator.map(Self).map_err(|error| SchemaError(error.to_string()))
    }

    /// What does not fit, in words; empty when all does.
    fn errors(&self, value: &Value) -> Vec<String> {
        let error = |error: jsonschema::ValidationError<'_>| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "at the top".to_owned() } else { format!("at {place}") };
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    format!("{place}: Additional properties are not allowed ({})", names(unexpected))
                }
                _ => format!("{place}: {}", error.masked()),
            }
        };
        self.0.iter_errors(value).take(SHOWN_MAX).map(error).collect()
    }
}

/// Names of properties that nobody asked for. In an answer that was mended a whole text may stand there: that is not told.
fn names(unexpected: &[String]) -> String {
    let is_name = |name: &String| {
        name.len() <= NAME_BYTES_MAX && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let told: Vec<String> = unexpected
        .iter()
        .filter(|name| is_name(name))
        .map(|name| format!("'{name}'"))
        .take(SHOWN_MAX)
        .collect();
    match &told[..] {
        [] => "what was unexpected is no name".to_owned(),
        [one] => format!("{one} was unexpected"),
        several => format!("{} were unexpected", several.join(", ")),
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").finish_non_exhaustive()
    }
}

/// Why an answer is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is no bracket in it, or only a thought.
    #[error("it holds no JSON")]
    NoJson,
    /// It is larger than is read.
    #[error("it is longer than {0} bytes")]
    TooLarge(usize),
    /// Its brackets are deeper than is read.
    #[error("its brackets are more than {0} deep")]
    TooDeep(usize),
    /// It does not parse, and cannot be mended without guessing.
    #[error("it is no JSON: {0}")]
    NotJson(String),
    /// It is JSON of another form.
    #[error("it does not fit the schema: {}", .0.join("; "))]
    Schema(Vec<String>),
}

impl Why {
    /// Label of a metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoJson => "no_json",
            Self::TooLarge(_) => "too_large",
            Self::TooDeep(_) => "too_deep",
            Self::NotJson(_) => "not_json",
            Self::Schema(_) => "schema",
        }
    }

    /// The two turns that ask once more: the answer, cut where it is long, and what is wrong with it.
    pub fn ask_again(&self, answer: &str) -> [Turn; 2] {
        let mut end = answer.len().min(SHOWN_BYTES_MAX);
        while !answer.is_char_boundary(end) {
            end -= 1;
        }
        let shown = if answer[..end].trim().is_empty() { "(nothing)" } else { &answer[..end] };
        let asked = format!(
            "Your answer cannot be used: {self}. Answer once more, with the whole JSON, corrected, and with nothing else."
        );
        [Turn::assistant(shown), Turn::user(asked)]
    }
}

/// The JSON in an answer.
///
/// # Errors
/// See [`Why`].
pub fn read(answer: &str, schema: &Schema, limits: Limits) -> Result<Value, Why> {
    if answer.len() > limits.bytes_max {
        return Err(Why::TooLarge(limits.bytes_max));
    }
    let text = clean::json(answer).ok_or(Why::NoJson)?;
    if depth::of(text) > limits.depth_max {
        return Err(Why::TooDeep(limits.depth_max));
    }
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value) => value,
        Err(error) => mended(text, limits, &error)?,
    };
    let errors = schema.errors(&value);
    if errors.is_empty() { Ok(value) } else { Err(Why::Schema(errors)) }
}

/// A text that does not parse, mended. Where that cannot be, the parser's own words say why.
fn mended(text: &str, limits: Limits, error: &serde_json::Error) -> Result<Value, Why> {
    let place = || {
        let what = error.to_string();
        Why::NotJson(if error.is_eof() { format!("it ends too early ({what})") } else { what })
    };
    match repair::json(text, limits.depth_max) {
        Ok(text) => serde_json::from_str(&text).map_err(|_| place()),
        Err(repair::Lost::TooDeep) => Err(Why::TooDeep(limits.depth_max)),
        Err(repair::Lost::Guess) => Err(place()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn schema() -> Schema {
        Schema::new(&json!({
            "type": "object",
            "properties": {"title": {"type": "string", "minLength": 1}, "ids": {"type": "array", "items": {"type": "integer"}}},
            "required": ["title"],
            "additionalProperties": false,
        }))
        .unwrap()
    }

    fn open() -> Schema {
        Schema::new(&json!({})).unwrap()
    }

    #[test]
    fn an_answer_in_a_fence_after_a_thought_with_a_comma_too_many_is_read() {
        let answer =
            "<think>hm, {</think>Sure!\n```json\n{'title': \"a \"quoted\" word\", ids: [1, 2,],}\n```";
        let value = read(answer, &schema(), Limits::default());
        assert_eq!(value, Ok(json!({"title": "a \"quoted\" word", "ids": [1, 2]})));
    }

    #[test]
    fn what_is_not_believed_is_told_in_words_without_its_values() {
        for (answer, reason, words) in [
            ("I cannot.", "no_json", "it holds no JSON"),
            ("{\"title\": \"x\", \"ids\": [1, \"sesame", "not_json", "it ends too early"),
            ("{\"title\" \"x\" sesame}", "not_json", "expected `:`"),
            (
                "{\"title\": \"\", \"ids\": [\"sesame\"]}",
                "schema",
                "at /ids/0: value is not of type \"integer\"",
            ),
            ("{\"title\": \"\"}", "schema", "at /title: value is shorter than 1 character"),
            ("[]", "schema", "at the top: value is not of type \"object\""),
            ("{\"title\": \"x\", \"more\": \"sesame\"}", "schema", "'more' was unexpected"),
            ("{\"title\": \"x\", \"more, sesame\": 1}", "schema", "what was unexpected is no name"),
        ] {
            let why = read(answer, &schema(), Limits::default()).unwrap_err();
            assert_eq!(why.reason(), reason, "{answer}: {why}");
            assert!(
                why.to_string().contains(words) && !why.to_string().contains("sesame"),
                "{answer}: {why}"
            );
            let [shown, asked] = why.ask_again(answer);
            assert!(shown.text == answer && asked.text.contains(&why.to_string()));
        }
    }

    #[test]
    fn brackets_and_bytes_are_bounded_before_anything_reads_them() {
        let limits = Limits::default();
        for (text, why) in [
            ("[".repeat(100_000), Why::TooDeep(24)),
            ("{\"a\":".repeat(25), Why::TooDeep(24)),
            // The quotes are such that only the mending sees the depth.
            ("['\"',".repeat(40), Why::TooDeep(24)),
            (format!("{{\"title\": \"{}\"}}", "x".repeat(256 << 10)), Why::TooLarge(256 << 10)),
        ] {
            assert_eq!(read(&text, &open(), limits), Err(why), "{}", &text[..20]);
        }
        let deepest = format!("{}{}", "[".repeat(24), "]".repeat(24));
        assert!(read(&deepest, &open(), limits).is_ok());
    }

    #[test]
    fn a_schema_that_is_none_or_lies_elsewhere_is_refused() {
        assert!(Schema::new(&json!({"type": "sesame"})).is_err());
        assert!(Schema::new(&json!({"$ref": "https://example.com/schema.json"})).is_err());
    }

    #[test]
    fn a_long_answer_is_shown_in_part_and_between_letters() {
        let [shown, _] = Why::NoJson.ask_again(&"\u{44f}".repeat(20_000));
        assert_eq!(shown.text.len(), SHOWN_BYTES_MAX);
        let [shown, _] = Why::NoJson.ask_again(" ");
        assert_eq!(shown.text, "(nothing)");
    }

    proptest! {
        /// Whatever a model writes becomes a value or an error.
        #[test]
        fn any_text_is_read_or_refused(answer in "[\\[\\]{}\"',:a-c0-9\\\\\n`<>/ \u{44f}truefalsn.-]{0,80}") {
            let limits = Limits { bytes_max: 1000, depth_max: 6 };
            if let Ok(value) = read(&answer, &open(), limits) {
                prop_assert!(depth::of(&value.to_string()) <= 6);
            }
        }

        #[test]
        fn any_letters_are_read_or_refused(answer in any::<String>()) {
            drop(read(&answer, &open(), Limits::default()));
        }

        /// What is JSON already is read as it is, and mending it changes nothing.
        #[test]
        fn json_is_read_as_it_is(value in values()) {
            let text = value.to_string();
            let repaired = repair::json(&text, 64).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Value>(&repaired).unwrap(), &value);
            if value.is_array() || value.is_object() {
                prop_assert_eq!(read(&format!("Here:\n{text}\n"), &open(), Limits::default()), Ok(value));
            }
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"'\\\\\n,:{}\\[\\]\u{44f} ]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"']{0,6}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
