//! The checks that look at the broker: its settings, what the map says of it, its clock, and who is connected.

use super::{Check, Level, Peers, waiting::processes};
use runtime::{
    Config,
    observe::{Broker, Partition, outbox_sources, transaction_timeout_ms},
};
use topology::{BrokerState, Map, Plan, PlanOptions, broker as applied, plan};

const PROCESSES: &str = "processes";
const WEEK_MINUTES: i64 = 7 * 24 * 60;
/// Broker's clock ahead of ours that is no skew yet.
const SKEW_MS: i64 = 2_000;

pub(super) fn kafka(broker: &Broker<'_>) -> Check {
    let cluster = broker.cluster_id().unwrap_or_else(|| "unknown".to_owned());
    Check::ok(
        "kafka",
        format!("{} answers: cluster {cluster}, {} brokers", broker.address(), broker.brokers()),
    )
}

/// What the broker itself has to be set to.
pub(super) fn broker_settings(config: &Config, peers: &Peers, broker: &Broker<'_>) -> Vec<Check> {
    let settings = match peers.wait(broker.settings()) {
        Ok(settings) => settings,
        Err(error) => {
            let advice = "the user may not be allowed to describe the broker's settings; ask who may";
            return vec![Check::bad("broker settings", Level::Warn, engine::chain(&error), advice)];
        }
    };
    let number = |name: &str| settings.get(name).and_then(|value| value.parse::<i64>().ok());
    let timeout = transaction_timeout_ms(config);
    vec![
        offsets_retention(number("offsets.retention.minutes")),
        transaction_timeout(number("transaction.max.timeout.ms"), timeout),
    ]
}

fn offsets_retention(minutes: Option<i64>) -> Check {
    let name = "offset retention";
    match minutes {
        Some(minutes) if minutes >= WEEK_MINUTES => {
            Check::ok(name, format!("offsets of a stopped group are kept for {} days", minutes / 60 / 24))
        }
        Some(minutes) => Check::bad(
            name,
            Level::Warn,
            format!("offsets of a stopped group are kept for {:.1} days only", minutes as f64 / 60.0 / 24.0),
            "a processor that is stopped for longer has to be reset by hand: set the broker's \
             offsets.retention.minutes to 10080 (7 days) or more",
        ),
        None => Check::bad(name, Level::Warn, "the broker does not tell", "it should be 7 days or more"),
    }
}

fn transaction_timeout(broker_max_ms: Option<i64>, ours_ms: i64) -> Check {
    let name = "transaction timeout";
    match broker_max_ms {
        Some(max) if max < ours_ms => Check::bad(
            name,
            Level::Fail,
            format!("the broker allows {max} ms, producers ask for {ours_ms} ms"),
            "raise the broker's transaction.max.timeout.ms, or lower transaction.timeout.ms in \
             kafka.producer_properties",
        ),
        Some(max) => Check::ok(name, format!("{ours_ms} ms, the broker allows {max} ms")),
        None => Check::bad(name, Level::Warn, "the broker does not tell", "it should allow 30000 ms or more"),
    }
}

pub(super) fn topology_checks(config: &Config, map: &Map, peers: &Peers) -> Vec<Check> {
    let mut options = applied::Options::new(&config.kafka.brokers, config.registry_options());
    options.prefix = config.prefix.clone();
    options.properties.clone_from(&config.kafka.properties);
    match peers.wait(applied::observe(map, &options)) {
        Ok(observed) => {
            let plan_options = PlanOptions { prefix: config.prefix.clone(), lower_retention: false };
            let plan = plan(map, &observed, &plan_options);
            vec![applied_check(&plan), timestamps(config, map, &observed, &plan)]
        }
        Err(error) => {
            let advice = "see `gistmill topology plan`";
            vec![Check::bad("topology", Level::Fail, engine::chain(&error), advice)]
        }
    }
}

/// Topics, schemas with their compatibility, and groups' offsets are what the map says.
fn applied_check(plan: &Plan) -> Check {
    let name = "topology";
    if let Some(refusal) = plan.refusals.first() {
        let advice = match plan.refusals.len() - 1 {
            0 => "settle it by hand: `gistmill topology apply` does nothing before".to_owned(),
            more => format!("settle it by hand, and {more} more that `gistmill topology plan` shows"),
        };
        return Check::bad(name, Level::Fail, refusal.to_string(), advice);
    }
    match plan.actions.first() {
        None => Check::ok(name, "topics, schemas, compatibility rules and groups are as the map says"),
        Some(first) => Check::bad(
            name,
            Level::Fail,
            format!("{} steps are to be done, first: {first}", plan.actions.len()),
            "run `gistmill topology apply`",
        ),
    }
}

fn timestamps(config: &Config, map: &Map, observed: &BrokerState, plan: &Plan) -> Check {
    let name = "record timestamps";
    let is_wrong = |topic: &String| {
        let stamped =
            observed.topics.get(topic).and_then(|topic| topic.configs.get("message.timestamp.type"));
        stamped.is_some_and(|stamped| stamped != "LogAppendTime")
    };
    let wrong: Vec<String> = map.topics().map(|t| config.prefix.topic(&t.name)).filter(is_wrong).collect();
    if observed.topics.is_empty() {
        return Check::skipped(name, "topics");
    }
    if wrong.is_empty() {
        return Check::ok(name, "the broker's clock stamps every topic");
    }
    let finding =
        format!("producers stamp {}: retention would delete an import of old history", wrong.join(", "));
    let advice = if plan.refusals.is_empty() {
        "run `gistmill topology apply`"
    } else {
        "once the topology is settled by hand, run `gistmill topology apply`"
    };
    Check::bad(name, Level::Fail, finding, advice)
}

/// A record from the future says that the broker's clock is ahead, or ours behind.
pub(super) fn clock(map: &Map, broker: &Broker<'_>) -> Check {
    let name = "clock";
    let partitions: Vec<Partition> =
        map.topics().filter_map(|topic| broker.partitions(&topic.name).ok()).flatten().collect();
    let limit = jiff::Timestamp::now().as_millisecond() + SKEW_MS;
    match broker.at_time(&partitions, limit) {
        Ok(ahead) => match ahead.keys().next() {
            None => Check::ok(name, "no record is stamped later than this machine's clock"),
            Some((topic, partition)) => Check::bad(
                name,
                Level::Warn,
                format!("{topic}/{partition} holds records stamped later than this machine's clock"),
                "the broker's clock and this one differ: check time synchronisation; lag in seconds is off by as much",
            ),
        },
        Err(error) => Check::failed(name, &error),
    }
}

pub(super) fn running(config: &Config, map: &Map, peers: &Peers, broker: &Broker<'_>) -> Check {
    let members = match broker.members() {
        Ok(members) => members,
        Err(error) => return Check::failed(PROCESSES, &error),
    };
    let readers = map.processors().map(|processor| processor.name.as_str()).chain(
        map.connectors()
            .filter(|connector| !connector.inputs.is_empty() && config.is_used(connector))
            .map(|sink| sink.name.as_str()),
    );
    let of_group = |name| members.get(&config.prefix.group(name)).copied().unwrap_or_default();
    let readers: Vec<(&str, usize)> = readers.map(|name| (name, of_group(name))).collect();
    let of_source = |name| (name, processes(config, peers, &members, name));
    running_check(&readers, &outbox_sources(map).into_iter().map(of_source).collect::<Vec<_>>())
}

/// How many processes run each of the units: of those of a source all but one stand by.
fn running_check(readers: &[(&str, usize)], sources: &[(&str, usize)]) -> Check {
    let units = || readers.iter().chain(sources);
    let stopped: Vec<&str> = units().filter(|unit| unit.1 == 0).map(|unit| unit.0).collect();
    let count = units().count();
    let stand_by = |text: String, (name, members): &(&str, usize)| {
        if *members > 1 { format!("{text}; {} standing by for {name}", members - 1) } else { text }
    };
    let standing_by = sources.iter().fold(String::new(), stand_by);
    if stopped.is_empty() {
        return Check::ok(PROCESSES, format!("all {count} processors, sinks and sources run{standing_by}"));
    }
    let finding = if stopped.len() == count {
        "no processor, sink or source has a member in its group (stopped, or joining)".to_owned()
    } else {
        format!("no member in the group of {} (stopped, or joining){standing_by}", stopped.join(", "))
    };
    let one = if stopped.len() == count { "NAME" } else { stopped[0] };
    let advice = format!(
        "where `gistmill up` runs, see its log and /readyz: its units join again by themselves after an outage; where it \
         does not, start it, or one unit with `gistmill run {one}`"
    );
    Check::bad(PROCESSES, Level::Warn, finding, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_and_who_stands_by_is_told() {
        let up = running_check(&[("topic", 3), ("file_sink", 3)], &[("outbox_source", 3)]);
        let finding = "all 3 processors, sinks and sources run; 2 standing by for outbox_source";
        assert_eq!(up, Check::ok(PROCESSES, finding));
        let some = running_check(&[("topic", 1), ("file_sink", 0)], &[("outbox_source", 0)]);
        assert_eq!(
            (some.level, &*some.finding),
            (Level::Warn, "no member in the group of file_sink, outbox_source (stopped, or joining)")
        );
        assert!(some.advice.is_some_and(|advice| advice.ends_with("one unit with `gistmill run file_sink`")));
        let none = running_check(&[("topic", 0)], &[("outbox_source", 0)]);
        assert_eq!(
            none.finding,
            "no processor, sink or source has a member in its group (stopped, or joining)"
        );
    }

    #[test]
    fn a_week_of_offsets_is_enough() {
        assert_eq!(offsets_retention(Some(10_080)).level, Level::Ok);
        let short = offsets_retention(Some(1_440));
        assert_eq!((short.level, short.finding.contains("1.0 days")), (Level::Warn, true));
        assert_eq!(offsets_retention(None).level, Level::Warn);
    }

    #[test]
    fn producers_may_not_ask_for_more_than_the_broker_allows() {
        assert_eq!(transaction_timeout(Some(900_000), 30_000).level, Level::Ok);
        assert_eq!(transaction_timeout(Some(10_000), 30_000).level, Level::Fail);
    }

    #[test]
    fn what_apply_refuses_is_not_sent_to_apply() {
        let refusal = |topic: &str| topology::Refusal::PartitionCount {
            topic: topic.to_owned(),
            found: 3,
            expected: 4,
        };
        let one = applied_check(&Plan { actions: Vec::new(), refusals: vec![refusal("a")] });
        let alone = "settle it by hand: `gistmill topology apply` does nothing before";
        assert_eq!((one.level, one.advice.as_deref()), (Level::Fail, Some(alone)));
        let two = applied_check(&Plan { actions: Vec::new(), refusals: vec![refusal("a"), refusal("b")] });
        let both = "settle it by hand, and 1 more that `gistmill topology plan` shows";
        assert_eq!(two.advice.as_deref(), Some(both));
    }

    #[test]
    fn a_plan_with_anything_in_it_fails() {
        assert_eq!(applied_check(&Plan::default()).level, Level::Ok);
        let map = Map::embedded().expect("the built-in map");
        let todo = plan(&map, &BrokerState::default(), &PlanOptions::default());
        let check = applied_check(&todo);
        assert_eq!(check.level, Level::Fail);
        assert!(
            check.finding.contains("steps are to be done, first: create topic digest.blocked.v1"),
            "{check:?}"
        );
    }
}
