//! Groups: every processor's group gets the earliest offsets of its input once, before its first start. Sinks keep
//! theirs in Postgres.

use super::{Action, BrokerState, GroupState, Plan, PlanOptions, Refusal};
use crate::{Map, Processor};

pub(super) fn plan(
    map: &Map,
    processor: &Processor,
    observed: &BrokerState,
    options: &PlanOptions,
    plan: &mut Plan,
) {
    let Ok(input) = map.topic(&processor.input) else { return };
    let (group, topic) = (options.prefix.group(&processor.name), options.prefix.topic(&input.name));
    let empty = GroupState::default();
    let found = observed.groups.get(&group).unwrap_or(&empty);
    let partitions: Vec<i32> = (0..input.partitions).collect();
    if found.committed.is_empty() {
        match found.written.first().cloned() {
            Some(written) => plan.refusals.push(Refusal::ExpiredOffsets { group, written }),
            None => plan.actions.push(Action::SeedOffsets { group, topic, partitions }),
        }
        return;
    }
    let missing: Vec<i32> =
        partitions.into_iter().filter(|partition| !found.committed.contains_key(partition)).collect();
    if !missing.is_empty() {
        plan.refusals.push(Refusal::MissingOffsets { group, topic, missing });
    }
}
