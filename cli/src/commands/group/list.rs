//! `gistmill group ls`: every group of the log, with its settings.

use std::io::{self, Write};

use operate::GroupSeen;
use topology::Map;

use super::{as_json, fields};
use crate::{
    exit::Exit,
    printing::{columns, fitted, printable, reading_bar, show_progress, when},
    settings::Settings,
};

pub(super) fn run(
    tenant: Option<String>,
    json: bool,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let bar = reading_bar();
    let groups = operate::groups(&settings.config()?, &Map::embedded()?, &mut |done, total| {
        show_progress(&bar, done, total);
    });
    bar.finish_and_clear();
    let groups: Vec<GroupSeen> = groups?
        .into_iter()
        .filter(|group| tenant.as_ref().is_none_or(|tenant| *tenant == group.tenant_id))
        .collect();
    if groups.is_empty() {
        let of = tenant.map_or_else(String::new, |tenant| format!(" of tenant {}", printable(&tenant)));
        drop(writeln!(io::stderr(), "no group{of} has messages or settings; `gistmill import` brings some"));
    }
    print(&groups, (json, columns()), out)
}

fn print(
    groups: &[GroupSeen],
    (json, columns): (bool, Option<usize>),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    for group in groups {
        let settings = group.settings.clone().unwrap_or_default();
        let from = if group.settings.is_some() { "set" } else { "default" };
        if json {
            let mut value = as_json(from, &settings);
            value["tenant_id"] = group.tenant_id.as_str().into();
            value["group_id"] = group.group_id.as_str().into();
            value["messages"] = group.messages.into();
            value["newest_record"] = when(group.newest_record_ms).into();
            writeln!(out, "{value}")?;
            continue;
        }
        let name = printable(&format!("{}/{}", group.tenant_id, group.group_id));
        let shown: Vec<String> = fields(&settings)
            .into_iter()
            .filter(|(_, value)| value != "-")
            .map(|(field, value)| format!("{field} {}", printable(&value)))
            .collect();
        let line = format!("{name:<24} {:>8} msgs  {from:<7}  {}", group.messages, shown.join(", "));
        writeln!(out, "{}", fitted(&line, columns))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use schemas::GroupSettings;

    use super::*;

    #[test]
    fn groups_are_listed_with_the_settings_that_hold() {
        let group = |group_id: &str, settings| GroupSeen {
            tenant_id: "acme".to_owned(),
            group_id: group_id.to_owned(),
            messages: 387,
            newest_record_ms: 0,
            settings,
        };
        let four = GroupSettings { window_hours: vec![4], ..GroupSettings::default() };
        let groups = [group("eng", Some(four)), group("ops", None)];
        let text = |form| {
            let mut out = Vec::new();
            print(&groups, form, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            text((false, None)),
            "acme/eng                      387 msgs  set      hours 4, day starts 00:00, time zone UTC, language auto, scopes \
             DIGEST_READ, channels file\n\
             acme/ops                      387 msgs  default  hours 24, day starts 00:00, time zone UTC, language auto, scopes \
             DIGEST_READ, channels file\n"
        );
        assert!(text((false, Some(40))).lines().all(|line| line.chars().count() <= 40));
        let json = text((true, Some(40)));
        let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        assert_eq!((&first["group_id"], &first["from"]), (&"eng".into(), &"set".into()));
        assert_eq!(first["settings"]["window_hours"][0], 4);
    }
}
