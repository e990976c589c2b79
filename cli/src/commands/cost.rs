//! `gistmill cost`: what calls to language models came to, by tenant, group, stage and model.
//!
//! Invariant: every row of the ledger counts once; a cost that no price is known of is shown as unknown, not as nothing.

use std::{collections::BTreeMap, io::Write};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum, builder::NonEmptyStringValueParser};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use runtime::Host;
use serde_json::json;
use state::{LlmCosts, Store};

use crate::{
    exit::Exit,
    printing::{columns, fitted, printable},
    settings::Settings,
};

/// Show what calls to language models came to
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// One tenant only. Default: all
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: Option<String>,
    /// Month of UTC, as 2026-11. Default: this one
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
    /// What a line stands for beside the tenant
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [By::Group, By::Stage, By::Model])]
    by: Vec<By>,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill cost
  gistmill cost --tenant acme --month 2026-10
  gistmill cost --by model
  gistmill cost --by day,user,payer
  gistmill cost --json | jq -s 'map(.cost) | add'

Calls: settled were answered, failed were not, unknown are those that broke off or whose process died before their end;
the provider may have charged for up to so many tokens. Prices: docs/MODELS.md.";

/// A part of the key of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum By {
    /// Day of UTC
    Day,
    /// Who asked for the digest; `-` for those of the schedule
    User,
    /// Whose key was used: operator, tenant or user
    Payer,
    /// Group whose messages were told
    Group,
    /// Stage that asked
    Stage,
    /// Provider, by its name in the settings
    Provider,
    /// Model
    Model,
}

/// Stands for nobody: a digest of the schedule.
const NOBODY: &str = "-";

/// What a line stands for: the tenant, the parts asked for, and the currency, in which alone costs add up.
type Key = (String, Vec<String>, String);

/// What calls came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    settled: i64,
    failed: i64,
    open: i64,
    unknown: i64,
    tokens_in: i64,
    tokens_out: i64,
    tokens_unknown: i64,
    cost_micros: i64,
}

impl Sum {
    fn told(&self) -> String {
        let calls = [(self.failed, "failed"), (self.open, "on their way"), (self.unknown, "unknown")];
        let others: Vec<String> = calls
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!(", {count} {what}"))
            .collect();
        let others = others.concat();
        let more = match self.tokens_unknown {
            0 => String::new(),
            tokens => format!(", at most {tokens} more"),
        };
        let (settled, read, written) = (self.settled, self.tokens_in, self.tokens_out);
        format!("{settled} calls{others}; {read} tokens read, {written} written{more}")
    }
}

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    let range = month(arguments.month.as_deref(), Timestamp::now())?;
    let sums = host.block_on(sums(&store, arguments, range))?;
    print(&sums, arguments, out)
}

/// The beginning of a month and of the next, in ms.
fn month(text: Option<&str>, now: Timestamp) -> anyhow::Result<(i64, i64)> {
    let first: Date = match text {
        Some(text) => {
            format!("{text}-01").parse().with_context(|| format!("{text:?} is no month: expected 2026-11"))?
        }
        None => now.to_zoned(TimeZone::UTC).date().first_of_month(),
    };
    let next = first.last_of_month().tomorrow().context("there is no month after it")?;
    let ms = |date: Date| anyhow::Ok(date.to_zoned(TimeZone::UTC)?.timestamp().as_millisecond());
    Ok((ms(first)?, ms(next)?))
}

async fn sums(store: &Store, arguments: &Arguments, range: (i64, i64)) -> anyhow::Result<BTreeMap<Key, Sum>> {
    store.ready().await.context("could not read what models cost")?;
    let known = store.tenants().await?;
    let tenants = match &arguments.tenant {
        Some(tenant) if !known.contains(tenant) => {
            bail!(
                "nothing is stored of tenant {}; there are {}",
                printable(tenant),
                printable(&known.join(", "))
            )
        }
        Some(tenant) => vec![tenant.clone()],
        None => known,
    };
    let mut sums = BTreeMap::new();
    for tenant in tenants {
        for costs in store.llm_costs(&tenant, range).await? {
            add(&mut sums, &tenant, &arguments.by, &costs);
        }
    }
    Ok(sums)
}

fn add(sums: &mut BTreeMap<Key, Sum>, tenant: &str, by: &[By], costs: &LlmCosts) {
    let part = |by: &By| match by {
        By::Day => costs.day.clone(),
        By::User if costs.user_id.is_empty() => NOBODY.to_owned(),
        By::User => costs.user_id.clone(),
        By::Payer => costs.payer.clone(),
        By::Group => costs.group_id.clone(),
        By::Stage => costs.stage.clone(),
        By::Provider => costs.provider.clone(),
        By::Model => costs.model.clone(),
    };
    let key = (tenant.to_owned(), by.iter().map(part).collect(), costs.currency.clone());
    let sum = sums.entry(key).or_default();
    let calls = match costs.state.as_str() {
        "settled" => &mut sum.settled,
        "failed" => &mut sum.failed,
        "reserved" => &mut sum.open,
        _ => &mut sum.unknown,
    };
    *calls += costs.calls;
    sum.tokens_in += costs.tokens_in;
    sum.tokens_out += costs.tokens_out;
    sum.tokens_unknown += costs.tokens_reserved;
    sum.cost_micros += costs.cost_micros;
}

fn print(sums: &BTreeMap<Key, Sum>, arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if sums.is_empty() && !arguments.json {
        writeln!(out, "no language model was asked in that month; docs/MODELS.md says how one is set up")?;
    }
    let width = columns();
    for ((tenant, parts, currency), sum) in sums {
        if arguments.json {
            writeln!(out, "{}", as_json(arguments, (tenant, parts, currency), sum))?;
            continue;
        }
        let name = printable(
            &std::iter::once(tenant).chain(parts).map(String::as_str).collect::<Vec<_>>().join("/"),
        );
        let line = format!("{}  {name}  {}", money(sum.cost_micros, currency), sum.told());
        writeln!(out, "{}", fitted(&line, width))?;
    }
    Ok(Exit::Done)
}

fn as_json(
    arguments: &Arguments,
    (tenant, parts, currency): (&str, &[String], &str),
    sum: &Sum,
) -> serde_json::Value {
    let mut line = json!({
        "tenant": tenant,
        "settled": sum.settled,
        "failed": sum.failed,
        "reserved": sum.open,
        "unknown": sum.unknown,
        "tokens_in": sum.tokens_in,
        "tokens_out": sum.tokens_out,
        "tokens_unknown": sum.tokens_unknown,
        "cost": (!currency.is_empty()).then(|| sum.cost_micros as f64 / 1_000_000.0),
        "currency": (!currency.is_empty()).then_some(currency),
    });
    for (by, part) in arguments.by.iter().zip(parts) {
        if *by == By::User && part == NOBODY {
            line["user"] = serde_json::Value::Null;
            continue;
        }
        let name = match by {
            By::Day => "day",
            By::User => "user",
            By::Payer => "payer",
            By::Group => "group",
            By::Stage => "stage",
            By::Provider => "provider",
            By::Model => "model",
        };
        line[name] = json!(part);
    }
    line
}

/// `0.001234 USD`, or that no price is known.
fn money(micros: i64, currency: &str) -> String {
    if currency.is_empty() {
        return "cost unknown".to_owned();
    }
    format!("{}.{:06} {}", micros / 1_000_000, micros % 1_000_000, printable(currency))
}

#[cfg(test)]
mod tests;
