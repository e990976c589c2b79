//! Which dead letters a listing shows: the newest, those of one input as one.

use super::DeadLetter;
use std::collections::BTreeMap;

/// When a letter was appended, and where: two listings agree on the order.
type Rank = (i64, i32, i64);
/// What a letter is of: who gave up which input.
type Identity = (String, String, i32, i64);

/// Keeps the newest by append time; ties by place. Letters of one input, which a reset makes again, count as one.
pub(super) struct Newest {
    limit: usize,
    each: bool,
    letters: BTreeMap<Rank, (DeadLetter, Option<Identity>)>,
    /// How many letters an input has, and the newest of them.
    inputs: BTreeMap<Identity, (u64, Rank)>,
    /// Letters that are of no known input, or that are listed each.
    others: u64,
}

impl Newest {
    pub(super) fn new(limit: usize, each: bool) -> Self {
        Self { limit, each, letters: BTreeMap::new(), inputs: BTreeMap::new(), others: 0 }
    }

    pub(super) fn add(&mut self, letter: DeadLetter) {
        let rank = (letter.append_time_ms, letter.place.partition, letter.place.offset);
        let identity = letter
            .letter
            .as_ref()
            .ok()
            .filter(|_| !self.each)
            .map(|letter| (letter.stage.clone(), letter.topic.clone(), letter.partition, letter.offset));
        match &identity {
            Some(identity) => {
                let input = self.inputs.entry(identity.clone()).or_insert((0, rank));
                input.0 += 1;
                if input.1 > rank {
                    return;
                }
                self.letters.remove(&std::mem::replace(&mut input.1, rank));
            }
            None => self.others += 1,
        }
        self.letters.insert(rank, (letter, identity));
        if self.letters.len() > self.limit {
            self.letters.pop_first();
        }
    }

    pub(super) fn matching(&self) -> u64 {
        self.inputs.len() as u64 + self.others
    }

    pub(super) fn in_order(self) -> Vec<(DeadLetter, u64)> {
        let count = |identity: Option<Identity>| {
            identity.and_then(|identity| self.inputs.get(&identity)).map_or(1, |(count, _)| *count)
        };
        self.letters.into_values().map(|(letter, identity)| (letter, count(identity))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::LetterPlace, *};
    use schemas::DigestDlq;
    use state::LetterState;

    fn unreadable(append_time_ms: i64, partition: i32, offset: i64) -> DeadLetter {
        let place = LetterPlace { partition, offset };
        DeadLetter { place, append_time_ms, letter: Err("no".to_owned()), state: LetterState::Open }
    }

    fn of_input(append_time_ms: i64, offset: i64, input: i64) -> DeadLetter {
        let letter = DigestDlq {
            tenant_id: String::new(),
            group_id: String::new(),
            digest_id: None,
            stage: "topic".to_owned(),
            error: String::new(),
            error_class: "empty".to_owned(),
            fingerprint: String::new(),
            retry_count: 0,
            next_action: "investigate".to_owned(),
            topic: "t.v1".to_owned(),
            partition: 0,
            offset: input,
            timestamp: 0,
            key: None,
            headers: Vec::new(),
            value: None,
        };
        let place = LetterPlace { partition: 0, offset };
        DeadLetter { place, append_time_ms, letter: Ok(letter), state: LetterState::Open }
    }

    fn places(newest: Newest) -> Vec<(String, u64)> {
        newest.in_order().iter().map(|(letter, count)| (letter.place.to_string(), *count)).collect()
    }

    #[test]
    fn the_newest_are_kept_and_told_oldest_first() {
        let mut newest = Newest::new(2, false);
        for (time, partition, offset) in [(5, 0, 1), (9, 1, 0), (7, 0, 2), (7, 0, 1)] {
            newest.add(unreadable(time, partition, offset));
        }
        assert_eq!(newest.matching(), 4);
        assert_eq!(places(newest), [("0:2".to_owned(), 1), ("1:0".to_owned(), 1)]);
        let mut none = Newest::new(0, false);
        none.add(unreadable(1, 0, 0));
        assert_eq!((none.matching(), none.in_order().len()), (1, 0));
    }

    #[test]
    fn letters_that_a_reset_made_again_are_one_input() {
        let letters = || [of_input(1, 10, 3), of_input(2, 11, 4), of_input(9, 12, 3), of_input(5, 13, 3)];
        let mut folded = Newest::new(9, false);
        for letter in letters() {
            folded.add(letter);
        }
        assert_eq!(folded.matching(), 2);
        assert_eq!(places(folded), [("0:11".to_owned(), 1), ("0:12".to_owned(), 3)]);
        let mut each = Newest::new(9, true);
        for letter in letters() {
            each.add(letter);
        }
        assert_eq!((each.matching(), each.in_order().len()), (4, 4));
    }
}
