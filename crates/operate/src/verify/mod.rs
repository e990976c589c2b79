//! Digests held against the log: each citation back to the record that said it, each row to its event, each event to its row.
//!
//! Invariant: it changes nothing; what is wrong is named; what retention took and what is on its way is told apart.

mod content;
mod events;
mod judge;
mod report;
mod sources;

use super::{Error, Peers};
use content::cited;
use events::{Events, Held, Ready};
use judge::Judge;
pub use report::{CitedPlace, DigestSeen, Finding, FindingKind, Report, RunSeen};
use runtime::{
    Config,
    observe::{Broker, MESSAGES_SINK},
};
use schemas::{DigestReadyForDelivery, Record};
use sources::{Offset, Sources};
use state::{DigestRow, StatedMessage};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

/// What to hold against the log.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// One digest, by its id. Default: all.
    pub digest: Option<String>,
    /// Of this tenant only. Default: all.
    pub tenant: Option<String>,
    /// How long a lane waits for stragglers, and how long a closed window takes revisions, in ms: those of `window_builder`.
    pub grace_and_horizon_ms: (i64, i64),
}

/// Times that an announcement is looked for which is on its way.
const LOOKS: u32 = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What is stored of a tenant's digest, and the states that it cites: as of its place, and now.
struct Looked {
    tenant: String,
    row: DigestRow,
    cited: BTreeSet<i64>,
    then: BTreeMap<i64, StatedMessage>,
    now: BTreeMap<i64, StatedMessage>,
    erased: BTreeSet<i64>,
}

/// Holds digests against the log.
///
/// # Errors
/// [`Error::Refused`] when no digest has the id; a peer that is away.
pub fn verify(config: &Config, options: &VerifyOptions) -> Result<Report, Error> {
    let (peers, broker) = (Peers::new(config)?, Broker::connect(config)?);
    peers.wait(peers.store.ready())?;
    // What was passed before the events are read: of all before that, the row must be there.
    let passed = passed(&peers, &broker)?;
    let events = Events { config, broker: &broker, peers: &peers };
    let (ready, ready_held) = events.ready()?;
    let tenants = match &options.tenant {
        Some(tenant) => vec![tenant.clone()],
        None => peers.wait(peers.store.tenants())?,
    };
    let (mut looked, mut marks) = (Vec::new(), HashMap::new());
    for tenant in tenants {
        let rows = peers.wait(peers.store.digest_rows(&tenant))?;
        let kept = peers.wait(peers.store.retention(&tenant))?;
        marks.insert(tenant.clone(), kept.taken_before);
        for row in rows {
            looked.push(look(&peers, &tenant, row)?);
        }
    }
    let wanted: BTreeSet<Offset> = looked
        .iter()
        .flat_map(|it| it.then.values().chain(it.now.values()))
        .map(|state| (state.partition, state.offset))
        .collect();
    if let Some(id) = &options.digest
        && !looked.iter().any(|it| it.row.digest_id == *id)
        && !ready.contains_key(id)
    {
        return Err(Error::Refused(format!(
            "no digest has the id {id}: `gistmill digest ls --json` lists those there are"
        )));
    }
    let only = |tenant: &str| options.tenant.as_deref().is_none_or(|wanted| wanted == tenant);
    let ready: HashMap<String, Ready> = ready.into_iter().filter(|(_, it)| only(&it.tenant_id)).collect();
    let sources = Sources::read(config, (&broker, &peers), &wanted)?;
    let judge = Judge {
        options,
        passed: &passed,
        marks: &marks,
        revisions: &events.revisions()?,
        sources: &sources,
        ready: &ready,
        ready_held: &ready_held,
    };
    let mut report = Report { records: sources.count(), ..Report::default() };
    judge.all(&looked, &mut report);
    announced(&events, &judge, &looked, &mut report)?;
    report.findings.sort();
    Ok(report)
}

/// What is announced as stored: once each, and after the row. What is on its way is looked for again.
fn announced(
    events: &Events<'_>,
    judge: &Judge<'_>,
    looked: &[Looked],
    report: &mut Report,
) -> Result<(), Error> {
    let (mut persisted, mut held) = events.persisted()?;
    for _ in 0..LOOKS {
        if looked.iter().all(|it| persisted.contains_key(&it.row.digest_id)) {
            break;
        }
        if !looked.iter().any(|it| judge.lacks_announcement(it, &persisted, &held)) {
            break;
        }
        std::thread::park_timeout(LOOK_AGAIN);
        (persisted, held) = events.persisted()?;
    }
    judge.announced(looked, (&persisted, &held), report);
    Ok(())
}

/// Everything that is stored of a digest and of what it cites.
fn look(peers: &Peers, tenant: &str, row: DigestRow) -> Result<Looked, Error> {
    let (mut cites, mut then, mut now) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
    let mut erased = BTreeSet::new();
    if let Some(stored) = &row.stored {
        cites = cited(stored);
        let ids: Vec<i64> = cites.iter().copied().collect();
        let group = (tenant, row.group_id.as_str());
        let by_id = |states: Vec<StatedMessage>| states.into_iter().map(|state| (state.id, state)).collect();
        let states = |offset| peers.store.states_as_of(group, (stored.source_partition, offset), &ids);
        then = by_id(peers.wait(states(stored.source_offset))?);
        now = by_id(peers.wait(states(i64::MAX))?);
        erased = peers.wait(peers.store.erased_among(group, &ids))?;
    }
    Ok(Looked { tenant: tenant.to_owned(), row, cited: cites, then, now, erased })
}

/// Next offsets of the sink of digests, by partition; a partition that it has not claimed is at its beginning.
fn passed(peers: &Peers, broker: &Broker<'_>) -> Result<BTreeMap<i32, i64>, Error> {
    let topic = DigestReadyForDelivery::TYPE;
    let stored = peers.wait(peers.store.sink_offsets())?;
    let next = |partition: i32| {
        let is_it = |it: &&state::SinkOffset| {
            it.consumer_group == MESSAGES_SINK && it.topic == topic && it.partition == partition
        };
        stored.iter().find(is_it).map_or(0, |it| it.next_offset)
    };
    let partitions = broker.partitions(topic)?;
    Ok(partitions.into_iter().map(|(_, partition)| (partition, next(partition))).collect())
}
