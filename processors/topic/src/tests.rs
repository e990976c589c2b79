//! Small windows, and the property that every segment is in exactly one topic.

use super::*;
use proptest::prelude::*;
use schemas::Segment;

fn post(id: i64, author: &str, text: &str) -> ContextMessage {
    ContextMessage { is_bot: author == "bot", ..fixtures::message(id, id * 60_000, author, text) }
}

fn segment(thread_id: i64, message_ids: &[i64]) -> Segment {
    Segment { thread_id, message_ids: message_ids.to_vec() }
}

#[test]
fn segments_of_one_subject_meet_and_are_named() {
    let messages = [
        post(1, "anna", "Таймаут шлюза растёт, таймаут шлюза уже 30 секунд"),
        post(2, "boris", "поднял таймаут шлюза"),
        post(300, "vera", "Кто заказывает пиццу на пятницу?"),
        post(301, "gleb", "пиццу заказываю я, пицца с грибами"),
        post(600, "anna", "таймаут шлюза снова вырос"),
        post(601, "bot", "build passed build passed build passed"),
    ];
    let segments =
        vec![segment(1, &[1, 2]), segment(300, &[300, 301]), segment(600, &[600]), segment(601, &[601])];
    let found = find(&messages, &Segments { segments });
    assert_eq!(found.topics[0].message_ids, [1, 2, 600]);
    assert_eq!(found.topics[0].thread_ids, [1, 600]);
    assert!(found.topics[0].label.contains("таймаут шлюза"), "{}", found.topics[0].label);
    assert_eq!(found.topics[1].message_ids, [300, 301]);
    assert!(found.topics.iter().all(|topic| !topic.keywords.iter().any(|word| word.contains("build"))));
}

#[test]
fn forum_topics_stay_apart() {
    let mut messages: Vec<_> = (1..5).map(|id| post(id, "anna", "нагрузка на базу")).collect();
    messages[2].topic_id = Some(9);
    let segments = (1..5).map(|id| segment(id, &[id])).collect();
    let found = find(&messages, &Segments { segments });
    assert_eq!(found.topics.len(), 2);
    assert_eq!(found.topics[1].message_ids, [3]);
}

#[test]
fn without_threads_or_segments_the_input_is_rejected() {
    let mut state = fixtures::state(Vec::new());
    assert_eq!(TopicFinder.run(&mut state).unwrap_err().reason, "missing_artifact");
    state.threads = Some(schemas::Threads::default());
    assert_eq!(TopicFinder.run(&mut state).unwrap_err().reason, "missing_artifact");
    state.segments = Some(Segments::default());
    assert!(TopicFinder.run(&mut state).is_ok());
    assert_eq!(state.topics, Some(Topics::default()));
}

proptest! {
    #[test]
    fn every_segment_is_in_one_topic(
        posts in proptest::collection::vec(("[a-c]?", "\\PC{0,20}", proptest::option::of(0_i64..2)), 0..30),
    ) {
        let messages: Vec<_> = posts.iter().enumerate().map(|(id, (author, text, topic_id))| {
            ContextMessage { topic_id: *topic_id, ..post(id as i64, author, text) }
        }).collect();
        let ids: Vec<i64> = messages.iter().map(|message| message.id).collect();
        let segments: Vec<Segment> = ids.chunks(3).map(|chunk| segment(chunk[0], chunk)).collect();
        let found = find(&messages, &Segments { segments: segments.clone() });
        let mut covered: Vec<i32> = found.topics.iter().flat_map(|topic| topic.segment_ids.clone()).collect();
        covered.sort_unstable();
        prop_assert_eq!(covered, (0..segments.len() as i32).collect::<Vec<_>>());
        let mut seen: Vec<i64> = found.topics.iter().flat_map(|topic| topic.message_ids.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, ids);
    }
}
