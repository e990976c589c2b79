//! `gistmill tap`: the records of a topic, decoded, whatever revision of a schema they were written with.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    ops::ControlFlow,
};

use clap::Args;
use operate::{AvroJson, Decoded, Heard, Misplaced, Place, TapOptions, Tapped, TextOrHex, WithTimes, hex};
use serde::Serialize;
use topology::Map;

use crate::{
    exit::Exit,
    printing::{Header, by_name, bytes_text, printable, reading_bar, show_progress, when},
    settings::Settings,
};

/// Print the records of a topic, decoded
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line are independent of each other")]
pub(crate) struct Arguments {
    /// Topic, by the name that the map gives it
    topic: String,
    /// Where to begin in each partition: beginning, end, an offset, -N (N offsets before the end), or a time.
    /// Default: beginning; with --follow, end
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    from: Option<Place>,
    /// One partition only
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// Most records
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Records of this tenant only
    #[arg(long)]
    tenant: Option<String>,
    /// Records of this group only
    #[arg(long)]
    group: Option<String>,
    /// Records of open and aborted transactions, too
    #[arg(long)]
    uncommitted: bool,
    /// Go on with what comes, until interrupted
    #[arg(long)]
    follow: bool,
    /// Print headers; JSON has them anyway
    #[arg(long)]
    headers: bool,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill tap group.window.ready.v1 --limit 3
  gistmill tap digest.blocked.v1 --follow --tenant acme
  gistmill tap group.message.ingested.v1 --from 2026-03-01 --tenant acme --group team --json | jq .value.messages
  gistmill tap gistmill.positions.v1
  gistmill topology graph --text          names the topics

Order holds within a partition; partitions come side by side. Values are printed whole: pipe them through a pager.
Times are RFC 3339; in JSON (--json) they are milliseconds, as the record has them.
In JSON, bytes that are no text become {\"hex\": \"..\"}, and what cannot be decoded says why under `undecodable`.
A record that readers refuse for its key or its partition is marked `wrong_key` or `wrong_partition`, with where it
belongs; in JSON under `misplaced`.";

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (config, map) = (settings.config()?, Map::embedded()?);
    let default = if arguments.follow { Place::End } else { Place::Beginning };
    let options = TapOptions {
        topic: arguments.topic,
        partition: arguments.partition,
        from: arguments.from.unwrap_or(default),
        tenant: arguments.tenant,
        group: arguments.group,
        limit: arguments.limit,
        uncommitted: arguments.uncommitted,
        follow: arguments.follow,
    };
    let bar = reading_bar();
    let mut told = |heard: Heard<'_>| {
        match heard {
            Heard::Record(record) if arguments.json => bar.suspend(|| json_line(record, out))?,
            Heard::Record(record) => bar.suspend(|| pretty(record, arguments.headers, out))?,
            Heard::Progress { done, total } if !options.follow => show_progress(&bar, done, total),
            Heard::Progress { .. } => {}
        }
        Ok(ControlFlow::Continue(()))
    };
    let count = operate::tap(&config, &map, &options, &mut told);
    bar.finish_and_clear();
    if count? == 0 && !options.follow {
        // Data is what goes to standard output; that there is none is news about it.
        drop(writeln!(io::stderr(), "no records"));
    }
    Ok(Exit::Done)
}

/// One record as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    partition: i32,
    offset: i64,
    append_time: String,
    key: Option<TextOrHex<'a>>,
    headers: BTreeMap<&'a str, Header<'a>>,
    value: Value<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undecodable: Option<Undecodable<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    misplaced: Option<WronglyPlaced<'a>>,
}

/// Where a record belongs that lies elsewhere.
#[derive(Serialize)]
struct WronglyPlaced<'a> {
    reason: &'static str,
    detail: String,
    key: &'a str,
    partition: i32,
}

impl<'a> From<&'a Misplaced> for WronglyPlaced<'a> {
    fn from(misplaced: &'a Misplaced) -> Self {
        let place = misplaced.place();
        Self {
            reason: misplaced.reason(),
            detail: misplaced.to_string(),
            key: &place.key,
            partition: place.partition,
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Avro(&'a AvroJson),
    Json(serde_json::Value),
    Bytes { hex: String },
    Nothing(()),
}

#[derive(Serialize)]
struct Undecodable<'a> {
    reason: &'a str,
    detail: &'a str,
    hex: Option<String>,
}

fn value(decoded: &Decoded) -> Value<'_> {
    match decoded {
        Decoded::Avro(value) => Value::Avro(value),
        Decoded::Text(text) => {
            Value::Json(serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::from(text.as_str())))
        }
        Decoded::Bytes(bytes) => Value::Bytes { hex: hex(bytes) },
        Decoded::Tombstone | Decoded::Undecodable { .. } => Value::Nothing(()),
    }
}

/// What a value says, as pretty JSON with times that people read, or in words.
pub(crate) fn value_text(decoded: &Decoded) -> serde_json::Result<String> {
    Ok(match decoded {
        Decoded::Bytes(bytes) => format!("{} bytes that only their writer reads", bytes.len()),
        Decoded::Tombstone => "tombstone: no value".to_owned(),
        Decoded::Undecodable { reason, detail, bytes } => {
            let size = bytes
                .as_ref()
                .map_or_else(|| "no value".to_owned(), |bytes| format!("{} bytes", bytes.len()));
            format!("undecodable ({reason}, {size}): {}", printable(detail))
        }
        Decoded::Avro(value) => serde_json::to_string_pretty(&WithTimes(value))?,
        Decoded::Text(_) => serde_json::to_string_pretty(&value(decoded))?,
    })
}

fn json_line(record: &Tapped, out: &mut dyn Write) -> io::Result<()> {
    let undecodable = match &record.value {
        Decoded::Undecodable { reason, detail, bytes } => {
            Some(Undecodable { reason, detail, hex: bytes.as_deref().map(hex) })
        }
        _ => None,
    };
    let line = Line {
        partition: record.partition,
        offset: record.offset,
        append_time: when(record.append_time_ms),
        key: record.key.as_deref().map(TextOrHex),
        headers: by_name(&record.headers),
        value: value(&record.value),
        undecodable,
        misplaced: record.misplaced.as_ref().map(WronglyPlaced::from),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

fn pretty(record: &Tapped, with_headers: bool, out: &mut dyn Write) -> io::Result<()> {
    let key = bytes_text(record.key.as_deref());
    let kind = record.header("ce_type").map(printable).unwrap_or_default();
    let place = format!("{}:{}", record.partition, record.offset);
    writeln!(out, "{place:<12} {}  {key}  {kind}", when(record.append_time_ms))?;
    if let Some(misplaced) = &record.misplaced {
        writeln!(out, "  {}: {misplaced}", misplaced.reason())?;
    }
    if with_headers {
        for (name, value) in &record.headers {
            writeln!(out, "  {}: {}", printable(name), bytes_text(value.as_deref()))?;
        }
    }
    writeln!(out, "{}\n", value_text(&record.value)?)
}

#[cfg(test)]
mod tests;
