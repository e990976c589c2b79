//! `gistmill topology acl`: the least that each unit has to be allowed on a broker with an authorizer.

use clap::Args;
use std::{collections::BTreeMap, io::Write};
use topology::{Acl, Map, Prefix};

use crate::{exit::Exit, settings::Settings};

/// Whose permissions, and how they are printed.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// One unit only, or `operator`
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// Put before the names of topics and groups. Default: the configuration's
    #[arg(long, value_name = "NAME")]
    prefix: Option<Prefix>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    map: &Map,
    options: &Options,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let prefix = match &options.prefix {
        Some(prefix) => prefix.clone(),
        None => settings.config()?.prefix,
    };
    let mut acls = topology::acls(map, &prefix);
    if let Some(unit) = &options.unit {
        let known = acls.keys().cloned().collect::<Vec<_>>().join(", ");
        acls.retain(|name, _| name == unit);
        anyhow::ensure!(!acls.is_empty(), "no unit is called {unit:?}; there are {known}");
    }
    print(&acls, options.json, out)?;
    Ok(Exit::Done)
}

fn print(acls: &BTreeMap<String, Vec<Acl>>, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return super::print_json(&serde_json::to_value(acls)?, out);
    }
    for (unit, acls) in acls {
        for acl in acls {
            let star = if acl.is_prefix { "*" } else { "" };
            writeln!(out, "{unit:<22} {:<16} {:<16} {}{star}", acl.operation, acl.resource, acl.name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_one_entry() {
        let map = Map::embedded().unwrap();
        let mut acls = topology::acls(&map, &Prefix::none());
        acls.retain(|unit, _| unit == "topic");
        let mut out = Vec::new();
        print(&acls, false, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("topic                  write            transactional_id topic-*\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), acls["topic"].len());
    }
}
