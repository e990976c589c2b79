//! The happy path: what the generator counted is what comes out, once.

use crate::undisturbed::undisturbed;
use std::collections::{BTreeMap, BTreeSet};
use tests::assert_once;

#[test]
fn every_window_of_the_oracle_is_ready_once_with_its_counts() {
    let Some(run) = undisturbed() else { return };
    let expected: BTreeMap<(String, i64), (i32, i32)> = run
        .chats
        .iter()
        .flat_map(|chat| chat.days.iter().map(move |(start, day)| (chat, *start, day)))
        .map(|(chat, start, day)| {
            ((chat.group.clone(), start), (day.ids.len() as i32, day.people.len() as i32))
        })
        .collect();
    let found: BTreeMap<(String, i64), (i32, i32)> = run
        .windows
        .iter()
        .map(|ready| {
            ((ready.group_id.clone(), ready.window_start), (ready.message_count, ready.participant_count))
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(run.windows.len(), expected.len(), "one revision each");
}

#[test]
fn every_large_enough_day_is_digested_persisted_and_delivered_once() {
    let Some(run) = undisturbed() else { return };
    let expected: BTreeSet<(String, i64)> = run
        .chats
        .iter()
        .flat_map(|chat| chat.digested().map(move |(start, _)| (chat.group.clone(), *start)))
        .collect();
    let ready: BTreeSet<(String, i64)> =
        run.ready.iter().map(|ready| (ready.group_id.clone(), ready.window.window_start)).collect();
    assert_eq!(ready, expected);
    let ids: BTreeSet<&str> = run.ready.iter().map(|ready| ready.digest_id.as_str()).collect();
    let persisted: Vec<&str> = run.persisted.iter().map(|persisted| persisted.digest_id.as_str()).collect();
    let delivered: Vec<&str> = run.delivered.iter().map(|delivered| delivered.digest_id.as_str()).collect();
    assert_eq!((persisted.len(), delivered.len(), run.ready.len()), (ids.len(), ids.len(), ids.len()));
    assert_eq!(persisted.into_iter().collect::<BTreeSet<_>>(), ids);
    assert_eq!(delivered.into_iter().collect::<BTreeSet<_>>(), ids);
    assert!(
        run.delivered.iter().all(|delivered| delivered.status == "success" && delivered.channel == "file")
    );
    let small = run.chats.iter().map(|chat| chat.days.len()).sum::<usize>() - expected.len();
    assert_eq!((run.blocked.len(), small > 0), (small, true));
    assert_eq!(run.digest_rows, ids.len() as i64);
    assert_eq!(run.export.lines().count(), ids.len());
    // Markdown and JSON.
    assert_eq!(run.files.len(), 2 * ids.len(), "{:?}", run.files);
}

#[test]
fn every_citation_is_a_message_of_its_window() {
    let Some(run) = undisturbed() else { return };
    let windows: BTreeMap<&str, BTreeSet<i64>> = run
        .contexts
        .iter()
        .map(|context| {
            (context.window_id.as_str(), context.messages.iter().map(|message| message.id).collect())
        })
        .collect();
    let mut cited = 0;
    for ready in &run.ready {
        let day = run.chats.iter().find(|chat| chat.group == ready.group_id).expect("a chat of the test");
        let day = &day.days[&ready.window.window_start];
        assert_eq!(windows[ready.window_id.as_str()], day.ids, "the context holds the window");
        for id in ready.delivery_payload.citations().flatten() {
            assert!(day.ids.contains(id), "{} cites {id}", ready.digest_id);
            cited += 1;
        }
    }
    assert!(cited > run.ready.len(), "digests cite: {cited}");
}

#[test]
fn every_state_of_a_message_is_kept_once() {
    let Some(run) = undisturbed() else { return };
    let states: usize = run.chats.iter().map(|chat| chat.states.len()).sum();
    assert_eq!(run.message_rows, states as i64);
}

#[test]
fn every_event_comes_once_on_its_topic() {
    let Some(run) = undisturbed() else { return };
    assert_once(&run.seen);
}
