//! Which message states of a batch are new to the append-only table. Invariant: pure; the outcome does not depend on
//! where one batch ends and the next begins.

use crate::MessageRow;

/// A row and whether it has to be compared with what is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Staged<'a> {
    /// The row.
    pub(crate) row: MessageRow<'a>,
    /// True for the first of its (id, revision) in the batch: what precedes it is in the table, if anywhere. The
    /// others differ from the one before them.
    pub(crate) first: bool,
}

/// Sorts rows by key; of equal keys (one record says the same message twice) the last counts; a row that says what the
/// one before it of the same (id, revision) says is left out.
pub(crate) fn stage<'a>(rows: &[MessageRow<'a>]) -> Vec<Staged<'a>> {
    let mut rows = rows.to_vec();
    rows.sort_by(|left, right| left.key().cmp(&right.key()));
    rows.dedup_by(|later, kept| {
        let same = later.key() == kept.key();
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
    rows.dedup_by(|later, kept| later.state() == kept.state() && later.message == kept.message);
    let mut previous = None;
    let mut staged = Vec::with_capacity(rows.len());
    for row in rows {
        staged.push(Staged { row, first: previous != Some(row.state()) });
        previous = Some(row.state());
    }
    staged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemas::Message;
    use std::collections::BTreeMap;

    fn message(id: i64, revision: i64, text: &str) -> Message {
        Message {
            id,
            revision,
            kind: "new".to_owned(),
            author: None,
            sent_at: 0,
            text: text.to_owned(),
            entities: Vec::new(),
            reply_to: None,
            topic_id: None,
            media: None,
            forward: None,
            reactions: Vec::new(),
        }
    }

    fn row(message: &Message, source_offset: i64) -> MessageRow<'_> {
        MessageRow { tenant_id: "t", group_id: "g", source_partition: 0, source_offset, message }
    }

    /// The table as a map: what `insert_messages` makes of it.
    type Table = BTreeMap<(i64, i64, i64), String>;

    fn write(table: &mut Table, rows: &[MessageRow<'_>]) {
        let before = table.clone();
        for staged in stage(rows) {
            let message = staged.row.message;
            let key = (message.id, message.revision, staged.row.source_offset);
            let newest = before.range((message.id, message.revision, i64::MIN)..key).next_back();
            if !(staged.first && newest.is_some_and(|(_, text)| *text == message.text)) {
                table.entry(key).or_insert_with(|| message.text.clone());
            }
        }
    }

    /// States in the order of the log, each added when it differs from the one before it.
    fn model(log: &[(i64, Message)]) -> Table {
        let mut last_of_key: Table = Table::new();
        for (offset, message) in log {
            last_of_key.insert((message.id, message.revision, *offset), message.text.clone());
        }
        let mut newest: BTreeMap<(i64, i64), String> = BTreeMap::new();
        last_of_key
            .into_iter()
            .filter(|((id, revision, _), text)| {
                newest.insert((*id, *revision), text.clone()).as_ref() != Some(text)
            })
            .collect()
    }

    fn log() -> impl Strategy<Value = Vec<(i64, Message)>> {
        let state = (0..3_i64, 0..2_i64, 0..3_usize, 0..2_i64);
        prop::collection::vec(state, 0..40).prop_map(|states| {
            let mut offset = 0;
            let mut place = |step| {
                offset += step;
                offset
            };
            states
                .into_iter()
                .map(|(id, revision, text, step)| (place(step), message(id, revision, ["a", "b", "c"][text])))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn batch_bounds_and_repeats_change_nothing(log in log(), cut in 0..40_usize, again in 0..40_usize) {
            // A record is never cut: move the cut to the next change of offset.
            let bound = |cut: usize| (cut.min(log.len())..log.len())
                .find(|&at| at == 0 || log[at - 1].0 != log[at].0)
                .unwrap_or(log.len());
            let rows: Vec<_> = log.iter().map(|(offset, message)| row(message, *offset)).collect();
            let mut table = Table::new();
            write(&mut table, &rows[..bound(cut)]);
            write(&mut table, &rows[bound(cut)..]);
            prop_assert_eq!(&table, &model(&log));
            write(&mut table, &rows[bound(again)..]);
            prop_assert_eq!(&table, &model(&log));
        }
    }

    #[test]
    fn a_state_that_comes_back_is_a_row_again() {
        let (a, b) = (message(1, 0, "a"), message(1, 0, "b"));
        let offsets: Vec<_> = stage(&[row(&a, 1), row(&a, 2), row(&b, 3), row(&a, 4)])
            .iter()
            .map(|s| s.row.source_offset)
            .collect();
        assert_eq!(offsets, [1, 3, 4]);
    }
}
