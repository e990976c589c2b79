//! Deletions of messages that an operator erased, as if each author had deleted them.
//!
//! Invariant: what is given is a function of the list and the time of the erasure, so that whoever goes on after a kill
//! continues at the position; nothing is given twice.

use crate::batch;
use ingest::Group;
use processor::PortSpec;
use runtime::{Position, Source, SourceBatch, SourceError};
use schemas::{
    END_OF_LANE, GroupMessageIngested, LIVE_LANE, Message, MessageKind, delivered_lane, identity_hash,
};

/// Messages of a record, and of a batch, which is one transaction.
const RECORD_MESSAGES_MAX: usize = 50;
const BATCH_MESSAGES_MAX: usize = 1000;
/// A window of a message this old has ended, whatever its size, zone and grace: a day with a change of clocks, and an hour.
const ENDED_MS: i64 = 26 * 60 * 60 * 1000;

/// A message to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deletion {
    /// Message.
    pub id: i64,
    /// When it was sent, in ms.
    pub sent_at: i64,
    /// Newest revision that is known of it.
    pub revision: i64,
    /// A digest of its time went to a channel other than files, where the new version has to go too.
    pub posted: bool,
}

/// Which lane closes the windows of a deleted message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Its window may be open: it closes when its time is over.
    Live,
    /// Over, and its digest was posted: the new version edits the post.
    Posted,
    /// Over, and told in files at most.
    Filed,
}

/// Deletions of one group. Reading it is done once all are written.
#[derive(Debug)]
pub struct ErasureSource {
    group: Group,
    identity: String,
    erased_at: i64,
    deletions: Vec<(Kind, Deletion)>,
}

impl ErasureSource {
    /// Deletions of messages of `group` under the name of an erasure, which began at `erased_at` in ms.
    pub fn new(
        group: Group,
        (erasure, erased_at): (&str, i64),
        deletions: impl IntoIterator<Item = Deletion>,
    ) -> Self {
        let kind = |deletion: &Deletion| match deletion {
            _ if deletion.sent_at > erased_at.saturating_sub(ENDED_MS) => Kind::Live,
            Deletion { posted: true, .. } => Kind::Posted,
            Deletion { posted: false, .. } => Kind::Filed,
        };
        let mut deletions: Vec<_> =
            deletions.into_iter().map(|deletion| (kind(&deletion), deletion)).collect();
        deletions.sort_unstable();
        let identity = group.identity("erase", erasure);
        Self { group, identity, erased_at, deletions }
    }

    fn lane(&self, kind: Kind) -> String {
        let lane = format!("erase-{}", identity_hash("erase", &[&self.identity]));
        match kind {
            Kind::Live => LIVE_LANE.to_owned(),
            Kind::Posted => delivered_lane(&lane),
            Kind::Filed => lane,
        }
    }

    fn record(&self, kind: Kind, at: &str) -> GroupMessageIngested {
        GroupMessageIngested {
            tenant_id: self.group.tenant_id().to_owned(),
            group_id: self.group.group_id().to_owned(),
            lane: self.lane(kind),
            observed_at: self.erased_at,
            ingest_trace_id: GroupMessageIngested::trace(&self.identity, at),
            ..GroupMessageIngested::default()
        }
    }

    /// Records from the deletion with this number on, of one lane, and the number after them; none at the end.
    fn batch(&self, from: usize) -> Option<(Vec<GroupMessageIngested>, usize)> {
        let (kind, _) = self.deletions.get(from)?;
        let of_lane = self.deletions[from..].iter().take_while(|(other, _)| other == kind).count();
        let until = from + of_lane.min(BATCH_MESSAGES_MAX);
        let mut records = Vec::new();
        for (number, chunk) in self.deletions[from..until].chunks(RECORD_MESSAGES_MAX).enumerate() {
            let record = self.record(*kind, &(from + number * RECORD_MESSAGES_MAX).to_string());
            let messages = chunk.iter().map(|(_, deletion)| deleted(deletion)).collect();
            records.push(GroupMessageIngested { messages, ..record });
        }
        if *kind != Kind::Live && until == from + of_lane {
            let end = self.record(*kind, &format!("end:{until}"));
            records.push(GroupMessageIngested { complete_until: Some(END_OF_LANE), ..end });
        }
        Some((records, until))
    }
}

/// The message is gone. Later than all that is known of it.
fn deleted(deletion: &Deletion) -> Message {
    Message {
        revision: deletion.revision.saturating_add(1),
        kind: MessageKind::Deleted.as_str().to_owned(),
        ..Message::plain(deletion.id, deletion.sent_at, "")
    }
}

impl Source for ErasureSource {
    const NAME: &'static str = crate::NAME;

    fn ports(&self) -> Vec<PortSpec> {
        crate::ports()
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    async fn next(&mut self, position: Option<&Position>) -> Result<SourceBatch, SourceError> {
        let from = match position {
            None => 0,
            Some(Position(text)) => text.parse().map_err(|_| {
                SourceError::Fatal(format!("position {text} of an erasure is no number of a message"))
            })?,
        };
        Ok(match self.batch(from) {
            Some((records, until)) => SourceBatch::Records {
                emissions: batch::emit(records),
                position: Position(until.to_string()),
            },
            None => SourceBatch::End,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn source(deletions: impl IntoIterator<Item = Deletion>) -> ErasureSource {
        ErasureSource::new(Group::new("acme", "qa").expect("names"), ("e1", NOW), deletions)
    }

    fn deletion(id: i64, sent_at: i64, posted: bool) -> Deletion {
        Deletion { id, sent_at, revision: 4, posted }
    }

    /// Lane, ids and promise of a record.
    type Given = (String, Vec<i64>, Option<i64>);

    /// Each record, in batches.
    fn given(source: &ErasureSource) -> Vec<Vec<Given>> {
        let (mut from, mut batches) = (0, Vec::new());
        while let Some((records, until)) = source.batch(from) {
            let told = |record: GroupMessageIngested| {
                let ids = record.messages.iter().map(|message| message.id).collect();
                (record.lane, ids, record.complete_until)
            };
            batches.push(records.into_iter().map(told).collect());
            from = until;
        }
        batches
    }

    #[test]
    fn lanes_that_end_close_what_is_over_and_the_live_one_what_is_not() {
        let source = source([
            deletion(1, NOW - 30 * ENDED_MS, true),
            deletion(2, NOW - 40 * ENDED_MS, false),
            deletion(3, NOW - 60_000, true),
        ]);
        let (filed, posted) = (source.lane(Kind::Filed), source.lane(Kind::Posted));
        assert!(schemas::is_delivered_lane(&posted) && !schemas::is_delivered_lane(&filed));
        let end = Some(END_OF_LANE);
        assert_eq!(
            given(&source),
            [
                vec![("live".to_owned(), vec![3], None)],
                vec![(posted.clone(), vec![1], None), (posted, vec![], end)],
                vec![(filed.clone(), vec![2], None), (filed, vec![], end)],
            ]
        );
    }

    #[test]
    fn a_long_list_is_cut_and_each_message_is_deleted_once() {
        let old = NOW - 30 * ENDED_MS;
        let source = source((0..2_120).rev().map(|id| deletion(id, old + id, false)));
        let batches = given(&source);
        let sizes: Vec<_> = batches.iter().map(Vec::len).collect();
        assert_eq!(sizes, [20, 20, 4], "with the end of the lane in the last");
        let ids: Vec<i64> = batches.into_iter().flatten().flat_map(|(_, ids, _)| ids).collect();
        assert_eq!(ids, (0..2_120).collect::<Vec<_>>());
    }

    #[test]
    fn a_deletion_has_no_word_and_is_newer_than_what_is_known() {
        let message = deleted(&deletion(7, 5, false));
        assert!(message.is_deletion() && message.author.is_none() && message.text.is_empty());
        assert_eq!((message.id, message.sent_at, message.revision), (7, 5, 5));
    }
}
