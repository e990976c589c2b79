//! What a registry holds under the subjects of the map's topics.

use super::Error;
use crate::{Action, Map, Prefix, SubjectState};
use registry::{Client, Compatibility};
use std::collections::BTreeMap;
use tokio::task::JoinSet;

/// What is under each subject, all asked for at once: a registry may be far away.
pub(super) async fn observe(
    map: &Map,
    prefix: &Prefix,
    client: &Client,
) -> Result<BTreeMap<String, SubjectState>, Error> {
    let mut questions = JoinSet::new();
    for topic in map.topics().filter(|topic| topic.record.is_some()) {
        let (client, subject) = (client.clone(), prefix.subject(&topic.name));
        questions.spawn(async move { ask(&client, &subject).await.map(|state| (subject, state)) });
    }
    let mut subjects = BTreeMap::new();
    while let Some(answer) = questions.join_next().await {
        let (subject, state) = answer.map_err(|_| Error::Thread("ask the registry".to_owned()))??;
        subjects.insert(subject, state);
    }
    Ok(subjects)
}

async fn ask(client: &Client, subject: &str) -> Result<SubjectState, registry::Error> {
    let mut schemas = Vec::new();
    for version in client.versions(subject).await? {
        schemas.push(client.schema_of_version(subject, version).await?);
    }
    Ok(SubjectState { schemas, compatibility: client.compatibility(subject).await? })
}

/// Takes one step of a plan that concerns the registry; others are none of its business.
pub(super) async fn take(client: &Client, action: &Action) -> Result<(), registry::Error> {
    match action {
        Action::RegisterSchema { subject, record } => {
            let Some(record) = schemas::record_type(record) else { return Ok(()) };
            client.register(subject, record.avsc).await.map(drop)
        }
        Action::RequireCompatibility { subject } => {
            client.set_compatibility(subject, Compatibility::FullTransitive).await
        }
        _ => Ok(()),
    }
}
