//! `gistmill trace`: the way of one digest through the topics, with its times, or of a message into its digests.

mod message;

use std::io::Write;

use anyhow::bail;
use clap::{Args, builder::NonEmptyStringValueParser};
use jiff::Timestamp;
use operate::{Trace, TraceOptions, TraceStep};
use serde_json::Value;
use topology::Map;

use crate::{
    exit::Exit,
    printing::{age, columns, fitted},
    settings::Settings,
};

/// Show the way of one digest or message through the topics, and where its time went
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Id of a window or of a digest, as `digest ls --json` has them, or of a message, as `search` has it
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// Its tenant; with --group only one partition is searched
    #[arg(long, requires = "group", value_parser = NonEmptyStringValueParser::new())]
    tenant: Option<String>,
    /// Its group
    #[arg(long, requires = "tenant", value_parser = NonEmptyStringValueParser::new())]
    group: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill trace 6f0c2c0e-6d3b-5d0c-9a43-3a6f1a4d7b11
  gistmill trace 6f0c2c0e-6d3b-5d0c-9a43-3a6f1a4d7b11 --tenant acme --group team --json
  gistmill trace 4711 --tenant acme --group team

A message is told with its states, the windows that it fell into, which of their digests cite it, their deliveries and the way of
each. Of a window the newest version is followed. Times are those at which the broker appended each event; what stands
before an event is the time since the one above, so that they add up. Of each is told how long its input was in the queue (also
behind others whose work was not done), how long in work, how much of that waited for lookups in Postgres and the index and for a
language model, and how long it lay there itself until its transaction was ended and it could be read. Stages tell their work
themselves; of a unit that does not, queue and work are one number. What nobody tells is not shown.";

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (config, map) = (settings.config()?, Map::embedded()?);
    let group = arguments.tenant.clone().zip(arguments.group.clone());
    if let Ok(id) = arguments.id.parse() {
        let Some(of) = group else {
            bail!("ids of messages are those of a group: give --tenant and --group with {id}")
        };
        return message::run(&config, (of, id), arguments.json, out);
    }
    let options = TraceOptions { id: arguments.id.clone(), group };
    let Some(trace) = operate::trace(&config, &map, &options)? else {
        bail!(
            "no window and no digest has the id {}: `gistmill digest ls --json` and `digest ls --blocked --json` have them; \
             one whose window is still open has no events yet",
            arguments.id
        );
    };
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string(&trace)?)?;
    } else {
        print(&trace, columns(), out)?;
    }
    Ok(Exit::Done)
}

fn print(trace: &Trace, columns: Option<usize>, out: &mut dyn Write) -> std::io::Result<()> {
    let time = |ms: i64| Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string());
    writeln!(out, "digest {} of {}/{}", trace.digest_id, trace.tenant_id, trace.group_id)?;
    writeln!(out, "window {} version {}", trace.window_id, trace.version)?;
    writeln!(out, "       {} to {}", time(trace.window.0), time(trace.window.1))?;
    writeln!(out, "trace  {}", trace.trace_id)?;
    print_steps(trace, columns, out)
}

fn print_steps(trace: &Trace, columns: Option<usize>, out: &mut dyn Write) -> std::io::Result<()> {
    let time = |ms: i64| Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string());
    let last = trace.steps.len().saturating_sub(1);
    for (number, step) in trace.steps.iter().enumerate() {
        let branch = if number == last && trace.missing.is_empty() { "└─" } else { "├─" };
        let line = format!("{branch} {:>9}  {}", after(step), event(step));
        writeln!(out, "{}", fitted(&line, columns))?;
        let bar = if branch == "└─" { "  " } else { "│ " };
        let place =
            format!("{bar}            {} {}:{}", time(step.appended_at_ms), step.partition, step.offset);
        if let Some(waits) = waits(step) {
            writeln!(out, "{}", fitted(&format!("{bar}            {waits}"), columns))?;
        }
        let details: Vec<String> = step.details.iter().map(|(name, value)| detail(name, value)).collect();
        writeln!(out, "{}", fitted(&format!("{place}  {}", details.join(" ")), columns))?;
    }
    for topic in &trace.missing {
        writeln!(out, "└─            {topic} has not come yet; see `gistmill lag`")?;
    }
    writeln!(out, "{} from its first event to its last", span(trace.seconds))
}

fn after(step: &TraceStep) -> String {
    format!("+{}", span(step.after_seconds))
}

/// Where its time went, as far as that is known.
fn waits(step: &TraceStep) -> Option<String> {
    let asked = [("for lookups", step.lookup_seconds), ("for the model", step.model_seconds)];
    let asked = asked.into_iter().filter_map(|(of, seconds)| Some(format!("{} {of}", span(seconds?))));
    let asked = match asked.collect::<Vec<_>>() {
        none if none.is_empty() => String::new(),
        parts => format!(", of it {}", parts.join(" and ")),
    };
    let before = match (step.queue_and_work_seconds, step.work_seconds) {
        (Some(both), Some(work)) => {
            let queue = span((both - work).max(0.0));
            Some(format!("{queue} in the queue, then {} in work{asked}", span(work)))
        }
        (Some(both), None) => Some(format!("{} in queue and work{asked}", span(both))),
        (None, Some(work)) => Some(format!("{} in work{asked}", span(work))),
        (None, None) => None,
    };
    let transaction = step.transaction_seconds.map(|it| format!("{} in its transaction", span(it)));
    let told: Vec<String> = before.into_iter().chain(transaction).collect();
    (!told.is_empty()).then(|| told.join(", then "))
}

/// Short spans to the millisecond, long ones as ages are told.
fn span(seconds: f64) -> String {
    if seconds < 60.0 { format!("{seconds:.3} s") } else { age(seconds) }
}

fn event(step: &TraceStep) -> String {
    match &step.unit {
        Some(unit) => format!("{unit} → {}", step.topic),
        None => step.topic.clone(),
    }
}

fn detail(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn step(topic: &str, unit: Option<&str>, after_seconds: f64) -> TraceStep {
        TraceStep {
            topic: topic.to_owned(),
            unit: unit.map(str::to_owned),
            partition: 3,
            offset: 7,
            appended_at_ms: 1_700_000_000_000,
            after_seconds,
            transaction_seconds: unit.map(|_| 0.006),
            queue_and_work_seconds: unit.is_none().then_some(1.5),
            work_seconds: None,
            lookup_seconds: None,
            model_seconds: unit.is_none().then_some(1.25),
            details: BTreeMap::from([("outcome", Value::from("ok")), ("tokens", Value::from(0))]),
        }
    }

    #[test]
    fn work_is_told_apart_from_the_queue_and_lookups_from_the_model() {
        let told = |change: &dyn Fn(&mut TraceStep)| {
            let mut step = TraceStep { model_seconds: None, ..step("a.v1", None, 0.25) };
            change(&mut step);
            waits(&step)
        };
        let both = told(&|step| {
            step.work_seconds = Some(1.2);
            step.lookup_seconds = Some(0.7);
            step.model_seconds = Some(0.4);
            step.transaction_seconds = Some(0.006);
        });
        let expected = "0.300 s in the queue, then 1.200 s in work, of it 0.700 s for lookups and 0.400 s for the model, \
                        then 0.006 s in its transaction";
        assert_eq!(both.as_deref(), Some(expected));
        let rounded = told(&|step| step.work_seconds = Some(1.501));
        assert_eq!(rounded.as_deref(), Some("0.000 s in the queue, then 1.501 s in work"));
        let alone = told(&|step| (step.queue_and_work_seconds, step.work_seconds) = (None, Some(0.5)));
        assert_eq!(alone.as_deref(), Some("0.500 s in work"));
        assert_eq!(told(&|_| {}).as_deref(), Some("1.500 s in queue and work"));
    }

    #[test]
    fn events_stand_below_each_other_with_the_time_between() {
        let steps =
            vec![step("group.window.ready.v1", Some("window_builder"), 0.0), step("a.v1", None, 0.25)];
        let mut trace = Trace {
            tenant_id: "acme".to_owned(),
            group_id: "qa".to_owned(),
            window_id: "w".to_owned(),
            digest_id: "d".to_owned(),
            version: "1.0".to_owned(),
            trace_id: "t".to_owned(),
            window: (0, 86_400_000),
            seconds: 0.25,
            steps,
            missing: Vec::new(),
        };
        let shown = |trace: &Trace| {
            let mut out = Vec::new();
            print(trace, None, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let expected = "\
digest d of acme/qa
window w version 1.0
       1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z
trace  t
├─  +0.000 s  window_builder → group.window.ready.v1
│             0.006 s in its transaction
│             2023-11-14T22:13:20Z 3:7  outcome=ok tokens=0
└─  +0.250 s  a.v1
              1.500 s in queue and work, of it 1.250 s for the model
              2023-11-14T22:13:20Z 3:7  outcome=ok tokens=0
0.250 s from its first event to its last
";
        assert_eq!(shown(&trace), expected);
        trace.missing.push("b.v1".to_owned());
        assert!(shown(&trace).contains("\n└─            b.v1 has not come yet; see `gistmill lag`\n"));
    }
}
