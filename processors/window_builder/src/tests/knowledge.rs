//! Reports that know more or less of a message, and which topic it belongs to, one case a rule.

use super::*;

fn of_topic(id: i64, topic_id: Option<i64>, reply_to: Option<i64>) -> Message {
    Message { topic_id, reply_to, ..message(id, START + id * MINUTE) }
}

fn next_day(message: Message) -> Message {
    Message { sent_at: message.sent_at + DAY, ..message }
}

fn range(lane: &str, topics: &[i64], messages: &[Message]) -> [GroupMessageIngested; 2] {
    let told = GroupMessageIngested { topics: topics.to_vec(), ..record(lane, messages.to_vec()) };
    [told, complete(lane, END_OF_LANE)]
}

/// Topic 1, and a message of each day in it.
fn whole(lane: &str) -> [GroupMessageIngested; 2] {
    let days = [
        of_topic(10, Some(1), None),
        next_day(of_topic(40, Some(1), None)),
        next_day(of_topic(41, Some(1), Some(40))),
    ];
    range(lane, &[1], &days)
}

/// The first day of it.
fn first(lane: &str) -> [GroupMessageIngested; 2] {
    range(lane, &[1], &[of_topic(10, Some(1), None)])
}

/// All of it, without the creation of the topic.
fn later(lane: &str) -> [GroupMessageIngested; 2] {
    let days = [
        of_topic(10, None, Some(1)),
        next_day(of_topic(40, None, Some(1))),
        next_day(of_topic(41, None, Some(40))),
    ];
    range(lane, &[], &days)
}

#[test]
fn a_later_range_that_knows_less_changes_nothing() {
    let records = [whole("a"), later("b"), first("c")].concat();
    assert_eq!(told(records)[2..], ["drop duplicate"; 4]);
    let records = [first("a"), later("b"), whole("c")].concat();
    let expected = ["", "r1 a 1@0", "", "r1 b 2@2", "drop duplicate", "drop duplicate"];
    assert_eq!(told(records), expected, "the reply chain leads to the topic that is known");
}

#[test]
fn the_range_with_the_topic_revises_the_windows_of_all_its_messages() {
    let records = [later("a"), first("b"), whole("c")].concat();
    let expected = ["r1 a 1@0", "r1 a 2@0", "", "r2 b 1@2, r2 b 2@2", "drop duplicate", "drop duplicate"];
    assert_eq!(told(records), expected);
}

#[test]
fn a_topic_alone_is_told_once() {
    let topics =
        |topics: &[i64]| GroupMessageIngested { topics: topics.to_vec(), ..record("live", Vec::new()) };
    let reply = record("live", vec![of_topic(10, None, Some(1))]);
    let records = vec![
        reply,
        complete("live", START + DAY),
        topics(&[2]),
        topics(&[1, 2]),
        topics(&[1]),
        complete("live", START + 2 * DAY),
    ];
    assert_eq!(told(records), ["", "r1 live 1@0", "", "", "drop duplicate", "r2 live 1@3"]);
}

/// Reports of six messages, each with a part of what is known of it.
fn reports() -> impl Strategy<Value = Vec<Message>> {
    let part = (0..6_i64, any::<[bool; 5]>());
    prop::collection::vec(part, 1..20).prop_map(|parts| {
        let report = |(id, [author, text, reply, topic, edited]): (i64, [bool; 5])| {
            let whole = message(id, START);
            Message {
                author: whole.author.clone().filter(|_| author),
                text: if text { "text".to_owned() } else { String::new() },
                // 1 and 2 are written in the topic 100, the next ones answer them, the last answers nobody in it.
                reply_to: [Some(100), Some(100), Some(0), Some(1), Some(2), Some(50)][id as usize]
                    .filter(|_| reply),
                topic_id: Some(100).filter(|_| topic && id < 2),
                revision: i64::from(edited),
                ..whole
            }
        };
        parts.into_iter().map(report).collect()
    })
}

/// What the only window of a log is in the end.
fn in_the_end(reports: &[Message], topic_at: usize) -> (usize, u128) {
    let (fold, mut state) = (WindowBuilder::default(), GroupState::default());
    for (offset, report) in reports.iter().enumerate() {
        let topics = if offset == topic_at { vec![100] } else { Vec::new() };
        let value = GroupMessageIngested { topics, ..record("a", vec![report.clone()]) };
        fold.step(&mut state, &event(value, offset as i64)).expect("a record");
    }
    let window = state.shelves[0].window(START).expect("a window");
    let summary = window.entries.summary();
    (summary.messages, summary.digest)
}

proptest! {
    #[test]
    fn in_any_order_the_same_is_known_in_the_end(
        (reports, shuffled) in reports().prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle())),
        topic_at in 0..20_usize,
    ) {
        let last = reports.len() - 1;
        prop_assert_eq!(in_the_end(&reports, last), in_the_end(&shuffled, topic_at.min(last)));
    }
}
