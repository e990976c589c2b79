//! Schemas of the events, as the registry holds them.

use super::super::{entry::Visit, frame::page};
use crate::{app::App, problem::Problem};
use axum::{body::Body, extract::State, http::Response};
use console_pages::{Revision, SchemaRevisions, Subject};
use registry::{Client, Error};
use serde_json::Value;
use tokio::task::JoinSet;

pub(in super::super) async fn show(State(app): State<App>, visit: Visit) -> Result<Response<Body>, Problem> {
    let client = Client::new(app.0.config.registry_options());
    let client = client.map_err(|error| Problem::internal(&error.describe()))?;
    let mut asked = JoinSet::new();
    for topic in app.0.map.topics() {
        let Some(record) = topic.record.clone() else { continue };
        let (client, subject) = (client.clone(), app.0.config.prefix.subject(&topic.name));
        asked.spawn(async move { held(&client, (subject, record)).await });
    }
    let mut view = SchemaRevisions::default();
    while let Some(answer) = asked.join_next().await {
        match answer.map_err(|error| Problem::internal(&error))? {
            Ok(subject) => view.subjects.push(subject),
            // One away is all away: the first says it for the others.
            Err(error) => view.away = error.describe(),
        }
    }
    view.subjects.sort_by(|left, right| left.subject.cmp(&right.subject));
    page(&visit.frame, &view)
}

/// What the registry holds of a subject, the newest first.
async fn held(client: &Client, (subject, record): (String, String)) -> Result<Subject, Error> {
    let mut revisions = Vec::new();
    for version in client.versions(&subject).await?.into_iter().rev() {
        let text = client.schema_of_version(&subject, version).await?;
        let schema_id = client.lookup(&subject, &text).await?;
        let name = if version > 1 { format!("{record}.r{version}") } else { record.clone() };
        revisions.push(Revision {
            name,
            registered: i32::try_from(version).ok(),
            schema_id: i32::try_from(schema_id).ok(),
        });
    }
    let compatibility = client.compatibility(&subject).await?;
    // As the registry names it.
    let name = compatibility.and_then(|it| serde_json::to_value(it).ok());
    let compatibility = name.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Subject { subject, record, compatibility, revisions })
}
