//! `gistmill group`: settings of a group, which travel with its messages, and its lanes.

mod change;
mod lane;
mod link;
mod list;
mod subscribers;

use std::io::Write;

use anyhow::bail;
use clap::{Args, Subcommand};
use runtime::{Host, SourceEnd};
use schemas::GroupSettings;
use telegram_export_source::{ControlSource, Group};
use topology::Map;

use crate::{exit::Exit, printing::printable, settings::Settings};
use change::Change;

/// List groups, set or show how a group's digests are made; its lanes
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill group ls --tenant acme
  gistmill group set --tenant acme --group team --hours 6,24 --time-zone Europe/Berlin --language en
  gistmill group show --tenant acme --group team --json
  gistmill group lane ls --tenant acme --group team

Settings hold for windows opened after them. Without any: 24 hours, UTC, language of the messages, channel file.";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the groups that have messages or settings, with their settings
    #[command(after_help = "\
Examples:
  gistmill group ls
  gistmill group ls --tenant acme --json | jq -r .group_id

Read from the log, as window_builder reads it: all of it, which takes as long as that.")]
    Ls {
        /// Of this tenant only
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Change settings of a group; what is not given stays as it is
    #[command(after_help = "\
Examples:
  gistmill group set --tenant acme --group team --hours 6,24 --time-zone Europe/Berlin
  gistmill group set --tenant acme --group team --window 2h,24h --at 09:00
  gistmill group set --tenant acme --group team --channels file,telegram --chat -1001234567890/45
  gistmill group set --tenant acme --group team --language en --json")]
    Set {
        #[command(flatten)]
        group: Name,
        #[command(flatten)]
        change: Change,
        /// Print what was set as JSON, as `show` does, with what held before
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
    /// Read a Telegram chat into a group, as it happens
    #[command(after_help = "\
Examples:
  gistmill group link --tenant acme --group team --chat -1001234567890
  gistmill group link --tenant acme --group team --code

The chat's id is -100 and the number in a message's link (t.me/c/NUMBER/..) or in an export. It is read from now on by
telegram_bot_source, which needs a bot's token (GISTMILL_TELEGRAM__TOKEN) and the bot in the chat.")]
    Link {
        #[command(flatten)]
        group: Name,
        /// Id of the chat, as bots see it
        #[arg(long, allow_hyphen_values = true, required_unless_present = "code")]
        chat: Option<i64>,
        /// Print a code instead, which whoever writes it in the chat links it by: once, within an hour
        #[arg(long, conflicts_with = "chat")]
        code: bool,
    },
    /// Read a Telegram chat no more
    #[command(after_help = "\
Examples:
  gistmill group unlink --chat -1001234567890

What was read stays.")]
    Unlink {
        /// Id of the chat, as bots see it
        #[arg(long, allow_hyphen_values = true)]
        chat: i64,
    },
    /// List the Telegram chats that are read
    #[command(after_help = "\
Examples:
  gistmill group links
  gistmill group links --json | jq .chat")]
    Links {
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// List who gets a group's digests in a private chat
    #[command(after_help = "\
Examples:
  gistmill group subscribers --tenant acme --group team
  gistmill group subscribers --tenant acme --group team --json | jq .person_id

People subscribe and unsubscribe themselves, in the chat. One whose subscription has ended stays here with the reason.")]
    Subscribers {
        #[command(flatten)]
        group: Name,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// End the bot's webhook, so that its updates are polled
    #[command(after_help = "\
Examples:
  gistmill group webhook --delete

Take telegram.webhook_url out of the settings first: telegram_bot_source sets the webhook when it starts. Updates that wait
are polled; `gistmill doctor` says where they go.")]
    Webhook {
        /// End it
        #[arg(long, required = true)]
        delete: bool,
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
        Command::Ls { tenant, json } => list::run(tenant, json, settings, out),
        Command::Set { group, change, json } => change::run(&group, &change, (settings, json), out),
        Command::Show { group, json } => show(&group, json, settings, out),
        Command::Link { group, chat: Some(chat), .. } => link::link(&group, chat, settings, out),
        Command::Link { group, chat: None, .. } => link::make_code(&group, settings, out),
        Command::Unlink { chat } => link::unlink(chat, settings, out),
        Command::Webhook { .. } => link::end_webhook(settings, out),
        Command::Links { json } => link::list(json, settings, out),
        Command::Subscribers { group, json } => subscribers::list(&group, json, settings, out),
        Command::Lane { command } => lane::run(command, settings, out),
    }
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

fn as_json(from: &str, settings: &GroupSettings) -> serde_json::Value {
    serde_json::json!({ "from": from, "settings": settings })
}

/// The settings that hold now, and whether any were ever set.
fn newest(name: &Name, settings: &Settings) -> anyhow::Result<Option<GroupSettings>> {
    let group = Group::new(&name.tenant, &name.group)?;
    let key = format!("{}/{}", group.tenant_id(), group.group_id());
    Ok(operate::newest_settings(&settings.config()?, &Map::embedded()?, &key)?)
}

/// Each setting by its name, as people read it.
fn fields(settings: &GroupSettings) -> [(&'static str, String); 7] {
    let hours: Vec<String> = settings.window_hours.iter().map(ToString::to_string).collect();
    let day_start = settings.day_start_minutes;
    [
        ("hours", hours.join(",")),
        ("day starts", format!("{:02}:{:02}", day_start / 60, day_start % 60)),
        ("time zone", settings.time_zone.clone()),
        ("language", settings.language.clone()),
        ("scopes", settings.scopes.join(",")),
        ("channels", settings.channels.join(",")),
        ("chat", settings.chat.clone().unwrap_or_else(|| "-".to_owned())),
    ]
}

fn show(name: &Name, json: bool, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let found = newest(name, settings)?;
    let (from, found) = found.map_or(("default", GroupSettings::default()), |found| ("set", found));
    if json {
        writeln!(out, "{}", as_json(from, &found))?;
        return Ok(Exit::Done);
    }
    writeln!(out, "{:<10} {from}", "settings")?;
    for (field, value) in fields(&found) {
        writeln!(out, "{field:<10} {}", printable(&value))?;
    }
    Ok(Exit::Done)
}
