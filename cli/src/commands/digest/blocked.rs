//! Windows that have no digest, and why.

use std::{cmp::Reverse, io::Write};

use state::BlockedSummary;

use super::{day, hours};
use crate::{
    exit::Exit,
    printing::{fitted, printable},
};

/// The newest windows of a list, in its order.
pub(super) fn newest(list: Vec<BlockedSummary>, limit: u32) -> Vec<BlockedSummary> {
    let mut list: Vec<_> = list.into_iter().enumerate().collect();
    list.sort_by_key(|(at, blocked)| (Reverse(blocked.window_start), *at));
    list.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    list.sort_by_key(|(at, _)| *at);
    list.into_iter().map(|(_, blocked)| blocked).collect()
}

pub(super) fn print(
    list: &[BlockedSummary],
    (json, columns): (bool, Option<usize>),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    for blocked in list {
        if json {
            writeln!(out, "{}", serde_json::to_string(blocked)?)?;
        } else {
            writeln!(out, "{}", fitted(&line(blocked), columns))?;
        }
    }
    Ok(Exit::Done)
}

fn line(blocked: &BlockedSummary) -> String {
    let start = day(blocked.window_start);
    let hours = hours(blocked.size_hours, blocked.window_start, blocked.window_end);
    let (group, count) = (printable(&blocked.group_id), blocked.message_count);
    let reason = reason(blocked);
    format!("{start}  {hours:>2} h  {group:<16} {count:>5} msgs  {reason}")
}

/// The reason, with what it is about.
fn reason(blocked: &BlockedSummary) -> String {
    let reason = printable(&blocked.reason);
    match (blocked.missing_scopes.as_slice(), blocked.quality_score) {
        ([], Some(score)) => {
            let weak: Vec<String> = blocked.weaknesses.iter().map(|name| printable(name)).collect();
            let weak = if weak.is_empty() { String::new() } else { format!(" ({})", weak.join(", ")) };
            format!("{reason}: score {score:.2}{weak}")
        }
        ([], None) => reason,
        (scopes, _) => format!("{reason}: {}; `gistmill group set --scopes` grants it", scopes.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(group: &str, window_start: i64) -> BlockedSummary {
        BlockedSummary {
            group_id: group.to_owned(),
            window_id: "w".to_owned(),
            version: "1.0".to_owned(),
            size_hours: 24,
            window_start,
            window_end: window_start + 86_400_000,
            reason: "empty".to_owned(),
            quality_score: None,
            missing_scopes: Vec::new(),
            weaknesses: Vec::new(),
            message_count: 1,
        }
    }

    #[test]
    fn a_limit_leaves_the_newest_windows_in_the_lists_order() {
        let list = || vec![blocked("a", 1), blocked("a", 4), blocked("b", 2), blocked("b", 3)];
        let starts = |limit| newest(list(), limit).iter().map(|b| b.window_start).collect::<Vec<_>>();
        assert_eq!(
            [starts(0), starts(2), starts(3), starts(9)],
            [vec![], vec![4, 3], vec![4, 2, 3], vec![1, 4, 2, 3]]
        );
    }

    #[test]
    fn a_span_that_was_asked_for_is_as_long_as_it_is() {
        let asked = BlockedSummary { size_hours: 0, window_end: 1 + 5_400_000, ..blocked("a", 1) };
        assert_eq!(line(&asked), "1970-01-01 00:00   2 h  a                    1 msgs  empty");
    }

    #[test]
    fn a_reason_says_what_it_is_about() {
        let one = |blocked: BlockedSummary| line(&blocked);
        let start = "1970-01-01 00:00  24 h  a                    1 msgs  ";
        assert_eq!(one(blocked("a", 1)), format!("{start}empty"));
        let scope = BlockedSummary {
            reason: "missing_scope".to_owned(),
            missing_scopes: vec!["DIGEST_READ".to_owned()],
            ..blocked("a", 1)
        };
        let granted = "missing_scope: DIGEST_READ; `gistmill group set --scopes` grants it";
        assert_eq!(one(scope), format!("{start}{granted}"));
        let low =
            BlockedSummary { reason: "low_quality".to_owned(), quality_score: Some(0.4), ..blocked("a", 1) };
        assert_eq!(one(low.clone()), format!("{start}low_quality: score 0.40"));
        let weak = BlockedSummary { weaknesses: vec!["invented".to_owned(), "thin".to_owned()], ..low };
        assert_eq!(one(weak), format!("{start}low_quality: score 0.40 (invented, thin)"));
    }
}
