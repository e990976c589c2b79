//! Windows that have no digest, and why.

use std::{cmp::Reverse, io::Write};

use state::BlockedSummary;

use super::day;
use crate::exit::Exit;

/// The newest windows of a list, in its order.
pub(super) fn newest(list: Vec<BlockedSummary>, limit: u32) -> Vec<BlockedSummary> {
    let mut list: Vec<_> = list.into_iter().enumerate().collect();
    list.sort_by_key(|(at, blocked)| (Reverse(blocked.window_start), *at));
    list.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    list.sort_by_key(|(at, _)| *at);
    list.into_iter().map(|(_, blocked)| blocked).collect()
}

pub(super) fn print(list: &[BlockedSummary], json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    for blocked in list {
        if json {
            writeln!(out, "{}", serde_json::to_string(blocked)?)?;
        } else {
            let (start, hours, group) = (day(blocked.window_start), blocked.size_hours, &blocked.group_id);
            writeln!(
                out,
                "{start}  {hours:>2} h  {group:<16} {:>5} msgs  {}",
                blocked.message_count, blocked.reason
            )?;
        }
    }
    Ok(Exit::Done)
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
}
