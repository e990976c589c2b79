//! `gistmill group`: settings of a group, which travel with its messages, and its lanes.

mod lane;

use std::io::Write;

use anyhow::bail;
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use runtime::{Host, SourceEnd, operate};
use schemas::GroupSettings;
use telegram_export_source::{ControlSource, Group};
use topology::Map;

use crate::{exit::Exit, settings::Settings};

/// Set or show how a group's digests are made; its lanes
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill group set --tenant acme --group team --hours 6,24 --time-zone Europe/Berlin --language en
  gistmill group show --tenant acme --group team --json
  gistmill group lane ls --tenant acme --group team

Settings hold for windows opened after them. Without any: 24 hours, UTC, language of the messages, channel file.";

/// Channels that a sink of this version delivers to. On the wire the set is open: sinks leave other channels alone, so
/// that a mistaken name would mean digests that nobody gets.
const CHANNELS: [&str; 1] = ["file"];

#[derive(Debug, Subcommand)]
enum Command {
    /// Set all settings of a group; what is not given takes its default
    #[command(after_help = "\
Examples:
  gistmill group set --tenant acme --group team --hours 6,24 --time-zone Europe/Berlin
  gistmill group set --tenant acme --group team --language en --json")]
    Set {
        #[command(flatten)]
        group: Name,
        /// Window sizes in hours, ascending: some of 4, 6, 12, 24
        #[arg(long, value_delimiter = ',', default_value = "24")]
        hours: Vec<i32>,
        /// IANA time zone in which windows are aligned
        #[arg(long, default_value = "UTC")]
        time_zone: String,
        /// ru, en, or auto to go by the messages of each window
        #[arg(long, default_value = "auto")]
        language: String,
        /// Scopes granted to the group's digests
        #[arg(long, value_delimiter = ',', default_value = "DIGEST_READ")]
        scopes: Vec<String>,
        /// Delivery channels
        #[arg(
            long,
            value_delimiter = ',',
            default_value = "file",
            value_parser = PossibleValuesParser::new(CHANNELS)
        )]
        channels: Vec<String>,
        /// Delivery target in the channel's own terms
        #[arg(long)]
        chat: Option<String>,
        /// Print what was set as JSON, as `show` does
        #[arg(long)]
        json: bool,
    },
    /// Show the newest settings of a group
    #[command(after_help = "\
Examples:
  gistmill group show --tenant acme --group team
  gistmill group show --tenant acme --group team --json | jq .settings.window_hours")]
    Show {
        #[command(flatten)]
        group: Name,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List how far the lanes of a group have come, or set one back that ran ahead
    #[command(after_help = "\
Examples:
  gistmill group lane ls --tenant acme --group team
  gistmill group lane set-back --tenant acme --group team --to 2026-03-01T00:00:00Z")]
    Lane {
        #[command(subcommand)]
        command: lane::Command,
    },
}

#[derive(Debug, Args)]
struct Name {
    /// Tenant that owns the group
    #[arg(long)]
    tenant: String,
    /// Group
    #[arg(long)]
    group: String,
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match arguments.command {
        Command::Set { group, hours, time_zone, language, scopes, channels, chat, json } => {
            let wanted = GroupSettings { window_hours: hours, time_zone, language, scopes, channels, chat };
            set(&group, &wanted, settings)?;
            tell(&group, &wanted, json, out)
        }
        Command::Show { group, json } => show(&group, json, settings, out),
        Command::Lane { command } => lane::run(command, settings, out),
    }
}

fn set(name: &Name, wanted: &GroupSettings, settings: &Settings) -> anyhow::Result<()> {
    let group = Group::new(&name.tenant, &name.group)?;
    let now = jiff::Timestamp::now().as_millisecond();
    write_control(ControlSource::settings(&group, wanted, &now.to_string(), now)?, settings)
}

/// Writes a control record in order with the messages of its group.
fn write_control(mut source: ControlSource, settings: &Settings) -> anyhow::Result<()> {
    let config = settings.config()?;
    Settings::start_logging(&config)?;
    let mut host = Host::new(config, 1)?;
    host.stop_on_signals();
    if host.drive(&mut source, &mut |_| {})? == SourceEnd::Stopped {
        bail!("stopped before the record was written");
    }
    Ok(())
}

fn tell(name: &Name, set: &GroupSettings, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if json {
        writeln!(out, "{}", as_json("set", set))?;
    } else {
        writeln!(out, "set for {}/{}, effective for windows opened from now on", name.tenant, name.group)?;
    }
    Ok(Exit::Done)
}

fn as_json(from: &str, settings: &GroupSettings) -> serde_json::Value {
    serde_json::json!({ "from": from, "settings": settings })
}

fn show(name: &Name, json: bool, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let group = Group::new(&name.tenant, &name.group)?;
    let key = format!("{}/{}", group.tenant_id(), group.group_id());
    let found = operate::newest_settings(&settings.config()?, &Map::embedded()?, &key)?;
    let (from, found) = found.map_or(("default", GroupSettings::default()), |found| ("set", found));
    if json {
        writeln!(out, "{}", as_json(from, &found))?;
        return Ok(Exit::Done);
    }
    let hours: Vec<String> = found.window_hours.iter().map(ToString::to_string).collect();
    writeln!(out, "settings   {from}")?;
    writeln!(out, "hours      {}", hours.join(","))?;
    writeln!(out, "time zone  {}", found.time_zone)?;
    writeln!(out, "language   {}", found.language)?;
    writeln!(out, "scopes     {}", found.scopes.join(","))?;
    writeln!(out, "channels   {}", found.channels.join(","))?;
    writeln!(out, "chat       {}", found.chat.as_deref().unwrap_or("-"))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use clap::{Parser, error::ErrorKind};

    use super::*;
    use crate::line::Line;

    const NAME: [&str; 6] = ["group", "set", "--tenant", "acme", "--group", "team"];

    fn parsed(flags: &[&str]) -> Result<Line<Arguments>, clap::Error> {
        Line::try_parse_from(NAME.iter().chain(flags))
    }

    #[test]
    fn a_channel_that_nothing_delivers_to_is_refused_with_those_there_are() {
        let error = parsed(&["--channels", "file,telegram"]).unwrap_err();
        assert_eq!((error.kind(), error.exit_code()), (ErrorKind::InvalidValue, 2));
        assert!(error.to_string().contains("[possible values: file]"), "{error}");
        assert!(GroupSettings::default().channels.iter().all(|name| CHANNELS.contains(&name.as_str())));
    }

    #[test]
    fn settings_that_cannot_work_are_a_wrong_command_line() {
        let settings = Settings::default();
        let mut out = Vec::new();
        let error = run(parsed(&["--hours", "5"]).unwrap().arguments, &settings, &mut out).unwrap_err();
        assert_eq!(crate::exit::report(&error, &mut out), Exit::Usage);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "error: setting window_hours cannot be \"5\": give some of 4, 6, 12, 24, ascending\n"
        );
    }

    #[test]
    fn what_was_set_is_told_as_show_tells_it() {
        let name = Name { tenant: "acme".to_owned(), group: "team".to_owned() };
        let mut out = Vec::new();
        tell(&name, &GroupSettings::default(), true, &mut out).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&value["from"], &value["settings"]["channels"][0]), (&"set".into(), &"file".into()));
    }
}
