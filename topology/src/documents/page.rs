//! The contract as a page: each topic with what it says, who writes and reads it, its identity and its fields.

use super::{
    DocumentError,
    avro::{Field, Holds, Named, Schema, Type},
    events_in_order,
};
use crate::{Cleanup, Map, Retention, Topic};
use schemas::{RecordType, record_type};
use std::collections::BTreeMap;

const START: &str = "<!-- events -->";
const END: &str = "<!-- /events -->";

/// A page with all events between its `<!-- events -->` and `<!-- /events -->` lines; `None` when it has no such lines. A
/// page that is up to date comes back unchanged.
pub fn events(page: &str, map: &Map) -> Result<Option<String>, DocumentError> {
    let parts = page.split_once(START).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else { return Ok(None) };
    Ok(Some(format!("{before}{START}\n{}{END}{after}", written(map)?)))
}

fn written(map: &Map) -> Result<String, DocumentError> {
    let topics = events_in_order(map);
    let mut text = String::new();
    let mut of_record: Vec<(RecordType, Vec<&Topic>)> = Vec::new();
    for topic in topics {
        let name = topic.record.as_deref().unwrap_or_default();
        let record = record_type(name).ok_or_else(|| DocumentError::UnknownRecord(topic.name.clone()))?;
        match of_record.iter_mut().find(|(known, _)| *known == record) {
            Some((_, topics)) => topics.push(topic),
            None => of_record.push((record, vec![topic])),
        }
    }
    let mut shared: BTreeMap<String, String> = BTreeMap::new();
    for (record, topics) in &of_record {
        let schema = Schema::of(record)?;
        let types = schema.types()?;
        let Some((whole, others)) = types.split_first() else { continue };
        text.extend([format!("### `{}`\n\n{}\n\n", record.name, whole.doc)]);
        text.push_str(&carried(map, topics));
        text.extend([format!("Identity (`ce_id`): `{}`\n\n{}\n", record.identity, fields(whole))]);
        for named in others {
            shared.entry(named.name.to_owned()).or_insert_with(|| fields(named));
        }
    }
    text.push_str("### Types that stand in them\n\n");
    for (name, fields) in &shared {
        text.extend([format!("#### {name}\n\n{fields}\n")]);
    }
    Ok(text)
}

/// The topics that carry a type: a table where there are several.
fn carried(map: &Map, topics: &[&Topic]) -> String {
    let mut text =
        String::from("| topic | written by | read by | kept | partitions |\n|---|---|---|---|---|\n");
    for topic in topics {
        let joined = |names: Vec<&str>| if names.is_empty() { "–".to_owned() } else { names.join(", ") };
        let kept = match (topic.cleanup, topic.retention) {
            (Cleanup::Compact, _) => "the newest of each key".to_owned(),
            (Cleanup::Delete, Retention::Unlimited) => "for ever".to_owned(),
            (Cleanup::Delete, Retention::Days(days)) => format!("{days} days"),
        };
        let (writers, readers) =
            (joined(map.writers(&topic.name).collect()), joined(map.readers(&topic.name).collect()));
        let partitions = topic.partitions;
        text.extend([format!("| `{}` | {writers} | {readers} | {kept} | {partitions} |\n", topic.name)]);
    }
    text.push('\n');
    text
}

fn fields(named: &Named<'_>) -> String {
    match &named.holds {
        Holds::Symbols(symbols) => {
            let symbols: Vec<String> = symbols.iter().map(|symbol| format!("`{symbol}`")).collect();
            format!("{} One of {}.\n", named.doc, symbols.join(", ")).trim_start().to_owned()
        }
        Holds::Fields(fields) => {
            let mut text = String::from("| field | type | |\n|---|---|---|\n");
            for field in fields {
                let doc = cell(field.doc);
                text.extend([format!(
                    "| `{}` | {} | {doc}{} |\n",
                    field.name,
                    word(&field.of),
                    absent(field)
                )]);
            }
            text
        }
    }
}

/// What a reader finds in a record that was written before the field was there.
fn absent(field: &Field<'_>) -> String {
    match field.default {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(default) => format!(" Before it was there: `{default}`."),
    }
}

fn word(of: &Type<'_>) -> String {
    match of {
        Type::Boolean => "boolean".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Long => "long".to_owned(),
        Type::Time => "long, ms since the epoch".to_owned(),
        Type::Double => "double".to_owned(),
        Type::Bytes => "bytes".to_owned(),
        Type::Text => "string".to_owned(),
        Type::Named(name) => format!("[{name}](#{})", name.to_lowercase()),
        Type::List(of) => format!("list of {}", word(of)),
        Type::Map(of) => format!("map of strings to {}", word(of)),
        Type::Nullable(of) => format!("{}, or null", word(of)),
    }
}

/// A text within a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}
