//! Is everything in place for the pipeline to run? Each part is looked at, and what is wrong says what to do.
//!
//! Invariant: nothing is changed, and a part that is away hides only the checks that need it.

use super::{
    Error, Peers,
    broker::{Broker, Partition},
    files,
};
use crate::{Config, kafka::settings};
use serde::Serialize;
use state::Store;
use topology::{BrokerState, Map, Plan, PlanOptions, broker as applied, plan};

const WEEK_MINUTES: i64 = 7 * 24 * 60;
/// Broker's clock ahead of ours that is no skew yet.
const SKEW_MS: i64 = 2_000;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Not looked at, because something else is away.
    Skip,
    /// Runs, but somebody should look.
    Warn,
    /// The pipeline does not run, or not safely.
    Fail,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it came out.
    pub level: Level,
    /// What was found.
    pub finding: String,
    /// What to do; none when there is nothing to do.
    pub advice: Option<String>,
    /// True when something that has to run does not.
    pub is_away: bool,
}

impl Check {
    pub(super) fn ok(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, finding: finding.into(), advice: None, is_away: false }
    }

    pub(super) fn bad(
        name: &'static str,
        level: Level,
        finding: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { name, level, finding: finding.into(), advice: Some(advice.into()), is_away: false }
    }

    fn skipped(name: &'static str, needs: &str) -> Self {
        let finding = format!("not looked at: it needs {needs}");
        Self { name, level: Level::Skip, finding, advice: None, is_away: false }
    }

    fn failed(name: &'static str, error: &Error) -> Self {
        let (finding, advice) = (crate::shapes::outlet::chain(error), error.advice());
        Self { name, level: Level::Fail, finding, advice, is_away: error.is_away() }
    }
}

/// Looks at everything; the configuration itself has been read by now. Blocking, at most about half a minute.
///
/// # Errors
/// Only when this process cannot start looking.
pub fn doctor(config: &Config, map: &Map) -> Result<Vec<Check>, Error> {
    let peers = Peers::new(config)?;
    let mut checks = Vec::new();
    let broker = match Broker::connect(config) {
        Ok(broker) => Some(broker),
        Err(error) => {
            checks.push(Check::failed("kafka", &error));
            None
        }
    };
    if let Some(broker) = &broker {
        checks.push(kafka(broker));
        checks.extend(broker_settings(config, &peers, broker));
    }
    let registry = registry(&peers);
    let is_registry_up = registry.level == Level::Ok;
    checks.push(registry);
    if broker.is_some() && is_registry_up {
        checks.extend(topology_checks(config, map, &peers));
    } else {
        checks.push(Check::skipped("topology", "kafka and the schema registry"));
    }
    checks.extend(postgres(&peers, broker.as_ref()));
    match &broker {
        Some(broker) => checks.extend([clock(map, broker), running(config, map, broker)]),
        None => checks.push(Check::skipped("clock", "kafka")),
    }
    checks.push(files::check(&config.files.directory));
    Ok(checks)
}

fn kafka(broker: &Broker<'_>) -> Check {
    let cluster = broker.cluster_id().unwrap_or_else(|| "unknown".to_owned());
    Check::ok("kafka", format!("{} answers: cluster {cluster}, {} brokers", broker.address(), broker.brokers()))
}

/// What the broker itself has to be set to.
fn broker_settings(config: &Config, peers: &Peers, broker: &Broker<'_>) -> Vec<Check> {
    let settings = match peers.wait(broker.settings()) {
        Ok(settings) => settings,
        Err(error) => {
            let advice = "the user may not be allowed to describe the broker's settings; ask who may";
            return vec![Check::bad("broker settings", Level::Warn, crate::shapes::outlet::chain(&error), advice)];
        }
    };
    let number = |name: &str| settings.get(name).and_then(|value| value.parse::<i64>().ok());
    let producer = settings::producer(&config.kafka, "doctor");
    let timeout = producer.get("transaction.timeout.ms").and_then(|value| value.parse().ok()).unwrap_or_default();
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

fn registry(peers: &Peers) -> Check {
    match peers.wait(peers.registry.subjects()) {
        Ok(subjects) => {
            Check::ok("schema registry", format!("{} answers: {} subjects", peers.registry.address(), subjects.len()))
        }
        Err(error) => {
            let why = crate::shapes::outlet::chain(&error);
            Check::failed("schema registry", &peers.registry_away(why))
        }
    }
}

fn topology_checks(config: &Config, map: &Map, peers: &Peers) -> Vec<Check> {
    let mut options = applied::Options::new(&config.kafka.brokers, config.registry_url());
    options.prefix = config.prefix.clone();
    options.properties.clone_from(&config.kafka.properties.0);
    match peers.wait(applied::observe(map, &options)) {
        Ok(observed) => {
            let plan_options = PlanOptions { prefix: config.prefix.clone(), lower_retention: false };
            vec![applied_check(&plan(map, &observed, &plan_options)), timestamps(config, map, &observed)]
        }
        Err(error) => {
            let advice = "see `gistmill topology plan`";
            vec![Check::bad("topology", Level::Fail, crate::shapes::outlet::chain(&error), advice)]
        }
    }
}

/// Topics, schemas with their compatibility, and groups' offsets are what the map says.
fn applied_check(plan: &Plan) -> Check {
    let name = "topology";
    if let Some(refusal) = plan.refusals.first() {
        let more = plan.refusals.len() - 1;
        let advice = format!("settle it by hand ({more} more like it); `gistmill topology plan` shows all");
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

fn timestamps(config: &Config, map: &Map, observed: &BrokerState) -> Check {
    let name = "record timestamps";
    let is_wrong = |topic: &String| {
        let stamped = observed.topics.get(topic).and_then(|topic| topic.configs.get("message.timestamp.type"));
        stamped.is_some_and(|stamped| stamped != "LogAppendTime")
    };
    let wrong: Vec<String> = map.topics().map(|t| config.prefix.topic(&t.name)).filter(is_wrong).collect();
    if observed.topics.is_empty() {
        return Check::skipped(name, "topics");
    }
    if wrong.is_empty() {
        return Check::ok(name, "the broker's clock stamps every topic");
    }
    let finding = format!("producers stamp {}: retention would delete an import of old history", wrong.join(", "));
    Check::bad(name, Level::Fail, finding, "run `gistmill topology apply`")
}

fn postgres(peers: &Peers, broker: Option<&Broker<'_>>) -> Vec<Check> {
    let store = &peers.store;
    if let Err(error) = peers.wait(store.ready()) {
        return vec![Check::failed("postgres", &error.into()), Check::skipped("postgres cluster", "postgres")];
    }
    let finding =
        format!("{} answers: schema {} is migrated, its role is held by row-level security", store.address(), store.schema());
    vec![Check::ok("postgres", finding), cluster(peers, store, broker)]
}

fn cluster(peers: &Peers, store: &Store, broker: Option<&Broker<'_>>) -> Check {
    let name = "postgres cluster";
    let stored = match peers.wait(store.cluster_id()) {
        Ok(stored) => stored,
        Err(error) => return Check::failed(name, &error.into()),
    };
    let Some(broker) = broker else { return Check::skipped(name, "kafka") };
    belongs(name, stored.as_deref(), broker.cluster_id().as_deref())
}

fn belongs(name: &'static str, stored: Option<&str>, found: Option<&str>) -> Check {
    match (stored, found) {
        (None, _) => Check::ok(name, "the database is fresh: it belongs to no kafka cluster yet"),
        (Some(stored), Some(found)) if stored == found => Check::ok(name, format!("the database belongs to {stored}")),
        (Some(stored), found) => Check::bad(
            name,
            Level::Fail,
            format!("the database belongs to cluster {stored}, the broker is {}", found.unwrap_or("unknown")),
            "connect to the right broker, or give the new cluster another database or prefix",
        ),
    }
}

/// A record from the future says that the broker's clock is ahead, or ours behind.
fn clock(map: &Map, broker: &Broker<'_>) -> Check {
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

fn running(config: &Config, map: &Map, broker: &Broker<'_>) -> Check {
    let name = "processes";
    let members = match broker.members() {
        Ok(members) => members,
        Err(error) => return Check::failed(name, &error),
    };
    let processors = map.processors().map(|processor| processor.name.as_str());
    let sinks = map.connectors().filter(|connector| !connector.inputs.is_empty()).map(|sink| sink.name.as_str());
    let units: Vec<&str> = processors.chain(sinks).collect();
    let stopped: Vec<&str> =
        units.iter().copied().filter(|unit| !members.contains_key(&config.prefix.group(unit))).collect();
    if stopped.is_empty() {
        return Check::ok(name, format!("all {} processors and sinks are running", units.len()));
    }
    let who = if stopped.len() == units.len() { "no processor or sink".to_owned() } else { stopped.join(", ") };
    let verb = if stopped.len() == units.len() { "is running" } else { "not running" };
    Check::bad(name, Level::Warn, format!("{who} {verb}"), "start them with `gistmill up`, or one with `gistmill run NAME`")
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_database_of_another_cluster_fails() {
        assert_eq!(belongs("c", Some("a"), Some("a")).level, Level::Ok);
        assert_eq!(belongs("c", None, Some("a")).level, Level::Ok);
        let other = belongs("c", Some("a"), Some("b"));
        assert_eq!(other.level, Level::Fail);
        assert_eq!(other.finding, "the database belongs to cluster a, the broker is b");
    }

    #[test]
    fn a_plan_with_anything_in_it_fails() {
        assert_eq!(applied_check(&Plan::default()).level, Level::Ok);
        let map = Map::embedded().expect("the built-in map");
        let todo = plan(&map, &BrokerState::default(), &PlanOptions::default());
        let check = applied_check(&todo);
        assert_eq!(check.level, Level::Fail);
        assert!(check.finding.contains("steps are to be done, first: create topic digest.blocked.v1"), "{check:?}");
    }
}
