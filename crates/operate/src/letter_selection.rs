//! Which dead letters are meant: by kind, unit, tenant, time or place.
//!
//! Invariant: a selection is a function of letters alone, so that whoever goes on with one finds the same.

use super::{DeadLetter, LetterPlace};
use schemas::{DigestDlq, Fingerprint};
use serde::{Deserialize, Serialize};

/// Which dead letters are meant; all where nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LetterSelection {
    /// Of this kind, as `gistmill dlq stat` prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Given up by this processor or sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Of this tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// With this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Appended at or after this time, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Appended before this time, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// At these places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<LetterPlace>,
}

impl LetterSelection {
    /// True when it names nothing: all letters are meant.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a record of the topic is meant. What is no letter has neither kind nor tenant.
    pub(super) fn wants(&self, dead: &DeadLetter) -> bool {
        let time = dead.append_time_ms;
        let is_there = self.since_ms.is_none_or(|since| time >= since)
            && self.until_ms.is_none_or(|until| time < until)
            && (self.places.is_empty() || self.places.contains(&dead.place));
        is_there
            && dead
                .letter
                .as_ref()
                .map_or_else(|_| self.names_no_letter(), |letter| self.wants_letter(letter))
    }

    fn names_no_letter(&self) -> bool {
        [&self.fingerprint, &self.unit, &self.tenant, &self.reason].into_iter().all(Option::is_none)
    }

    fn wants_letter(&self, letter: &DigestDlq) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|it| it == found);
        is(&self.unit, &letter.stage)
            && is(&self.tenant, &letter.tenant_id)
            && is(&self.reason, &letter.error_class)
            && self
                .fingerprint
                .as_ref()
                .is_none_or(|wanted| *wanted == Fingerprint::of_letter(letter).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> DigestDlq {
        DigestDlq {
            tenant_id: "acme".to_owned(),
            group_id: "qa".to_owned(),
            digest_id: None,
            stage: "topic".to_owned(),
            error: "first byte is 0x01".to_owned(),
            error_class: "wrong_magic".to_owned(),
            fingerprint: "of an older release".to_owned(),
            retry_count: 0,
            next_action: "investigate".to_owned(),
            topic: "t.v1".to_owned(),
            partition: 0,
            offset: 3,
            timestamp: 0,
            key: None,
            headers: Vec::new(),
            value: None,
        }
    }

    fn at(append_time_ms: i64, letter: Result<DigestDlq, String>) -> DeadLetter {
        let place = LetterPlace { partition: 2, offset: 17 };
        DeadLetter { place, append_time_ms, letter, state: state::LetterState::Open }
    }

    fn wants(change: impl FnOnce(&mut LetterSelection)) -> (bool, bool) {
        let mut selection = LetterSelection::default();
        change(&mut selection);
        (selection.wants(&at(100, Ok(letter()))), selection.wants(&at(100, Err("no".to_owned()))))
    }

    #[test]
    fn each_name_narrows_it_and_what_is_no_letter_has_none() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(wants(|_| {}), (true, true));
        assert_eq!(wants(|it| it.unit = some("topic")), (true, false));
        assert_eq!(wants(|it| it.unit = some("roles")), (false, false));
        assert_eq!(wants(|it| it.tenant = some("acme")), (true, false));
        assert_eq!(wants(|it| it.tenant = some("beta")), (false, false));
        assert_eq!(wants(|it| it.reason = some("wrong_magic")), (true, false));
        assert_eq!(wants(|it| it.reason = some("bad")), (false, false));
        let own = Fingerprint::of("topic", "t.v1", "wrong_magic", "first byte is 0x99").to_string();
        assert_eq!(wants(|it| it.fingerprint = Some(own)), (true, false));
        assert_eq!(wants(|it| it.fingerprint = some("of an older release")), (false, false));
    }

    #[test]
    fn a_time_is_from_its_first_moment_up_to_its_last() {
        assert_eq!(wants(|it| it.since_ms = Some(100)), (true, true));
        assert_eq!(wants(|it| it.since_ms = Some(101)), (false, false));
        assert_eq!(wants(|it| it.until_ms = Some(101)), (true, true));
        assert_eq!(wants(|it| it.until_ms = Some(100)), (false, false));
        assert_eq!(wants(|it| it.places = vec![LetterPlace { partition: 2, offset: 17 }]), (true, true));
        assert_eq!(wants(|it| it.places = vec![LetterPlace { partition: 1, offset: 17 }]), (false, false));
    }

    #[test]
    fn it_is_kept_as_json() {
        let selection = LetterSelection {
            fingerprint: Some("0011223344556677".to_owned()),
            places: vec![LetterPlace { partition: 2, offset: 17 }],
            ..LetterSelection::default()
        };
        let text = serde_json::to_string(&selection).expect("serializes");
        assert_eq!(text, r#"{"fingerprint":"0011223344556677","places":["2:17"]}"#);
        assert_eq!(serde_json::from_str::<LetterSelection>(&text).expect("reads"), selection);
        assert!(LetterSelection::default().is_all() && !selection.is_all());
    }
}
