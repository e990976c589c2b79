//! What states of messages add up to, and what comes back from bytes.

use super::*;
use proptest::prelude::*;

fn entry() -> impl Strategy<Value = Entry> {
    (prop_oneof![0_i64..12, any::<i64>()], 0_i64..4, 0_u32..3, any::<bool>(), any::<u8>()).prop_map(
        |(id, revision, author, deleted, known)| {
            let known = Known::from_bits(known);
            Entry { id, revision, author, deleted, known, is_by_name: false, answers: id.wrapping_sub(3) }
        },
    )
}

/// What most messages are.
fn original(id: i64) -> Entry {
    Entry { id, revision: 0, author: 0, deleted: false, known: MOST, is_by_name: false, answers: id - 3 }
}

fn filled(states: &[Entry]) -> Entries {
    let mut entries = Entries::default();
    for state in states {
        entries.apply(*state, &Topics::default());
    }
    entries
}

fn bytes(entries: &Entries) -> Vec<u8> {
    let mut writer = Writer::default();
    entries.encode(&mut writer, 2);
    writer.finish()
}

proptest! {
    #[test]
    fn newest_state_of_each_id_is_kept_and_comes_back(states in prop::collection::vec(entry(), 0..40)) {
        let entries = filled(&states);
        let mut expected: BTreeMap<i64, (bool, i64)> = BTreeMap::new();
        for state in &states {
            let rank = if state.deleted { (true, 0) } else { (false, state.revision) };
            expected.entry(state.id).and_modify(|known| *known = rank.max(*known)).or_insert(rank);
        }
        let kept: BTreeMap<_, _> =
            entries.ordered().iter().map(|entry| (entry.id, (entry.deleted, entry.revision))).collect();
        prop_assert_eq!(kept, expected);
        let written = bytes(&entries);
        let mut reader = Reader(&written);
        let read = Entries::decode(&mut reader, 2).expect("own bytes");
        prop_assert!(reader.is_empty());
        prop_assert_eq!(read.answered(), entries.answered_now());
        let told = |entries: &Entries| {
            let entries = entries.ordered();
            entries.iter().map(|entry| (Entry { answers: 0, ..*entry }, entry.unplaced())).collect::<Vec<_>>()
        };
        prop_assert_eq!(told(&read), told(&entries));
    }

    #[test]
    fn summary_and_bytes_do_not_depend_on_order(
        states in prop::collection::vec(entry(), 0..40),
        seed: u64,
    ) {
        let states: Vec<_> = states.into_iter().map(|state| Entry { author: 1, ..state }).collect();
        let mut other = states.clone();
        other.sort_by_key(|state| mix(seed ^ state.id as u64 ^ (state.revision as u64) << 40));
        let (first, second) = (filled(&states), filled(&other));
        prop_assert_eq!(first.summary(), second.summary());
        prop_assert_eq!(bytes(&first), bytes(&second));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let _ = Entries::decode(&mut Reader(&bytes), 0);
    }
}

#[test]
fn deleted_messages_and_their_authors_do_not_count() {
    let state = |id, author, deleted| Entry { id, author, deleted, ..original(id) };
    let entries = filled(&[state(1, 1, false), state(2, 2, false), state(3, 0, false), state(2, 0, true)]);
    let summary = entries.summary();
    assert_eq!((summary.messages, summary.participants), (3 - 1, 1));
    assert_eq!(summary.digest, filled(&[state(1, 9, false), state(3, 0, false)]).summary().digest);
    assert_ne!(summary.digest, filled(&[state(1, 9, false)]).summary().digest);
}

#[test]
fn message_of_a_busy_window_packs_into_two_bytes() {
    let states: Vec<_> =
        (0..10_000).map(|n| Entry { author: 1 + n as u32 / 2 % 50, ..original(1_000_000 + n) }).collect();
    assert!(bytes(&filled(&states)).len() <= 20_000);
}

#[test]
fn reply_outside_topics_takes_two_or_three_bytes_more() {
    let reply = |n: i64| Entry { known: MOST | Known::REPLY, ..original(1_000_000 + n) };
    let states: Vec<_> =
        (0..10_000).map(|n| if n % 3 == 0 { reply(n) } else { original(1_000_000 + n) }).collect();
    assert!(bytes(&filled(&states)).len() <= 10_000 * 2 + 3_334 * 3);
}

#[test]
fn another_value_is_no_news_and_growth_is() {
    let mut entries = Entries::default();
    let mut told = |known, author, revision| {
        entries.apply(Entry { revision, author, known, ..original(7) }, &Topics::default())
    };
    assert!(told(Known::TEXT, 0, 0));
    assert!(!told(Known::TEXT, 0, 0));
    assert!(told(Known::NAME, 1, 0), "an author");
    assert!(!told(Known::NOTHING, 0, 0), "less");
    assert!(!told(Known::TEXT, 2, 0), "another author");
    assert!(told(Known::TEXT | Known::MEDIA, 2, 0), "an attachment");
    assert!(told(Known::NOTHING, 2, 1), "an edit, which may take away");
    assert!(!told(Known::MEDIA, 2, 0), "of before the edit");
    assert!(told(Known::REPLY, 2, 0), "whom it answers is the message's, whatever the revision");
    assert!(told(Known::TOPIC, 2, 0), "and so is its topic");
    assert_eq!(entries.ordered()[0], Entry { known: Known::PLACE, author: 2, revision: 1, ..original(7) });
}

#[test]
fn answers_are_placed_and_those_who_answer_a_topic_answer_nobody() {
    let mut entries = Entries::default();
    let mut topics = Topics::default();
    let reply = |id, answers| Entry { known: Known::REPLY, answers, ..original(id) };
    for entry in [reply(10, 1), reply(11, 10), reply(12, 2)] {
        entries.apply(entry, &topics);
    }
    topics.create(1);
    assert_eq!(entries.place_answers(&BTreeSet::from([1]), &topics), [10]);
    assert_eq!(entries.place_answers(&BTreeSet::from([10]), &topics), [11]);
    assert!(entries.place_answers(&BTreeSet::from([1, 10]), &topics).is_empty());
    let known: Vec<_> = entries.ordered().iter().map(|entry| entry.known).collect();
    assert_eq!(known, [Known::TOPIC, Known::REPLY | Known::TOPIC, Known::REPLY]);
    assert_eq!((entries.answered(), entries.answered_now()), (Some(1..=10), Some(2..=2)));
}
