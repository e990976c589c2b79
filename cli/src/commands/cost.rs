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
  gistmill cost --json | jq -s 'map(.cost) | add'

Calls: settled were answered, failed were not (and may have cost something all the same), unknown are those whose process died
before their end; the provider may have charged for up to so many tokens. Prices: docs/MODELS.md.";

/// A part of the key of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum By {
    /// Group whose messages were told
    Group,
    /// Stage that asked
    Stage,
    /// Provider, by its name in the settings
    Provider,
    /// Model
    Model,
}

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
        let name = match by {
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
mod tests {
    use super::*;

    fn costs(state: &str, currency: &str, calls: i64) -> LlmCosts {
        LlmCosts {
            group_id: "garden".to_owned(),
            stage: "writer".to_owned(),
            provider: "pro".to_owned(),
            model: "small".to_owned(),
            currency: currency.to_owned(),
            state: state.to_owned(),
            calls,
            tokens_in: 100 * calls,
            tokens_out: 10 * calls,
            tokens_reserved: if state == "unknown" { 500 } else { 0 },
            cost_micros: if currency.is_empty() { 0 } else { 1_500_000 },
        }
    }

    fn told(json: bool) -> String {
        let arguments = Arguments { tenant: None, month: None, by: vec![By::Group, By::Model], json };
        let mut sums = BTreeMap::new();
        for costs in [costs("settled", "USD", 3), costs("failed", "USD", 1), costs("unknown", "", 2)] {
            add(&mut sums, "acme", &arguments.by, &costs);
        }
        let mut out = Vec::new();
        print(&sums, &arguments, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn costs_add_up_by_currency_and_what_is_not_known_says_so() {
        assert_eq!(
            told(false),
            "cost unknown  acme/garden/small  0 calls, 2 unknown; 200 tokens read, 20 written, at most 500 more\n\
             3.000000 USD  acme/garden/small  3 calls, 1 failed; 400 tokens read, 40 written\n"
        );
        let lines: Vec<serde_json::Value> =
            told(true).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["cost"], &lines[1]["cost"]), (&json!(null), &json!(3.0)));
        assert_eq!(lines[1]["group"], "garden");
    }

    #[test]
    fn a_month_is_one_of_utc() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let november = (at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
        assert_eq!(month(None, now).unwrap(), november);
        assert_eq!(month(Some("2026-11"), now).unwrap(), november);
        assert_eq!(month(Some("2026-12"), now).unwrap().1, at("2027-01-01T00:00:00Z"));
        assert!(month(Some("11/2026"), now).unwrap_err().to_string().contains("expected 2026-11"));
    }
}
