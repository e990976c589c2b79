//! Dead letters by kind: one line for ten thousand equal failures.
//!
//! Invariant: each letter that is meant counts for one kind, by the fingerprint that metrics have for it.

use super::{
    DeadLetter, Error, LetterFilter, LetterPlace,
    dead_letters::{Walk, walk},
};
use runtime::Config;
use schemas::{DigestDlq, Fingerprint};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// A kind of failure, and the letters of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterKind {
    /// What they have in common.
    pub fingerprint: String,
    /// Processor or sink that gave up.
    pub unit: String,
    /// Logical topic of the inputs.
    pub topic: String,
    /// Reason, as a metric label.
    pub reason: String,
    /// Inputs given up: one counts once, however often a reset made its letter again.
    pub inputs: u64,
    /// Letters.
    pub letters: u64,
    /// When the first was appended, in ms.
    pub first_ms: i64,
    /// When the last was appended, in ms.
    pub last_ms: i64,
    /// Where the last lies.
    pub example: LetterPlace,
    /// What the last says.
    pub error: String,
}

/// Kinds as they are counted.
#[derive(Default)]
struct Kinds {
    kinds: BTreeMap<Fingerprint, LetterKind>,
    inputs: HashSet<(Fingerprint, i32, i64)>,
}

impl Kinds {
    fn add(&mut self, dead: &DeadLetter, letter: &DigestDlq) {
        let (time, fingerprint) = (dead.append_time_ms, Fingerprint::of_letter(letter));
        let kind = self.kinds.entry(fingerprint).or_insert_with(|| LetterKind {
            fingerprint: fingerprint.to_string(),
            unit: letter.stage.clone(),
            topic: letter.topic.clone(),
            reason: letter.error_class.clone(),
            inputs: 0,
            letters: 0,
            first_ms: time,
            last_ms: i64::MIN,
            example: dead.place,
            error: String::new(),
        });
        kind.letters += 1;
        kind.inputs += u64::from(self.inputs.insert((fingerprint, letter.partition, letter.offset)));
        kind.first_ms = kind.first_ms.min(time);
        if time >= kind.last_ms {
            (kind.last_ms, kind.example) = (time, dead.place);
            kind.error.clone_from(&letter.error);
        }
    }

    /// Those of most inputs first.
    fn in_order(self) -> Vec<LetterKind> {
        let mut kinds: Vec<LetterKind> = self.kinds.into_values().collect();
        kinds.sort_by(|one, other| {
            other.inputs.cmp(&one.inputs).then_with(|| one.fingerprint.cmp(&other.fingerprint))
        });
        kinds
    }
}

/// Kinds of the letters that are meant, those of most inputs first; `progress` hears of offsets passed and to pass.
/// Records that are no letters are of no kind. Also why it is not known what became of them, if it is not.
///
/// # Errors
/// A peer that is away, or a topic that is not on the broker.
pub fn letter_kinds(
    config: &Config,
    filter: &LetterFilter,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Vec<LetterKind>, Option<String>), Error> {
    let mut kinds = Kinds::default();
    let looked = Walk { selection: &filter.selection, states: &filter.states, progress };
    let unsettled = walk(config, looked, &mut |dead| {
        if let Ok(letter) = &dead.letter {
            kinds.add(&dead, letter);
        }
    })?;
    Ok((kinds.in_order(), unsettled))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(kinds: &mut Kinds, time: i64, (offset, error): (i64, &str)) {
        let letter = DigestDlq {
            tenant_id: String::new(),
            group_id: String::new(),
            digest_id: None,
            stage: "topic".to_owned(),
            error: error.to_owned(),
            error_class: "undecodable".to_owned(),
            fingerprint: String::new(),
            retry_count: 0,
            next_action: "investigate".to_owned(),
            topic: "t.v1".to_owned(),
            partition: 0,
            offset,
            timestamp: 0,
            key: None,
            headers: Vec::new(),
            value: None,
        };
        let place = LetterPlace { partition: 1, offset: time };
        let dead = DeadLetter {
            place,
            append_time_ms: time,
            letter: Ok(letter.clone()),
            state: state::LetterState::Open,
        };
        kinds.add(&dead, &letter);
    }

    #[test]
    fn ten_thousand_equal_failures_are_one_line() {
        let mut kinds = Kinds::default();
        for offset in 0..10_000 {
            add(&mut kinds, 50 + offset, (offset, &format!("{offset} bytes of \"m{offset}\" are left")));
        }
        add(&mut kinds, 7, (3, "3 bytes of \"m\" are left"));
        add(&mut kinds, 9, (3, "no end"));
        let kinds = kinds.in_order();
        let told: Vec<_> = kinds
            .iter()
            .map(|kind| (kind.inputs, kind.letters, kind.first_ms, kind.last_ms, kind.error.as_str()))
            .collect();
        assert_eq!(
            told,
            [(10_000, 10_001, 7, 10_049, "9999 bytes of \"m9999\" are left"), (1, 1, 9, 9, "no end")]
        );
        assert_eq!(kinds[0].example, LetterPlace { partition: 1, offset: 10_049 });
    }
}
