//! `gistmill topology events|asyncapi|json-schema`: the contract written down for those who subscribe.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;
use topology::{Map, Prefix};

use super::{note, print_json};
use crate::{exit::Exit, settings::Settings};

/// Where the page is.
#[derive(Debug, Args)]
pub(super) struct Events {
    /// The page that has the lines `<!-- events -->` and `<!-- /events -->`
    #[arg(long, value_name = "PAGE")]
    write: PathBuf,
}

/// Where the document goes.
#[derive(Debug, Args)]
pub(super) struct AsyncApi {
    /// Write it to this file instead of printing it
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Put before the names of topics. Default: the configuration's
    #[arg(long, value_name = "NAME")]
    prefix: Option<Prefix>,
}

/// Which schemas, and where they go.
#[derive(Debug, Args)]
pub(super) struct JsonSchema {
    /// A record type, such as digest.delivered.v1. Default: all, as one array
    #[arg(value_name = "TYPE")]
    record: Option<String>,
    /// Write `<type>.schema.json` of each into this folder instead of printing them
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

pub(super) fn events(map: &Map, options: &Events) -> anyhow::Result<Exit> {
    let path = &options.write;
    let page = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let Some(changed) = topology::events(&page, map)? else {
        bail!("{} has no <!-- events --> and <!-- /events --> to put the events between", path.display());
    };
    write(path, &changed)?;
    Ok(Exit::Done)
}

pub(super) fn asyncapi(
    map: &Map,
    options: &AsyncApi,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let prefix = match &options.prefix {
        Some(prefix) => prefix.clone(),
        None => settings.config()?.prefix.clone(),
    };
    let document = topology::asyncapi(map, &prefix)?;
    match &options.write {
        Some(path) => write(path, &pretty(&document)?)?,
        None => print_json(&document, out)?,
    }
    Ok(Exit::Done)
}

pub(super) fn json_schema(options: &JsonSchema, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let records: Vec<schemas::RecordType> = match &options.record {
        None => schemas::RECORD_TYPES.to_vec(),
        Some(name) => {
            let known: Vec<&str> = schemas::RECORD_TYPES.iter().map(|record| record.name).collect();
            let Some(record) = schemas::record_type(name) else {
                bail!("there is no record type {name}; there are {}", known.join(", "));
            };
            vec![record]
        }
    };
    let made = records.iter().map(|record| Ok((record.name, topology::json_schema(record)?)));
    let made: Vec<(&str, Value)> = made.collect::<anyhow::Result<_>>()?;
    let Some(folder) = &options.write else {
        match made.as_slice() {
            [(_, one)] if options.record.is_some() => print_json(one, out)?,
            all => print_json(&all.iter().map(|(_, schema)| schema.clone()).collect(), out)?,
        }
        return Ok(Exit::Done);
    };
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    for (name, schema) in &made {
        write(&folder.join(format!("{name}.schema.json")), &pretty(schema)?)?;
    }
    Ok(Exit::Done)
}

fn pretty(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        note(&format!("{} is up to date", path.display()));
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}
