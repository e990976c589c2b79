//! Dead letters of the last day: nothing stands still for them, so that nobody hears of them otherwise.

use super::{
    COUNT_OFFSETS_MAX, Check, DeadLetter, Error, Level, Peers,
    dead_letters::{TOPIC, read},
};
use runtime::{
    Config,
    observe::{Broker, Scanner, Span},
};
use schemas::Decoder;
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

const NAME: &str = "dead letters";
const DAY_MS: i64 = 24 * 3_600 * 1_000;

pub(super) fn check(config: &Config, peers: &Peers, broker: &Broker<'_>) -> Check {
    match of_the_day(config, peers, broker) {
        Ok((count, is_all, last)) => judged(count, is_all, last.as_ref()),
        // That the topic is not there yet, the topology says.
        Err(Error::NotApplied { .. }) => Check::skipped(NAME, "its topic"),
        Err(error) => Check::failed(NAME, &error),
    }
}

/// How many, whether they were counted to the end, and the newest.
fn of_the_day(
    config: &Config,
    peers: &Peers,
    broker: &Broker<'_>,
) -> Result<(u64, bool, Option<DeadLetter>), Error> {
    let partitions = broker.partitions(TOPIC)?;
    let since = broker.at_time(&partitions, jiff::Timestamp::now().as_millisecond() - DAY_MS)?;
    let stables = broker.stables(&partitions)?;
    let spans: BTreeMap<i32, Span> = since
        .into_iter()
        .filter_map(|(partition, from)| {
            let until = stables.get(&partition).copied()?;
            Some((partition.1, Span { from, until }))
        })
        .collect();
    let mut decoder = Decoder::new(Arc::clone(&peers.schemas));
    let (mut count, mut last): (u64, Option<DeadLetter>) = (0, None);
    let most = COUNT_OFFSETS_MAX.unsigned_abs();
    Scanner::new(broker, true).scan(&config.prefix.topic(TOPIC), &spans, &mut |record| {
        count += 1;
        let letter = read(&mut decoder, record)?;
        if last.as_ref().is_none_or(|last| last.append_time_ms <= letter.append_time_ms) {
            last = Some(letter);
        }
        Ok(if count < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok((count, count < most, last))
}

fn judged(count: u64, is_all: bool, last: Option<&DeadLetter>) -> Check {
    let Some(last) = last else { return Check::ok(NAME, "none in the last 24 hours") };
    let what = last.letter.as_ref().map_or_else(
        |_| String::new(),
        |letter| {
            format!(
                ": {} gave up {}/{}:{} as {}",
                letter.stage, letter.topic, letter.partition, letter.offset, letter.error_class
            )
        },
    );
    let at_least = if is_all { "" } else { "at least " };
    let finding = format!("{at_least}{count} in the last 24 hours, the newest at {}{what}", last.place);
    Check::bad(NAME, Level::Warn, finding, "see `gistmill dlq ls`, and `gistmill dlq show PARTITION:OFFSET`")
}

#[cfg(test)]
mod tests {
    use super::{super::LetterPlace, *};

    #[test]
    fn new_dead_letters_are_worth_a_look_and_no_failure() {
        assert_eq!(judged(0, true, None), Check::ok(NAME, "none in the last 24 hours"));
        let place = LetterPlace { partition: 2, offset: 17 };
        let last = DeadLetter {
            place,
            append_time_ms: 0,
            letter: Err("damaged".to_owned()),
            state: state::LetterState::Open,
        };
        let found = judged(3, true, Some(&last));
        assert_eq!(
            (found.level, &*found.finding),
            (Level::Warn, "3 in the last 24 hours, the newest at 2:17")
        );
        assert!(judged(9, false, Some(&last)).finding.starts_with("at least 9 in the last 24 hours"));
    }
}
