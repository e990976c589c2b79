//! Whether a record that is looked at lies where its topic's readers take it from.

use super::Decoded;
use engine::wire_check::{Misplaced, Placement};
use schemas::{DigestDlq, Record};
use topology::{Topic, TopicKind};

/// What is wrong about a record's key or partition; none where the topic is not keyed by group. A dead letter keeps the
/// key of its input, and of what cannot be read only the key is known: of both the partition alone is judged.
pub(super) fn misplaced(
    topic: &Topic,
    value: &Decoded,
    key: Option<&[u8]>,
    partition: i32,
) -> Option<Misplaced> {
    if topic.kind != TopicKind::Event {
        return None;
    }
    let placement = Placement { partitions: topic.partitions };
    match value {
        Decoded::Avro(value) if topic.record.as_deref() != Some(DigestDlq::TYPE) => {
            placement.check_key(value.key()?, key, partition).err()
        }
        _ => placement.check_partition(key?, partition).err(),
    }
}
