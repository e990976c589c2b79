//! Which forum topic a message belongs to: the one that its reply chain leads to.

use std::collections::BTreeSet;

/// Messages inside topics.
#[derive(Debug, Default)]
pub struct Topics {
    created: BTreeSet<i64>,
    /// (message, topic), by message. Exports are in the order of ids, so entries are pushed, not inserted.
    members: Vec<(i64, i64)>,
}

impl Topics {
    /// The service message `topic_created` opens a topic under its own id.
    pub fn create(&mut self, id: i64) {
        self.created.insert(id);
    }

    /// Whether this message opened a topic.
    pub fn is_topic(&self, id: i64) -> bool {
        self.created.contains(&id)
    }

    /// The topic of message `id` that answers `reply_to`; it is remembered for those that answer it.
    pub fn place(&mut self, id: i64, reply_to: i64) -> Option<i64> {
        let topic = if self.is_topic(reply_to) { reply_to } else { self.topic_of(reply_to)? };
        match self.members.last() {
            Some((last, _)) if *last >= id => match self.members.binary_search_by_key(&id, |(id, _)| *id) {
                Ok(index) => self.members[index].1 = topic,
                Err(index) => self.members.insert(index, (id, topic)),
            },
            _ => self.members.push((id, topic)),
        }
        Some(topic)
    }

    /// What message `id` answers, and the topic it is in, by what it says it answers: to answer the message that created
    /// a topic is to write in the topic, not to answer anybody.
    pub fn settle(&mut self, id: i64, reply_to: Option<i64>) -> (Option<i64>, Option<i64>) {
        let topic = reply_to.and_then(|parent| self.place(id, parent));
        (reply_to.filter(|parent| !self.is_topic(*parent)), topic)
    }

    /// Topics met.
    pub fn count(&self) -> u64 {
        self.created.len() as u64
    }

    fn topic_of(&self, id: i64) -> Option<i64> {
        let index = self.members.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.members.get(index).map(|(_, topic)| *topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_chain_leads_to_its_topic() {
        let mut topics = Topics::default();
        topics.create(10);
        topics.create(20);
        assert_eq!(topics.place(11, 10), Some(10));
        assert_eq!(topics.place(21, 20), Some(20));
        assert_eq!(topics.place(15, 11), Some(10), "out of order");
        assert_eq!(topics.place(22, 15), Some(10));
        assert_eq!(topics.place(23, 9), None);
        assert_eq!(topics.place(24, 23), None);
        assert_eq!(topics.count(), 2);
    }
}
