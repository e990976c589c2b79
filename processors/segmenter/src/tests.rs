//! Small threads, and the property that segments cover their threads.

use super::*;
use proptest::prelude::*;
use schemas::Thread;

fn post(id: i64, author: &str, minute: i64, text: &str) -> ContextMessage {
    fixtures::message(id, minute * 60_000, author, text)
}

fn one_thread(messages: &[ContextMessage]) -> Threads {
    let message_ids = messages.iter().map(|message| message.id).collect();
    Threads { links: Vec::new(), threads: vec![Thread { thread_id: messages[0].id, message_ids }] }
}

#[test]
fn a_change_of_subject_cuts() {
    let lines = [
        ("anna", "the gateway timeout is too low, requests fail"),
        ("boris", "which gateway, the payment one? its timeout is 5 seconds"),
        ("anna", "yes, the payment gateway; raise the timeout to 30 seconds"),
        ("boris", "done, the gateway timeout is 30 seconds now, thanks"),
        ("vera", "By the way, who orders pizza for the party on Friday?"),
        ("gleb", "I order pizza, mushrooms or pepperoni for the party?"),
        ("vera", "pepperoni pizza, and juice for the party"),
        ("gleb", "ok, pepperoni pizza and juice"),
    ];
    let messages: Vec<_> = (0_i64..).zip(lines).map(|(at, (who, text))| post(at, who, at, text)).collect();
    let found = segment(&messages, &one_thread(&messages));
    let cuts: Vec<_> = found.segments.iter().map(|segment| segment.message_ids.clone()).collect();
    assert_eq!(cuts, [vec![0, 1, 2, 3], vec![4, 5, 6, 7]]);
}

#[test]
fn half_a_day_of_silence_cuts() {
    let messages =
        [post(1, "a", 0, "деплой"), post(2, "b", 1, "деплой идёт"), post(3, "a", 900, "деплой готов")];
    let found = segment(&messages, &one_thread(&messages));
    assert_eq!(found.segments.len(), 2);
    assert_eq!(found.segments[1].message_ids, [3]);
}

#[test]
fn a_pair_is_one_segment() {
    let messages = [post(1, "a", 0, "кто дежурит?"), post(2, "b", 1, "пицца едет")];
    assert_eq!(segment(&messages, &one_thread(&messages)).segments.len(), 1);
}

#[test]
fn without_threads_the_input_is_rejected() {
    let mut state = fixtures::state(Vec::new());
    assert_eq!(Segmenter.run(&mut state).unwrap_err().reason, "missing_artifact");
    state.threads = Some(Threads::default());
    assert!(Segmenter.run(&mut state).is_ok());
    assert_eq!(state.segments, Some(Segments::default()));
}

proptest! {
    #[test]
    fn segments_cover_their_threads(
        posts in proptest::collection::vec(("[a-c]?", any::<i32>(), "\\PC{0,30}"), 1..40),
        width in 1_usize..9,
    ) {
        let messages: Vec<_> = (0_i64..).zip(&posts)
            .map(|(id, (who, minute, text))| post(id, who, i64::from(*minute), text)).collect();
        let ids: Vec<i64> = messages.iter().map(|message| message.id).collect();
        let threads = ids.chunks(width).map(|ids| Thread { thread_id: ids[0], message_ids: ids.to_vec() });
        let threads = Threads { links: Vec::new(), threads: threads.collect() };
        let found = segment(&messages, &threads);
        for thread in &threads.threads {
            let parts = found.segments.iter().filter(|segment| segment.thread_id == thread.thread_id);
            let mut covered: Vec<i64> = parts.flat_map(|segment| segment.message_ids.clone()).collect();
            covered.sort_unstable();
            prop_assert_eq!(&covered, &thread.message_ids);
        }
    }
}
