//! Schemas: the newest of each record type under the subject of each topic that carries it, never beside one it
//! cannot be read with.

use super::{Action, BrokerState, Plan, PlanOptions, Refusal, SubjectState};
use crate::Topic;
use registry::Compatibility;
use schemas::RecordType;

pub(super) fn plan(topic: &Topic, observed: &BrokerState, options: &PlanOptions, plan: &mut Plan) {
    let Some(record) = topic.record.as_deref().and_then(schemas::record_type) else { return };
    let subject = options.prefix.subject(&topic.name);
    let empty = SubjectState::default();
    let found = observed.subjects.get(&subject).unwrap_or(&empty);
    if let Some(detail) = clash(record, &found.schemas) {
        plan.refusals.push(Refusal::IncompatibleSchema { subject, record: record.name.to_owned(), detail });
        return;
    }
    // The rule first, so that it holds for whoever registers next.
    if found.compatibility != Some(Compatibility::FullTransitive) {
        plan.actions.push(Action::RequireCompatibility { subject: subject.clone() });
    }
    if !found.schemas.iter().any(|schema| same_json(schema, record.avsc)) {
        let record = record.name.to_owned();
        plan.actions.push(Action::RegisterSchema { subject, record });
    }
}

fn clash(record: RecordType, schemas: &[String]) -> Option<String> {
    let clash = |(index, schema): (usize, &String)| {
        let error = schemas::check_mutually_readable(schema, record.avsc).err()?;
        Some(format!("version {} in the order of registration: {error}", index + 1))
    };
    schemas.iter().enumerate().find_map(clash)
}

/// A registry may change the white space of what it was given.
fn same_json(left: &str, right: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    left == right || parse(left).is_some_and(|left| Some(left) == parse(right))
}
