//! Reasons for which every reader of a topic refuses a record, the same whoever reads it.

/// Reasons of [`crate::DecodeError`] and of what it calls invalid.
const REASONS: [&str; 17] = [
    "no_value",
    "too_short",
    "wrong_magic",
    "unknown_schema",
    "wrong_schema",
    "undecodable",
    "trailing_bytes",
    "bad_name",
    "bad_observed_at",
    "clock_ahead",
    "promise_ahead",
    "bad_complete_until",
    "bad_set_back_to",
    "bad_settings",
    "unknown_kind",
    "bad_sent_at",
    "bad_revision",
];

/// True for a reason that a decoder gives: no reader of the topic takes such a record.
pub fn is_of_all_readers(reason: &str) -> bool {
    REASONS.contains(&reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts in quotation marks after a word, in the source of the checks.
    fn named(source: &'static str, before: &str) -> Vec<&'static str> {
        source.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn every_reason_of_the_checks_is_among_them() {
        let refused = named(include_str!("check.rs"), "refuse(\"");
        assert!(refused.len() > 9, "{refused:?}");
        let decoded = include_str!("wire.rs");
        let decoded =
            decoded.split("fn reason(&self)").nth(1).and_then(|rest| rest.split("\n    }\n").next());
        let decoded: Vec<&str> = named(decoded.unwrap_or_default(), "=> \"");
        assert_eq!(decoded.len(), 7, "{decoded:?}");
        for reason in refused.into_iter().chain(decoded) {
            assert!(is_of_all_readers(reason), "{reason}");
        }
        assert!(!is_of_all_readers("digest_missing"));
    }
}
