//! `gistmill import`: a chat export, or lines as they come, into the pipeline.

mod known;
mod progress;
mod summary;

use std::{io::Write, path::PathBuf};

use clap::Args;
use runtime::{Config, Host, Source, SourceEnd};
use telegram_export_source::{DateOrder, FeedOptions, FeedSource, FileOptions, FileSource, Group, Meter};
use topology::Map;

use crate::{exit::Exit, settings::Settings};
use known::{Ids, Known, Telling};
use progress::Reporter;

/// Read a chat export into the pipeline
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// An export of Telegram, WhatsApp, Discord or Slack (file, folder or zip), or JSON Lines (`-`: standard input)
    file: PathBuf,
    /// Tenant that owns the group
    #[arg(long)]
    tenant: String,
    /// Group that the messages go to
    #[arg(long)]
    group: String,
    /// Which chat or channel of an export with several: its id or name
    #[arg(long, conflicts_with = "follow")]
    chat: Option<String>,
    /// Go on with what is appended: lane `live`, whose windows close as time passes
    #[arg(long)]
    follow: bool,
    /// Stable name of what is read; standard input and --follow need one to resume
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// Zone of dates that tell none, an IANA name; otherwise the group's own, else UTC
    #[arg(long, value_name = "ZONE", conflicts_with = "follow")]
    time_zone: Option<String>,
    /// How an export of WhatsApp writes dates, where it does not tell: day, month or year first
    #[arg(long, value_name = "ORDER", conflicts_with = "follow", value_parser = date_order)]
    date_order: Option<DateOrder>,
    /// Import all but what is damaged, and name that: for an export that cannot be made again
    #[arg(long)]
    skip_damaged: bool,
    /// Deliver the digests of this export to all channels of the group; otherwise they are for files. A window that had
    /// its digest before is not delivered again
    #[arg(long, conflicts_with = "follow")]
    deliver: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill import result.json --tenant acme --group team
  gistmill import result.json.gz --tenant acme --group qa --json
  gistmill import full/result.json --chat 'Team chat' --tenant acme --group team
  gistmill import ChatExport_2026-03-02/ --tenant acme --group team    Telegram's HTML
  gistmill import workspace.zip --chat random --tenant acme --group random    Slack; without --chat, what there is
  gistmill import 'WhatsApp Chat with Team.zip' --time-zone Europe/Berlin --tenant acme --group team
  my-bridge | gistmill import - --follow --id bridge --tenant acme --group team

Whose export it is, is told by what is in it; docs/SOURCES.md says what is read of each.
The same file imported again adds nothing; an interrupted import goes on where it stopped.
What Telegram Desktop is known to write wrongly is repaired and counted; other damage is told and refused.

JSON Lines are objects, one a line, in the order in which things happened:
  {\"id\": 17, \"sent_at\": \"2026-03-02T10:00:00Z\", \"author\": {\"id\": \"u1\"}, \"text\": \"At 15:00?\"}
  {\"id\": 18, \"sent_at\": 1772445900000, \"author\": {\"id\": \"u2\"}, \"text\": \"Yes\", \"reply_to\": 17}
  {\"id\": 17, \"kind\": \"edited\", \"edited_at\": .., \"sent_at\": .., \"author\": .., \"text\": ..}
  {\"id\": 18, \"kind\": \"deleted\", \"deleted_at\": .., \"sent_at\": ..}
  {\"complete_until\": \"2026-03-02T12:00:00Z\"}    nothing older will come
A message needs `id` and `sent_at`: when it was first sent, with offset, or seconds or ms since the epoch.";

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let config = settings.config()?;
    Settings::start_logging(&config)?;
    let group = Group::new(&arguments.tenant, &arguments.group)?;
    let meter = Meter::default();
    let reporter = Reporter::start(meter.clone());
    let (end, known) = if arguments.follow || arguments.file.as_os_str() == "-" {
        anyhow::ensure!(
            arguments.time_zone.is_none() && arguments.date_order.is_none(),
            "--time-zone and --date-order are for exports: dates of lines tell their zone"
        );
        let path = (arguments.file.as_os_str() != "-").then(|| arguments.file.clone());
        anyhow::ensure!(
            !arguments.deliver,
            "--deliver is for exports: write the lines into a file and import that, or --follow them"
        );
        let (follow, skip_damaged) = (arguments.follow, arguments.skip_damaged);
        let options = FeedOptions { group, path, id: arguments.id.clone(), follow, skip_damaged };
        let source = FeedSource::open(&options, meter.clone())?;
        drive(config, source, (!follow).then_some(&options.group))?
    } else {
        let (path, chat) = (arguments.file.clone(), arguments.chat.clone());
        let (time_zone, skip_damaged) = (arguments.time_zone.clone(), arguments.skip_damaged);
        let date_order = arguments.date_order;
        let options = FileOptions { group, path, chat, time_zone, date_order, skip_damaged };
        let source = FileSource::open(&options, meter.clone())?;
        let source = in_time_zone_of_group(source, &options, &config)?;
        let source = if arguments.deliver { source.delivered() } else { source };
        drive(config, source, Some(&options.group))?
    };
    reporter.finish();
    let summary = meter.snapshot().summary;
    let known = known.as_ref().map(Known::count);
    let told = summary::Told { summary: &summary, known, end, follow: arguments.follow };
    if arguments.json {
        writeln!(out, "{}", told.json())?;
    } else {
        told.write(out)?;
    }
    Ok(verdict(end, arguments.follow))
}

fn date_order(name: &str) -> Result<DateOrder, String> {
    DateOrder::parse(name).ok_or_else(|| "give dmy, mdy or ymd".to_owned())
}

/// Takes local dates in the group's zone, if it has settings and no other zone was asked for.
fn in_time_zone_of_group(
    source: FileSource,
    options: &FileOptions,
    config: &Config,
) -> anyhow::Result<FileSource> {
    if options.time_zone.is_some() || source.zone_assumed() == 0 {
        return Ok(source);
    }
    let key = format!("{}/{}", options.group.tenant_id(), options.group.group_id());
    let settings = operate::newest_settings(config, &Map::embedded()?, &key)?;
    match settings {
        Some(settings) => Ok(source.in_time_zone(&settings.time_zone)?),
        None => Ok(source),
    }
}

/// What is followed has no end of its own: whoever stops it has had what was asked for.
fn verdict(end: SourceEnd, follow: bool) -> Exit {
    if end == SourceEnd::Finished || follow { Exit::Done } else { Exit::Failed }
}

/// Runs a source, and counts what the group had before of what it gives; what is followed is not counted.
fn drive<S: Source>(
    config: Config,
    source: S,
    group: Option<&Group>,
) -> anyhow::Result<(SourceEnd, Option<Known>)> {
    let map = Map::embedded()?;
    let mut known = group.map(|group| Known::before(&config, &map, group));
    let mut host = Host::new(config, 1)?;
    host.stop_on_signals();
    let ids = Ids::default();
    let mut source = Telling { source, ids: ids.clone() };
    let end = host.drive(&mut source, &mut |_| {
        if let Some(known) = &mut known {
            known.committed(&ids);
        }
    })?;
    Ok((end, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_followed_ends_well_when_it_is_stopped_and_a_file_does_not() {
        assert_eq!(verdict(SourceEnd::Stopped, true), Exit::Done);
        assert_eq!(verdict(SourceEnd::Stopped, false), Exit::Failed);
        assert_eq!(verdict(SourceEnd::Finished, false), Exit::Done);
    }
}
