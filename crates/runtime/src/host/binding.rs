//! From the map to bound ports: physical topics and schema ids, waited for while the registry is away.
//!
//! Invariant: a processor with an unbound port, or whose schema is not registered, does not start; nor does a unit of which
//! an input carries records of another type than it reads.

use super::{Shared, Wait, supervisor::Failure, witness::Kept};
use crate::kafka::settings;
use engine::{
    dead_letter::Origin,
    shapes::{
        Inlet,
        outlet::{Bound, Outlet},
    },
    wire_check::Placement,
};
use processor::{Port, PortSpec};
use schemas::{Decoder, DigestDlq, Record, SchemaSource};
use std::{collections::BTreeMap, sync::Arc};
use topology::Topic;

/// What a batch of one record needs besides it, and compression where there is nothing to compress.
const HEADROOM_BYTES: usize = 64 << 10;
const DEAD_LETTERS: Port<DigestDlq> = Port::new("dead_letters");

/// Why a unit cannot begin.
#[derive(Debug)]
pub(super) enum BindError {
    /// It will be tried again.
    Wait(String),
    /// The message says what to do.
    Fatal(String),
}

/// Binds the ports of a processor or source.
pub(super) fn ports(
    shared: &Shared,
    name: &str,
    specs: &[PortSpec],
) -> Result<BTreeMap<&'static str, Bound>, BindError> {
    specs.iter().map(|spec| Ok((spec.name, port(shared, name, spec)?))).collect()
}

fn port(shared: &Shared, name: &str, spec: &PortSpec) -> Result<Bound, BindError> {
    let topic =
        shared.map.port_topic(name, spec.name).map_err(|error| BindError::Fatal(error.to_string()))?;
    if topic.record.as_deref() != Some(spec.record_type) {
        let (carried, port) = (topic.record.as_deref().unwrap_or("no records"), spec.name);
        let why =
            format!("port {port} of {name} emits {}, but {} carries {carried}", spec.record_type, topic.name);
        return Err(BindError::Fatal(why));
    }
    bind(shared, &topic.name, spec)
}

fn bind(shared: &Shared, logical: &str, spec: &PortSpec) -> Result<Bound, BindError> {
    let avsc = schemas::record_type(spec.record_type)
        .ok_or_else(|| BindError::Fatal(format!("record type {} is unknown", spec.record_type)))?
        .avsc;
    let subject = shared.config.prefix.subject(logical);
    let id = match shared.tasks.block_on(shared.registry.lookup(&subject, avsc)) {
        Ok(id) => id,
        Err(registry::Error::NotFound { .. }) => {
            let why = format!("schema of {subject} is not registered: run `gistmill topology apply`");
            return Err(BindError::Wait(why));
        }
        Err(denied @ registry::Error::Denied { .. }) => return Err(BindError::Wait(denied.describe())),
        Err(error) => {
            return Err(BindError::Wait(format!(
                "schema registry at {}: {}",
                shared.registry.address(),
                error.describe()
            )));
        }
    };
    under_id(shared, logical, spec, id).map_err(BindError::Fatal)
}

/// Refuses an input whose records are not of the type that a unit reads: all of them would be rejected.
pub(super) fn check_input(name: &str, topic: &Topic, record_type: &str) -> Result<(), String> {
    match topic.record.as_deref() {
        Some(carried) if carried == record_type => Ok(()),
        carried => Err(format!(
            "{name} reads {record_type}, but its input {} carries {}: name another input in the map",
            topic.name,
            carried.unwrap_or("no records")
        )),
    }
}

/// Where the dead letters of a sink will go. Its outbox' source writes them, under the registry's id: here they are
/// only measured.
pub(super) fn letters_of_sink(shared: &Shared, name: &str) -> Result<Bound, String> {
    let said = |error: topology::Error| error.to_string();
    let entry = shared.map.connector(name).map_err(said)?;
    let outbox = entry.outbox.as_deref().ok_or_else(|| format!("{name} has no outbox in the map"))?;
    let spec = DEAD_LETTERS.spec();
    let topic = shared.map.port_topic(outbox, spec.name).map_err(said)?;
    under_id(shared, &topic.name, &spec, 0)
}

fn under_id(shared: &Shared, logical: &str, spec: &PortSpec, id: u32) -> Result<Bound, String> {
    let encoder = (spec.encoder)(id).map_err(|error| error.to_string())?;
    let topic = shared.map.topic(logical).map_err(|error| error.to_string())?;
    let limit = usize::try_from(topic.max_message_bytes).unwrap_or_default();
    let limit = limit.min(settings::record_bytes_max(&shared.config.kafka));
    Ok(Bound {
        topic: shared.config.prefix.topic(logical).into(),
        encoder,
        placement: Placement { partitions: topic.partitions },
        record_bytes_max: limit.saturating_sub(HEADROOM_BYTES),
    })
}

/// Everything a processor of the map needs besides its own code.
pub(super) struct Bindings<R> {
    pub(super) inlet: Inlet<R>,
    pub(super) outlet: Outlet,
    /// Physical topics.
    pub(super) input: Arc<str>,
    pub(super) snapshots: Option<Arc<str>>,
    pub(super) group: String,
}

/// Binds a processor.
pub(super) fn processor<R: Record>(
    shared: &Shared,
    name: &'static str,
    specs: &[PortSpec],
) -> Result<Bindings<R>, BindError> {
    let fatal = |error: topology::Error| BindError::Fatal(error.to_string());
    let entry = shared.map.processor(name).map_err(fatal)?;
    let input = shared.map.topic(&entry.input).map_err(fatal)?;
    check_input(name, input, R::TYPE).map_err(BindError::Fatal)?;
    let dead_letters = entry
        .dead_letters
        .as_deref()
        .ok_or_else(|| BindError::Fatal(format!("{name} has no dead-letter topic in the map")))?;
    let prefix = &shared.config.prefix;
    let group = prefix.group(name);
    let physical: Arc<str> = prefix.topic(&input.name).into();
    let logical: Arc<str> = input.name.as_str().into();
    let origin = Origin {
        stage: name,
        topic: Arc::clone(&logical),
        physical: Arc::clone(&physical),
        group: group.as_str().into(),
    };
    let outlet = Outlet {
        origin,
        ports: ports(shared, name, specs)?,
        dead_letters: bind(shared, dead_letters, &DEAD_LETTERS.spec())?,
        is_dlq_owner: shared.map.is_dlq_owner(name, &input.name),
        witness: Arc::new(Kept::by(shared)),
    };
    let source: Arc<dyn SchemaSource> = Arc::clone(&shared.schemas) as Arc<dyn SchemaSource>;
    Ok(Bindings {
        inlet: Inlet {
            decoder: Decoder::new(source),
            topic: logical,
            placement: Placement { partitions: input.partitions },
        },
        outlet,
        input: physical,
        snapshots: entry.state.as_deref().map(|state| prefix.topic(state).into()),
        group,
    })
}

/// Calls `bind` until it succeeds or fails for good; says what it waits for.
pub(super) fn patiently<T>(
    wait: &Wait<'_>,
    mut bind: impl FnMut() -> Result<T, BindError>,
) -> Result<Option<T>, Failure> {
    while !wait.stop.is_asked() {
        match bind() {
            Ok(bound) => return Ok(Some(bound)),
            Err(BindError::Fatal(why)) => return Err(Failure::Lasting(why)),
            Err(BindError::Wait(why)) => wait.for_a_while(&why),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use topology::Map;

    #[test]
    fn a_unit_whose_input_carries_records_of_another_type_does_not_start() {
        let map = Map::embedded().expect("the built-in map");
        let check = |topic: &str| {
            check_input("links", map.topic(topic).expect("of the map"), "digest.context.prepared.v1")
        };
        assert_eq!(check("digest.context.prepared.v1"), Ok(()));
        let why = "links reads digest.context.prepared.v1, but its input group.window.ready.v1 carries \
                   group.window.ready.v1: name another input in the map";
        assert_eq!(check("group.window.ready.v1"), Err(why.to_owned()));
        assert!(check("gistmill.positions.v1").is_err_and(|why| why.contains("carries no records")));
    }
}
