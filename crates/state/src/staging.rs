//! What reports of message states add to the append-only table. Invariant: pure; the outcome does not depend on where one
//! batch ends and the next begins.

use crate::{Error, MessageRow, stored_message::as_stored};
use schemas::Message;
use std::borrow::Cow;

/// A state that becomes a row.
#[derive(Debug, Clone)]
pub(crate) struct New<'a> {
    /// The report, and its place in the log.
    pub(crate) row: MessageRow<'a>,
    /// What is known of the message with it.
    pub(crate) message: Cow<'a, Message>,
}

/// Reports in the order of tenant, group, id, revision and offset.
pub(crate) fn sorted<'a>(rows: &[MessageRow<'a>]) -> Vec<MessageRow<'a>> {
    let mut rows = rows.to_vec();
    rows.sort_by(|left, right| left.key().cmp(&right.key()));
    rows
}

/// Adds the rows that sorted reports of one revision of a message make after what is `known` of it. One record that
/// reports it twice makes one row.
pub(crate) fn add_up<'a>(
    reports: &[MessageRow<'a>],
    known: Option<Message>,
    news: &mut Vec<New<'a>>,
) -> Result<(), Error> {
    if let ([row], None) = (reports, &known) {
        news.push(New { row: *row, message: Cow::Borrowed(row.message) });
        return Ok(());
    }
    let mut known = known.map(Cow::Owned);
    for of_record in reports.chunk_by(|left, right| left.source_offset == right.source_offset) {
        let mut told = None;
        for row in of_record {
            told = Some(with_earlier(as_stored(row.message)?, told.as_ref()));
        }
        let told =
            told.map(|told| with_earlier(told, known.as_ref())).filter(|told| known.as_ref() != Some(told));
        if let Some(told) = told {
            news.push(New { row: of_record[0], message: told.clone() });
            known = Some(told);
        }
    }
    Ok(())
}

fn with_earlier<'a>(mut report: Cow<'a, Message>, earlier: Option<&Cow<'a, Message>>) -> Cow<'a, Message> {
    if let Some(earlier) = earlier.filter(|earlier| **earlier != report) {
        report.to_mut().recall(earlier);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemas::Message;
    use std::collections::BTreeMap;

    fn message(id: i64, revision: i64, text: &str) -> Message {
        Message { revision, ..Message::plain(id, 0, text) }
    }

    fn row(message: &Message, source_offset: i64) -> MessageRow<'_> {
        MessageRow { tenant_id: "t", group_id: "g", source_partition: 0, source_offset, message }
    }

    /// The table: what `insert_messages` makes of it.
    type Table = BTreeMap<(i64, i64, i64), Message>;

    fn write(table: &mut Table, rows: &[MessageRow<'_>]) {
        let (before, mut news) = (table.clone(), Vec::new());
        for reports in sorted(rows).chunk_by(|left, right| left.state() == right.state()) {
            let (id, revision) = (reports[0].message.id, reports[0].message.revision);
            let mut known = before.range((id, revision, i64::MIN)..(id, revision, reports[0].source_offset));
            add_up(reports, known.next_back().map(|(_, message)| message.clone()), &mut news)
                .expect("messages");
        }
        for New { row, message } in news {
            let key = (message.id, message.revision, row.source_offset);
            table.entry(key).or_insert(as_stored(&message).expect("a message").into_owned());
        }
    }

    /// Reports in the order of the log, each on top of the one before it.
    fn model(log: &[(i64, Message)]) -> Table {
        let (mut table, mut newest) = (Table::new(), BTreeMap::<(i64, i64), Message>::new());
        for record in log.chunk_by(|left, right| left.0 == right.0) {
            let mut told = BTreeMap::<(i64, i64), Message>::new();
            for (_, report) in record {
                let mut report = Message { text: report.text.replace('\0', "\u{FFFD}"), ..report.clone() };
                if let Some(earlier) = told.get(&(report.id, report.revision)) {
                    report.recall(earlier);
                }
                told.insert((report.id, report.revision), report);
            }
            for ((id, revision), mut report) in told {
                if let Some(earlier) = newest.get(&(id, revision)) {
                    report.recall(earlier);
                }
                if newest.insert((id, revision), report.clone()).as_ref() != Some(&report) {
                    table.insert((id, revision, record[0].0), report);
                }
            }
        }
        table
    }

    fn log() -> impl Strategy<Value = Vec<(i64, Message)>> {
        let state = (0..3_i64, 0..2_i64, 0..4_usize, any::<[bool; 2]>(), 0..2_i64);
        prop::collection::vec(state, 0..40).prop_map(|states| {
            let mut offset = 0;
            let mut place = |step| {
                offset += step;
                offset
            };
            let report = |id, revision, text: usize, [topic, reply]: [bool; 2]| Message {
                topic_id: topic.then_some(9),
                reply_to: reply.then_some(8),
                ..message(id, revision, ["", "a", "b", "c\0"][text])
            };
            let states = states.into_iter();
            states
                .map(|(id, revision, text, parts, step)| (place(step), report(id, revision, text, parts)))
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

    fn rows_of(log: &[(i64, Message)]) -> Vec<(i64, String, Option<i64>)> {
        let rows: Vec<_> = log.iter().map(|(offset, message)| row(message, *offset)).collect();
        let mut table = Table::new();
        write(&mut table, &rows);
        table.into_iter().map(|((_, _, offset), message)| (offset, message.text, message.topic_id)).collect()
    }

    #[test]
    fn a_state_that_comes_back_is_a_row_again() {
        let (a, b) = (message(1, 0, "a"), message(1, 0, "b"));
        let rows = rows_of(&[(1, a.clone()), (2, a.clone()), (3, b), (4, a)]);
        assert_eq!(rows, [(1, "a".to_owned(), None), (3, "b".to_owned(), None), (4, "a".to_owned(), None)]);
    }

    #[test]
    fn a_report_that_knows_less_is_no_row_and_one_that_knows_more_is() {
        let (more, less) = (Message { topic_id: Some(9), ..message(1, 0, "a") }, message(1, 0, "a"));
        let whole = ("a".to_owned(), Some(9));
        let rows = rows_of(&[(1, more.clone()), (2, less.clone())]);
        assert_eq!(rows, [(1, whole.0.clone(), whole.1)]);
        let rows = rows_of(&[(1, less), (2, message(1, 0, "")), (3, more)]);
        assert_eq!(rows, [(1, "a".to_owned(), None), (3, whole.0, whole.1)]);
    }
}
