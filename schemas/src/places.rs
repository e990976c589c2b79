//! Which forum topic a message belongs to: the one that is told of it, else the one that its answers lead to.
//!
//! Invariant: the answer depends on what is known, not on the order in which that became known.

use crate::Message;
use std::collections::HashMap;

/// What all states of a message together tell of where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// It created a topic.
    pub is_topic: bool,
    /// Its topic, where a source tells it.
    pub topic: Option<i64>,
    /// The message that it answers.
    pub reply_to: Option<i64>,
}

/// The places of messages, and of those that they answer.
#[derive(Debug, Default)]
pub struct Places {
    told: HashMap<i64, Place>,
    /// Topics found so far; none for a message that belongs to none.
    found: HashMap<i64, Option<i64>>,
}

impl Places {
    /// Adds the place of a message.
    pub fn know(&mut self, id: i64, place: Place) {
        self.told.insert(id, place);
    }

    /// Puts a message where it belongs, by what is known of it here.
    pub fn settle(&mut self, message: &mut Message) {
        let told = self.told.get(&message.id).copied().unwrap_or_default();
        message.topic_id = message.topic_id.or(told.topic);
        message.reply_to = message.reply_to.or(told.reply_to);
        let topic = self.topic_of(message.id);
        let home = message.home(|id| self.is_topic(id), |id| topic.is_some() && id == message.id);
        message.settle(home, topic);
    }

    fn is_topic(&self, id: i64) -> bool {
        self.told.get(&id).is_some_and(|place| place.is_topic)
    }

    fn topic_of(&mut self, id: i64) -> Option<i64> {
        let (mut path, mut at) = (Vec::new(), id);
        let topic = loop {
            if let Some(found) = self.found.get(&at) {
                break *found;
            }
            // A chain that comes back to itself leads nowhere.
            self.found.insert(at, None);
            path.push(at);
            let place = self.told.get(&at).copied().unwrap_or_default();
            match (place.topic, place.reply_to) {
                (Some(topic), _) => break Some(topic),
                (None, Some(to)) if self.is_topic(to) => break Some(to),
                (None, Some(to)) => at = to,
                (None, None) => break None,
            }
        };
        self.found.extend(path.into_iter().map(|id| (id, topic)));
        topic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(places: &[(i64, Place)]) -> Places {
        let mut all = Places::default();
        for (id, place) in places {
            all.know(*id, *place);
        }
        all
    }

    fn answers(to: i64) -> Place {
        Place { reply_to: Some(to), ..Place::default() }
    }

    #[test]
    fn a_chain_of_answers_leads_to_the_topic() {
        let topic = Place { is_topic: true, ..Place::default() };
        let told = Place { topic: Some(2), ..answers(10) };
        let mut places =
            places(&[(1, topic), (10, answers(1)), (11, answers(10)), (12, told), (13, answers(12))]);
        let found = [13, 10, 11, 12, 1, 99].map(|id| places.topic_of(id));
        assert_eq!(found, [Some(2), Some(1), Some(1), Some(2), None, None]);
    }

    #[test]
    fn a_chain_that_ends_elsewhere_or_in_itself_leads_nowhere() {
        let mut places =
            places(&[(10, answers(11)), (11, answers(12)), (12, answers(10)), (20, answers(19))]);
        assert_eq!([10, 11, 12, 20, 19].map(|id| places.topic_of(id)), [None; 5]);
    }

    #[test]
    fn long_chains_are_walked_once() {
        let topic = Place { is_topic: true, ..Place::default() };
        let mut all = places(&[(0, topic)]);
        for id in 1..100_000 {
            all.know(id, answers(id - 1));
        }
        assert!((1..100_000).rev().all(|id| all.topic_of(id) == Some(0)));
    }
}
