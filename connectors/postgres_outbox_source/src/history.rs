//! Whether the outbox is the one that the position was written against.
//!
//! Invariant: pure. Transaction ids order rows within one history of one server. A database that was recovered to a point
//! in time, or promoted from a standby that lagged, hands out again the ids that it lost: rows of the new history would lie
//! before the position and never be published.

use crate::position::OutboxPosition;
use runtime::SourceError;
use state::OutboxPage;

/// What to do about all of it.
const PUBLISH_AGAIN: &str = "run `gistmill reset postgres_outbox_source` to publish the whole outbox again (consumers tell repeats by their ids)";

/// Stops where rows mean something else than they did when the position was written.
pub(crate) fn check(after: Option<&OutboxPosition>, page: &OutboxPage) -> Result<(), SourceError> {
    if let Some(after) = after {
        same_server(after, page)?;
        same_history(after, page)?;
    }
    if page.has_foreign_rows {
        return Err(SourceError::Fatal(
            "outbox holds rows of transactions that this server has not had: a restored dump. as a superuser, \
             delete the rows published before, or publish all of them again with `UPDATE outbox SET xid = DEFAULT`"
                .to_owned(),
        ));
    }
    Ok(())
}

fn same_server(after: &OutboxPosition, page: &OutboxPage) -> Result<(), SourceError> {
    if after.system_identifier == page.system_identifier {
        return Ok(());
    }
    Err(SourceError::Fatal(format!(
        "outbox position is of postgres server {}, this is server {}: a restored dump, or the wrong address. \
         correct the address, or {PUBLISH_AGAIN}",
        after.system_identifier, page.system_identifier
    )))
}

/// The last row published has to be there still. Where it is gone with all rows before it, somebody has cleaned up, unless
/// the server began another timeline since.
fn same_history(after: &OutboxPosition, page: &OutboxPage) -> Result<(), SourceError> {
    if after.xid >= page.next_xid {
        return Err(SourceError::Fatal(format!(
            "outbox position is at transaction {}, the server has only come to {}: it was set back to an earlier \
             time. {PUBLISH_AGAIN}",
            after.xid, page.next_xid
        )));
    }
    let is_kept = match page.newest_passed {
        Some(row) => {
            row.place == after.place() && after.written_at_us.is_none_or(|then| then == row.written_at_us)
        }
        None => after.timeline.is_none_or(|then| then == page.timeline),
    };
    if is_kept {
        return Ok(());
    }
    let then =
        after.timeline.map_or_else(|| "an unknown timeline".to_owned(), |then| format!("timeline {then}"));
    Err(SourceError::Fatal(format!(
        "outbox no longer holds the row published last (transaction {}, row {}, of {then}; the server is at timeline \
         {}): it was set back to an earlier time, by a recovery or a failover. {PUBLISH_AGAIN}",
        after.xid, after.seq, page.timeline
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use state::{OutboxMark, OutboxPlace};

    fn mark(xid: u64, seq: i64, written_at_us: i64) -> OutboxMark {
        OutboxMark { place: OutboxPlace { xid, seq }, written_at_us }
    }

    fn page(timeline: i32, newest_passed: Option<OutboxMark>) -> OutboxPage {
        OutboxPage {
            system_identifier: "7".to_owned(),
            timeline,
            newest_passed,
            next_xid: 100,
            has_foreign_rows: false,
            rows: Vec::new(),
        }
    }

    fn refused(after: &OutboxPosition, page: &OutboxPage) -> String {
        match check(Some(after), page) {
            Err(SourceError::Fatal(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_row_published_last_decides_whether_it_is_the_same_history() {
        let last = mark(50, 9, 1_000);
        let after = OutboxPosition::new(("7", 1), last);
        for going_on in [page(1, Some(last)), page(2, Some(last)), page(1, None)] {
            check(Some(&after), &going_on).expect("went on, by failover too, or was cleaned up");
        }
        let set_back = [
            page(2, Some(mark(49, 8, 990))),
            page(1, Some(mark(49, 8, 990))),
            page(2, Some(mark(50, 9, 2_000))),
            page(2, None),
        ];
        for set_back in set_back {
            let why = refused(&after, &set_back);
            assert!(why.contains("set back to an earlier time") && why.contains("gistmill reset"), "{why}");
            assert!(
                why.contains("(transaction 50, row 9, of timeline 1; the server is at timeline "),
                "{why}"
            );
        }
    }

    #[test]
    fn a_position_of_an_older_version_is_held_to_its_place() {
        let last = mark(50, 9, 1_000);
        let after =
            OutboxPosition { timeline: None, written_at_us: None, ..OutboxPosition::new(("7", 1), last) };
        check(Some(&after), &page(3, Some(last))).expect("the row is there");
        check(Some(&after), &page(3, None)).expect("cleaned up");
        assert!(refused(&after, &page(3, Some(mark(49, 1, 1)))).contains("of an unknown timeline"));
    }

    #[test]
    fn another_server_and_one_that_has_not_come_as_far_are_told_apart() {
        let after = OutboxPosition::new(("8", 1), mark(50, 9, 1_000));
        assert!(refused(&after, &page(1, None)).contains("of postgres server 8, this is server 7"));
        let after = OutboxPosition::new(("7", 1), mark(100, 9, 1_000));
        assert!(refused(&after, &page(1, None)).contains("has only come to 100"));
    }
}
