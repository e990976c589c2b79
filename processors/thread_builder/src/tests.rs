//! Tables of small windows, and the property that output covers exactly the ids of the window.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn post(id: i64, author: &str, seconds: i64, text: &str) -> ContextMessage {
    fixtures::message(id, seconds * 1000, author, text)
}

fn parent_of(threads: &Threads, id: i64) -> Option<i64> {
    threads.links.iter().find(|link| link.id == id).map(|link| link.parent)
}

#[test]
fn a_native_reply_is_certain() {
    let mut messages = vec![
        post(1, "Anna", 0, "кто смотрит падение сборки?"),
        post(2, "Boris", 5, "обед в час?"),
        post(3, "Vera", 9, "я смотрю"),
    ];
    messages[2].reply_to = Some(1);
    let threads = build(&messages);
    let link = threads.links.iter().find(|link| link.id == 3).unwrap();
    assert_eq!((link.parent, link.score.to_bits()), (1, 1.0_f64.to_bits()));
}

#[test]
fn a_name_leads_to_its_owner() {
    let mut messages = vec![
        post(1, "anna_k", 0, "how do I mount a second disk?"),
        post(2, "boris7", 20, "my sound card stopped working after the upgrade"),
        post(3, "vera_x", 40, "anna_k: add it to fstab"),
        post(4, "vera_x", 60, "boris7: which kernel do you run?"),
        post(5, "boris7", 80, "vera_x: the newest one"),
    ];
    messages.extend((6..12).map(|id| post(id, "anna_k", 90 + id, "vera_x: thanks")));
    let threads = build(&messages);
    assert_eq!(parent_of(&threads, 3), Some(1));
    assert_eq!(parent_of(&threads, 4), Some(2));
    assert_eq!(parent_of(&threads, 5), Some(4));
}

#[test]
fn answers_to_one_message_before_the_window_are_one_thread() {
    let mut messages = vec![post(1, "Anna", 0, "да"), post(2, "Boris", 9, "тоже да")];
    for message in &mut messages {
        message.reply_to = Some(-5);
    }
    let threads = build(&messages);
    assert_eq!(threads.threads, [Thread { thread_id: 1, message_ids: vec![1, 2] }]);
}

#[test]
fn forum_topics_never_mix() {
    let mut messages: Vec<_> = (1..9).map(|id| post(id, "Anna", id, "нагрузка растёт")).collect();
    for message in &mut messages {
        message.topic_id = Some(100 + message.id % 2);
        // A reply to the topic's root is how a messenger marks the topic, not an answer.
        message.reply_to = message.topic_id;
    }
    for thread in build(&messages).threads {
        assert!(thread.message_ids.iter().all(|id| id % 2 == thread.thread_id % 2));
    }
}

const SUBJECTS: [&str; 6] = ["крышу", "насос", "сервер", "отпуск", "договор", "обед"];

/// Six talks of five messages by the same three people, about two minutes apart, with 40 minutes from start to start.
fn bursts(bot_before_each: bool) -> Vec<ContextMessage> {
    let said = |at: i64| {
        let (talk, place) = ((at / 5) as usize, (at % 5) as usize);
        let text = if place == 0 {
            format!("кто знает, что решили про {}?", SUBJECTS[talk])
        } else {
            "так и было".to_owned()
        };
        let seconds = at / 5 * 2400 + [0, 110, 200, 330, 420][place];
        post(at, ["Anna", "Boris", "Vera"][place % 3], seconds, &text)
    };
    let notice = |at: i64| {
        let seconds = said(at).sent_at / 1000 - 60;
        ContextMessage { is_bot: true, ..post(100 + at, "CI", seconds, "сборка готова") }
    };
    let bots = (0..30).filter(|at| bot_before_each && at % 5 == 0).map(notice);
    (0..30).map(said).chain(bots).collect()
}

#[test]
fn a_silence_beyond_the_rhythm_of_the_window_starts_a_thread() {
    for bot_before_each in [false, true] {
        for thread in build(&bursts(bot_before_each)).threads {
            let people = thread.message_ids.iter().filter(|&&id| id < 100);
            let talks: BTreeSet<i64> = people.map(|id| id / 5).collect();
            assert!(talks.len() <= 1, "{:?}", thread.message_ids);
        }
    }
}

#[test]
fn an_answer_after_a_silence_stays_an_answer() {
    let mut messages = bursts(false);
    messages[25].reply_to = Some(22);
    assert_eq!(parent_of(&build(&messages), 25), Some(22));
}

#[test]
fn an_empty_window_has_no_threads() {
    assert_eq!(build(&[]), Threads::default());
}

prop_compose! {
    fn any_message()(
        id in 0_i64..30,
        author in "[a-c]{0,2}",
        sent_at in prop_oneof![Just(i64::MIN), Just(i64::MAX), 0_i64..1_000_000],
        text in "\\PC{0,24}",
        reply_to in proptest::option::of(-3_i64..30),
        topic_id in proptest::option::of(0_i64..3),
    ) -> ContextMessage {
        ContextMessage { sent_at, reply_to, topic_id, ..post(id, &author, 0, &text) }
    }
}

proptest! {
    #[test]
    fn threads_cover_the_window(messages in proptest::collection::vec(any_message(), 0..40)) {
        let threads = build(&messages);
        let mut expected: Vec<i64> = messages.iter().map(|message| message.id).collect();
        expected.sort_unstable();
        expected.dedup();
        let mut found: Vec<i64> = threads.threads.iter().flat_map(|thread| thread.message_ids.clone()).collect();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
        prop_assert!(threads.links.iter().all(|link| (0.0..=1.0).contains(&link.score) && link.id != link.parent));
        prop_assert_eq!(&build(&messages), &threads);
    }
}
