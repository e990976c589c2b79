//! `gistmill group`: settings of a group, which travel with its messages.

use std::io::Write;

use anyhow::bail;
use clap::{Args, Subcommand};
use runtime::{Host, SourceEnd, operate};
use schemas::GroupSettings;
use telegram_export_source::{Group, SettingsSource};
use topology::Map;

use crate::{exit::Exit, settings::Settings};

/// Set or show how a group's digests are made
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

Settings hold for windows opened after them. Without any: 24 hours, UTC, language of the messages, channel file.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Set all settings of a group; what is not given takes its default
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
        #[arg(long, value_delimiter = ',', default_value = "file")]
        channels: Vec<String>,
        /// Delivery target in the channel's own terms
        #[arg(long)]
        chat: Option<String>,
    },
    /// Show the newest settings of a group
    Show {
        #[command(flatten)]
        group: Name,
        /// Print JSON
        #[arg(long)]
        json: bool,
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
        Command::Set { group, hours, time_zone, language, scopes, channels, chat } => {
            let wanted = GroupSettings { window_hours: hours, time_zone, language, scopes, channels, chat };
            set(&group, &wanted, settings, out)
        }
        Command::Show { group, json } => show(&group, json, settings, out),
    }
}

fn set(
    name: &Name,
    wanted: &GroupSettings,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let group = Group::new(&name.tenant, &name.group)?;
    let now = jiff::Timestamp::now().as_millisecond();
    let mut source = SettingsSource::new(&group, wanted, &now.to_string(), now)?;
    let config = settings.config()?;
    Settings::start_logging(&config)?;
    let mut host = Host::new(config, 1)?;
    host.stop_on_signals();
    if host.drive(&mut source, &mut |_| {})? == SourceEnd::Stopped {
        bail!("stopped before the settings were written");
    }
    writeln!(out, "set for {}/{}, effective for windows opened from now on", name.tenant, name.group)?;
    Ok(Exit::Done)
}

fn show(name: &Name, json: bool, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let group = Group::new(&name.tenant, &name.group)?;
    let key = format!("{}/{}", group.tenant_id(), group.group_id());
    let found = operate::newest_settings(&settings.config()?, &Map::embedded()?, &key)?;
    let (from, found) = found.map_or(("default", GroupSettings::default()), |found| ("set", found));
    if json {
        writeln!(out, "{}", serde_json::json!({ "from": from, "settings": found }))?;
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
