//! Is everything in place for the pipeline to run? Each part is looked at, and what is wrong says what to do.
//!
//! Invariant: nothing is changed, and a part that is away hides only the checks that need it.

use super::{
    Check, Error, Level, Peers,
    broker_checks::{broker_settings, clock, kafka, running, topology_checks},
    delivery_check, files, held_up_checks, letter_check, maintenance_check,
};
use runtime::{Config, observe::Broker};
use state::Store;
use topology::Map;

/// What is not looked at while the broker does not answer, beside the topology.
const NEED_KAFKA: [&str; 5] = ["transactions", "clock", "processes", "progress", "dead letters"];

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
        checks.extend(held_up_checks::check(config, map));
    }
    let registry = registry(&peers);
    let is_registry_up = registry.level == Level::Ok;
    checks.push(registry);
    if broker.is_some() && is_registry_up {
        checks.extend(topology_checks(config, map, &peers));
    } else {
        checks.push(Check::skipped("topology", "kafka and the schema registry"));
    }
    let postgres = postgres(&peers, broker.as_ref());
    let is_postgres_up = postgres[0].level == Level::Ok;
    checks.extend(postgres);
    checks.extend(is_postgres_up.then(|| delivery_check::check(config, &peers)).flatten());
    checks.extend(is_postgres_up.then(|| maintenance_check::check(&peers)).flatten());
    match &broker {
        Some(broker) => {
            checks.extend([clock(map, broker), running(config, map, &peers, broker)]);
            checks.extend(if is_postgres_up {
                held_up_checks::progress(config, map, &peers, broker)
            } else {
                vec![Check::skipped("progress", "postgres")]
            });
            checks.push(letter_check::check(config, &peers, broker));
        }
        None => checks.extend(NEED_KAFKA.map(|name| Check::skipped(name, "kafka"))),
    }
    checks.extend(files::checks(config));
    Ok(checks)
}

fn registry(peers: &Peers) -> Check {
    match peers.wait(peers.registry.subjects()) {
        Ok(subjects) => Check::ok(
            "schema registry",
            format!("{} answers: {} subjects", peers.registry.address(), subjects.len()),
        ),
        Err(error) => Check::failed("schema registry", &Error::registry(&error)),
    }
}

fn postgres(peers: &Peers, broker: Option<&Broker<'_>>) -> Vec<Check> {
    let store = &peers.store;
    if let Err(error) = peers.wait(store.ready()) {
        return vec![
            Check::failed("postgres", &error.into()),
            Check::skipped("postgres cluster", "postgres"),
        ];
    }
    let finding = format!(
        "{} answers: schema {} is migrated, its role is held by row-level security",
        store.address(),
        store.schema()
    );
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
        (Some(stored), Some(found)) if stored == found => {
            Check::ok(name, format!("the database belongs to {stored}"))
        }
        (Some(stored), found) => Check::bad(
            name,
            Level::Fail,
            format!("the database belongs to cluster {stored}, the broker is {}", found.unwrap_or("unknown")),
            "connect to the right broker, or give the new cluster another database or prefix",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_broker_each_check_that_needs_it_is_named() {
        // Nobody listens at port 1.
        let mut config = Config::default();
        config.kafka.brokers = "127.0.0.1:1".to_owned();
        let checks = doctor(&config, &Map::embedded().expect("the built-in map")).expect("looks");
        let skipped = |name: &str| checks.iter().any(|it| it.name == name && it.level == Level::Skip);
        assert_eq!(NEED_KAFKA.map(skipped), [true; 5], "{checks:?}");
        let failed: Vec<_> =
            checks.iter().filter(|it| it.level == Level::Fail && it.name == "kafka").collect();
        assert_eq!(failed.len(), 1, "{checks:?}");
    }

    #[test]
    fn a_database_of_another_cluster_fails() {
        assert_eq!(belongs("c", Some("a"), Some("a")).level, Level::Ok);
        assert_eq!(belongs("c", None, Some("a")).level, Level::Ok);
        let other = belongs("c", Some("a"), Some("b"));
        assert_eq!(other.level, Level::Fail);
        assert_eq!(other.finding, "the database belongs to cluster a, the broker is b");
    }
}
