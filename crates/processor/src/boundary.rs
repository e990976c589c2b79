//! Boundary integrity: what a stage is handed is of one tenant, one group and one window.
//!
//! Invariant: checked before every stage runs; a context across a boundary is a dead letter, never a digest.

use crate::{Reject, StageInput};
use schemas::{ContextMessage, DigestState};
use std::collections::BTreeSet;

/// Reason of the rejection, as a metric label.
pub const BOUNDARY_VIOLATION: &str = "boundary_violation";

/// Checks a stage's input before the stage runs: the window's id is that of its tenant, group, size and start; every
/// message was sent within the window, once, in order; there are no more of them than the window counts; what earlier
/// stages found speaks of these messages alone; and, before the first stage, no text or name holds what is masked as
/// personal. The later ones get what the first one passed on.
pub fn check_boundary_integrity<I: StageInput>(input: &I, state: &DigestState) -> Result<(), Reject> {
    let violation = |detail: String| Err(Reject::new(BOUNDARY_VIOLATION, detail));
    let window = &state.window;
    let own = window.id(input.tenant_id(), input.group_id());
    if own != input.window_id() {
        return violation(format!(
            "window {} is not that of tenant {:?}, group {:?}, {} h from {}",
            input.window_id(),
            input.tenant_id(),
            input.group_id(),
            window.size_hours,
            window.window_start
        ));
    }
    let mut ids = BTreeSet::new();
    let mut before = (i64::MIN, i64::MIN);
    for message in &state.messages {
        let at = (message.sent_at, message.id);
        if !(window.window_start..window.window_end).contains(&message.sent_at) {
            let (start, end) = (window.window_start, window.window_end);
            return violation(format!(
                "message {} was sent at {}, outside {start}..{end}",
                message.id, message.sent_at
            ));
        }
        if !ids.insert(message.id) || at < before {
            return violation(format!("message {} is repeated or out of order", message.id));
        }
        before = at;
    }
    let counted = usize::try_from(window.message_count).unwrap_or_default();
    if ids.len() > counted {
        return violation(format!("{} messages in a window of {counted}", ids.len()));
    }
    let personal = |message: &&ContextMessage| {
        [&message.text, &message.author_name].into_iter().any(|text| !text::pii::find(text).is_empty())
    };
    if let Some(message) = state.messages.iter().filter(|_| state.runs.is_empty()).find(personal) {
        return violation(format!("message {} holds personal data that was not masked", message.id));
    }
    let threads = state.threads.iter().flat_map(|threads| &threads.threads);
    let topics = state.topics.iter().flat_map(|topics| &topics.topics);
    let cited =
        threads.flat_map(|thread| &thread.message_ids).chain(topics.flat_map(|topic| &topic.message_ids));
    match cited.into_iter().find(|id| !ids.contains(id)) {
        Some(id) => violation(format!("an earlier stage cites message {id}, which is not in the window")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{DigestContextPrepared, GroupSettings, Thread, Threads, WindowRef, window_id};

    const HOUR_MS: i64 = 3_600_000;

    fn message(id: i64, hour: i64) -> ContextMessage {
        ContextMessage::plain(id, hour * HOUR_MS, "Ann", "some words")
    }

    fn prepared(messages: Vec<ContextMessage>) -> DigestContextPrepared {
        let window = WindowRef {
            size_hours: 24,
            window_start: 0,
            window_end: 24 * HOUR_MS,
            revision: 1,
            lane: "live".to_owned(),
            message_count: messages.len() as i32,
            participant_count: 1,
            settings: GroupSettings::default(),
            source_partition: 0,
            source_offset: 0,
        };
        DigestContextPrepared {
            tenant_id: "t".to_owned(),
            group_id: "g".to_owned(),
            window_id: window_id("t", "g", 24, 0),
            version: "1.0".to_owned(),
            trace_id: "0".repeat(32),
            window,
            delivery_channel: "file".to_owned(),
            language: "en".to_owned(),
            message_total: messages.len() as i32,
            duplicates_removed: 0,
            top_ranked: Vec::new(),
            stats: std::collections::BTreeMap::new(),
            messages,
            history: "unavailable".to_owned(),
            history_matches: Vec::new(),
        }
    }

    fn checked(input: &DigestContextPrepared, change: impl Fn(&mut DigestState)) -> Result<(), String> {
        let mut state = input.state();
        change(&mut state);
        check_boundary_integrity(input, &state).map_err(|reject| {
            assert_eq!(reject.reason, BOUNDARY_VIOLATION);
            reject.detail
        })
    }

    #[test]
    fn a_whole_window_passes() {
        assert_eq!(checked(&prepared(vec![message(1, 0), message(2, 5), message(3, 5)]), |_| ()), Ok(()));
    }

    #[test]
    fn another_tenant_group_or_window_does_not() {
        let input = prepared(vec![message(1, 0)]);
        for foreign in [
            DigestContextPrepared { tenant_id: "other".to_owned(), ..input.clone() },
            DigestContextPrepared { group_id: "other".to_owned(), ..input.clone() },
            DigestContextPrepared { window_id: window_id("t", "g", 24, HOUR_MS), ..input.clone() },
        ] {
            assert!(checked(&foreign, |_| ()).is_err_and(|why| why.starts_with("window ")));
        }
    }

    #[test]
    fn a_window_that_was_asked_for_passes_under_its_own_id_alone() {
        let mut input = prepared(vec![message(1, 0)]);
        input.window.size_hours = schemas::ASKED_SIZE_HOURS;
        assert!(checked(&input, |_| ()).is_err_and(|why| why.starts_with("window ")));
        input.window_id = input.window.id("t", "g");
        assert_eq!(checked(&input, |_| ()), Ok(()));
    }

    #[test]
    fn messages_of_other_windows_do_not() {
        for messages in [
            vec![message(1, 24)],
            vec![message(1, -1)],
            vec![message(1, 3), message(1, 4)],
            vec![message(1, 4), message(2, 3)],
        ] {
            assert!(checked(&prepared(messages), |_| ()).is_err_and(|why| why.starts_with("message ")));
        }
    }

    #[test]
    fn more_messages_than_the_window_counts_do_not() {
        let mut input = prepared(vec![message(1, 0), message(2, 1)]);
        input.window.message_count = 1;
        assert_eq!(checked(&input, |_| ()), Err("2 messages in a window of 1".to_owned()));
    }

    #[test]
    fn what_was_not_masked_does_not() {
        let ask = ContextMessage::plain(7, HOUR_MS, "Ann", "write to ann@mail.example, please");
        let input = prepared(vec![message(1, 0), ask]);
        let why = "message 7 holds personal data that was not masked";
        assert_eq!(checked(&input, |_| ()), Err(why.to_owned()));
        let named = ContextMessage::plain(7, HOUR_MS, "ann@mail.example", "hello");
        assert_eq!(checked(&prepared(vec![named]), |_| ()), Err(why.to_owned()));
        let masked = |state: &mut DigestState| {
            let text = text::pii::mask(&state.messages[1].text).into_owned();
            state.messages[1].text = text;
        };
        assert_eq!(checked(&input, masked), Ok(()));
    }

    #[test]
    fn artifacts_of_other_windows_do_not() {
        let input = prepared(vec![message(1, 0)]);
        let of = |ids: &[i64]| Threads {
            links: Vec::new(),
            threads: vec![Thread { thread_id: 1, message_ids: ids.to_vec() }],
        };
        assert_eq!(checked(&input, |state| state.threads = Some(of(&[1]))), Ok(()));
        assert!(
            checked(&input, |state| state.threads = Some(of(&[1, 9])))
                .is_err_and(|why| why.contains("message 9"))
        );
    }
}
