//! Chooses the most important messages that fit a limit, each with the messages it answers.
//!
//! Invariant: the limit is kept, and the choice depends on ranks and on (`sent_at`, id) only.

use schemas::ContextMessage;
use std::collections::HashMap;

/// Most ancestors that a message brings along; conversations deeper than this are cut.
const ANCESTORS_MAX: usize = 64;

/// Positions of messages, highest rank first; `messages` are in order, which breaks ties.
pub(crate) fn by_rank(messages: &[ContextMessage]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..messages.len()).collect();
    order.sort_by(|a, b| messages[*b].rank.total_cmp(&messages[*a].rank));
    order
}

/// Marks the messages chosen: by rank among those `worth_it`, with their ancestors in the window; one that does not
/// fit with its ancestors is passed over.
pub(crate) fn choose(
    messages: &[ContextMessage],
    costs: &[usize],
    limit: usize,
    worth_it: impl Fn(&ContextMessage) -> bool,
) -> Vec<bool> {
    let positions: HashMap<i64, usize> =
        messages.iter().enumerate().map(|(position, message)| (message.id, position)).collect();
    let mut chosen = vec![false; messages.len()];
    let mut left = limit;
    for position in by_rank(messages).into_iter().filter(|position| worth_it(&messages[*position])) {
        let chain = unchosen_chain(messages, &positions, &chosen, position);
        let cost: usize = chain.iter().map(|position| costs[*position]).sum();
        if cost <= left {
            left -= cost;
            for position in chain {
                chosen[position] = true;
            }
        }
    }
    chosen
}

/// A message and its ancestors up to one that is chosen already.
fn unchosen_chain(
    messages: &[ContextMessage],
    positions: &HashMap<i64, usize>,
    chosen: &[bool],
    position: usize,
) -> Vec<usize> {
    let mut chain = Vec::new();
    let mut next = Some(position);
    while let Some(position) = next {
        if chosen[position] || chain.contains(&position) || chain.len() > ANCESTORS_MAX {
            break;
        }
        chain.push(position);
        next = messages[position].reply_to.and_then(|parent| positions.get(&parent).copied());
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::said;
    use proptest::prelude::*;

    fn message(id: i64, rank: f64, reply_to: Option<i64>) -> ContextMessage {
        ContextMessage { rank, reply_to, ..said(id, "ann", "text") }
    }

    #[test]
    fn message_brings_its_ancestors() {
        let messages = [
            message(1, 0.1, None),
            message(2, 0.2, Some(1)),
            message(3, 0.9, Some(2)),
            message(4, 0.5, None),
        ];
        assert_eq!(choose(&messages, &[1; 4], 3, |_| true), [true, true, true, false]);
        assert_eq!(choose(&messages, &[1; 4], 2, |_| true), [true, false, false, true]);
        assert_eq!(choose(&messages, &[1; 4], 4, |message| message.id == 4), [false, false, false, true]);
    }

    #[test]
    fn ties_go_to_the_earlier_message_and_circles_end() {
        let messages = [message(1, 0.5, Some(2)), message(2, 0.5, Some(1)), message(3, 0.5, None)];
        assert_eq!(choose(&messages, &[1; 3], 2, |_| true), [true, true, false]);
    }

    proptest! {
        #[test]
        fn limit_is_kept(
            given in prop::collection::vec((0.0_f64..1.0, prop::option::of(0_i64..20), 0_usize..9), 0..20),
            limit in 0_usize..60,
        ) {
            let messages: Vec<_> =
                (0..).zip(&given).map(|(id, (rank, reply_to, _))| message(id, *rank, *reply_to)).collect();
            let costs: Vec<usize> = given.iter().map(|(_, _, cost)| *cost).collect();
            let chosen = choose(&messages, &costs, limit, |_| true);
            let total: usize = costs.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(cost, _)| cost).sum();
            prop_assert!(total <= limit);
        }
    }
}
