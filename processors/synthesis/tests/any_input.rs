//! No decoded input makes the stage panic, cite what is not there, or differ between runs.

use proptest::prelude::*;
use schemas::{
    ContextMessage, DigestState, Emotions, MessageEmotion, ReplyLink, Thread, Threads, Topic, Topics,
};
use std::collections::BTreeSet;
use synthesis::{Memory, Synthesis};

fn message() -> impl Strategy<Value = ContextMessage> {
    let phrases = prop::sample::select(vec![
        "I'll send it by Friday",
        "Решили: берём машину, 16 апреля",
        "кто-нибудь знает, где ключ?",
        "ok 👍",
        "@ann can you do it please?",
        "let's go with 10:00 then",
        "",
    ]);
    let text = prop_oneof![any::<String>(), "\\PC{0,300}", phrases.prop_map(str::to_owned)];
    let ids = (-3..12_i64, any::<i64>(), proptest::option::of(-3..12_i64), proptest::option::of(-3..12_i64));
    (ids, text, "[ab:]{0,2}", any::<bool>()).prop_map(
        |((id, sent_at, reply_to, duplicate_of), text, author, is_bot)| ContextMessage {
            is_bot,
            reply_to,
            links: vec![text.clone()],
            reactions: 3,
            rank: f64::NAN,
            in_budget: false,
            duplicate_of,
            ..fixtures::message(id, sent_at, &author, &text)
        },
    )
}

fn state(messages: Vec<ContextMessage>, threads: Vec<Vec<i64>>) -> DigestState {
    let topic = |(topic_id, ids): (usize, &Vec<i64>)| Topic {
        topic_id: topic_id as i32,
        label: "label".to_owned(),
        keywords: Vec::new(),
        segment_ids: vec![99],
        thread_ids: ids.clone(),
        message_ids: ids.clone(),
    };
    let emotion = |id: &i64| MessageEmotion { id: *id, label: "odd".to_owned(), score: f64::NAN };
    DigestState {
        language: "ru".to_owned(),
        topics: Some(Topics { topics: threads.iter().enumerate().map(topic).collect() }),
        emotions: Some(Emotions {
            messages: threads.iter().flatten().map(emotion).collect(),
            ..Emotions::default()
        }),
        threads: Some(Threads {
            links: vec![ReplyLink { id: 1, parent: 77, score: 0.5 }],
            threads: threads.into_iter().map(|ids| Thread { thread_id: 5, message_ids: ids }).collect(),
        }),
        ..fixtures::state(messages)
    }
}

proptest! {
    #[test]
    fn no_input_panics_and_every_citation_exists(
        messages in prop::collection::vec(message(), 0..14),
        threads in prop::collection::vec(prop::collection::vec(-4..14_i64, 0..6), 0..4),
    ) {
        let mut state = state(messages, threads);
        let mut again = state.clone();
        let report = Synthesis::default().add(&mut Memory::default(), &mut state);
        prop_assert!(report.quality_metrics.values().all(|value| value.is_finite()));
        let digest = state.digest.as_ref().expect("a digest");
        let known: BTreeSet<i64> = state.messages.iter().map(|message| message.id).collect();
        prop_assert!(digest.citations().flatten().all(|id| known.contains(id)));
        prop_assert!((0.0..=1.0).contains(&digest.quality.score));
        Synthesis::default().add(&mut Memory::default(), &mut again);
        prop_assert_eq!(state.digest, again.digest);
    }
}
