//! `gistmill topology`: the map checked, drawn, compared with a broker and a registry, and applied to them.

mod acl;
mod documents;
mod target;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use topology::Map;
use topology::broker::{self, Options};

use self::target::Target;
use crate::{exit::Exit, settings::Settings};

/// Check, draw and apply the map of topics and processors
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Another map than the one built in
    #[arg(long, global = true, value_name = "FILE")]
    map: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill topology check                    is the map sound?
  gistmill topology graph --text             who reads and writes what
  gistmill topology graph --write PAGE.md    bring a page's chart up to date
  gistmill topology asyncapi                 topics, keys, headers and schemas, for those who subscribe
  gistmill topology acl                      what has each unit to be allowed on a broker?
  gistmill topology plan                     what would apply do? changes nothing
  gistmill topology apply --prefix trial     topics, schemas and groups' offsets of a second pipeline

`plan` and `apply` find Kafka and the registry as all other commands do (--config, GISTMILL_KAFKA__BROKERS, ...); their
own flags come first. `check` and `graph` read no configuration.
Exit codes: 0 done, 1 failed, refused, or problems in the map, 2 wrong command line,
3 Kafka or the registry does not answer.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Look for problems in the map; needs no broker
    #[command(after_help = "\
Examples:
  gistmill topology check
  gistmill topology check --map changed.toml --json")]
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw the map as a Mermaid chart
    #[command(after_help = "\
Examples:
  gistmill topology graph > map.mmd
  gistmill topology graph --text
  gistmill topology graph --write ARCHITECTURE.md")]
    Graph {
        /// Print plain lines instead
        #[arg(long, conflicts_with = "write")]
        text: bool,
        /// Put a short chart (topics on the arrows) between the marks `<!-- graph -->` and `<!-- /graph -->` of a page
        #[arg(long, value_name = "PAGE")]
        write: Option<PathBuf>,
    },
    /// Bring the page of all events up to date: topics, who writes and reads them, identities, fields
    #[command(after_help = "\
Examples:
  gistmill topology events --write docs/EVENTS.md")]
    Events(documents::Events),
    /// Print the topics of events as a document for subscribers (`AsyncAPI` 3.0)
    #[command(
        name = "asyncapi",
        after_help = "\
Examples:
  gistmill topology asyncapi > asyncapi.json
  gistmill topology asyncapi --prefix trial | jq '.channels | keys'"
    )]
    AsyncApi(documents::AsyncApi),
    /// Print the JSON form of records, as `tap --json` has it, as JSON Schemas (2020-12)
    #[command(after_help = "\
Examples:
  gistmill topology json-schema digest.delivered.v1
  gistmill topology json-schema --write schemas")]
    JsonSchema(documents::JsonSchema),
    /// Print the permissions that each unit needs on a broker with an authorizer
    #[command(after_help = "\
Examples:
  gistmill topology acl
  gistmill topology acl --unit window_builder
  gistmill topology acl --json | jq -r '.segmenter[] | .operation + \" \" + .name'

A name that ends with * is what the names of the resources begin with. `operator` is who runs lag, doctor, tap and dlq;
`topology apply` and `reset` are for an administrator.")]
    Acl(acl::Options),
    /// Print what is to be done so that Kafka and the registry hold what the map says
    #[command(after_help = "\
Examples:
  gistmill topology plan
  gistmill --config production.toml topology plan --json")]
    Plan(Target),
    /// Do it: create topics, register schemas, seed the offsets of new groups
    #[command(after_help = "\
Examples:
  gistmill topology apply
  gistmill topology apply --prefix trial --replication-factor 3
  gistmill topology apply --kafka-property security.protocol=SSL")]
    Apply(Target),
}

pub(crate) fn run(arguments: Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let map = map(arguments.map.as_deref())?;
    match arguments.command {
        Command::Check { json } => check(&map, json, out),
        Command::Graph { text, write } => graph(&map, text, write.as_deref(), out),
        Command::Events(options) => documents::events(&map, &options),
        Command::AsyncApi(options) => documents::asyncapi(sound(&map)?, &options, settings, out),
        Command::JsonSchema(options) => documents::json_schema(&options, out),
        Command::Acl(options) => acl::run(sound(&map)?, &options, settings, out),
        Command::Plan(target) => plan(sound(&map)?, &target.options(settings)?, target.json, out),
        Command::Apply(target) => apply(sound(&map)?, &target.options(settings)?, target.json, out),
    }
}

fn map(path: Option<&Path>) -> anyhow::Result<Map> {
    let Some(path) = path else { return Ok(Map::embedded()?) };
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    Map::parse(&text).with_context(|| format!("{} is not a map", path.display()))
}

/// A map with problems is never compared with a broker, let alone applied.
fn sound(map: &Map) -> anyhow::Result<&Map> {
    let problems = topology::check(map);
    if problems.is_empty() {
        return Ok(map);
    }
    let lines: Vec<_> = problems.iter().map(|problem| format!("  {problem}")).collect();
    bail!("the map has problems, so nothing was done:\n{}", lines.join("\n"));
}

fn check(map: &Map, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let problems: Vec<_> = topology::check(map).iter().map(ToString::to_string).collect();
    if json {
        print_json(&serde_json::json!({ "problems": problems }), out)?;
    } else {
        problems.iter().try_for_each(|problem| writeln!(out, "{problem}"))?;
    }
    let sizes = (map.topics().count(), map.processors().count(), map.connectors().count());
    if problems.is_empty() {
        note(&format!("{} topics, {} processors, {} connectors: no problems", sizes.0, sizes.1, sizes.2));
        return Ok(Exit::Done);
    }
    Ok(Exit::Failed)
}

fn graph(map: &Map, text: bool, page: Option<&Path>, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match page {
        Some(page) => write_page(map, page)?,
        None if text => write!(out, "{}", topology::text(map))?,
        None => write!(out, "{}", topology::graph(map))?,
    }
    Ok(Exit::Done)
}

fn write_page(map: &Map, path: &Path) -> anyhow::Result<()> {
    let page = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let Some(changed) = topology::page_with_graph(&page, map) else {
        bail!("{} has no <!-- graph --> and <!-- /graph --> to put the chart between", path.display());
    };
    if changed == page {
        note(&format!("{} is up to date", path.display()));
        return Ok(());
    }
    fs::write(path, changed).with_context(|| format!("could not write {}", path.display()))
}

fn plan(map: &Map, options: &Options, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let plan = runtime()?.block_on(broker::difference(map, options))?;
    if json {
        print_json(&serde_json::to_value(&plan)?, out)?;
    } else {
        plan.actions.iter().try_for_each(|action| writeln!(out, "{action}"))?;
        plan.refusals.iter().try_for_each(|refusal| writeln!(out, "refused: {refusal}"))?;
    }
    if plan.is_empty() {
        note("nothing to do");
    }
    Ok(if plan.refusals.is_empty() { Exit::Done } else { Exit::Failed })
}

fn apply(map: &Map, options: &Options, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut report = |action: &topology::Action| {
        if !json {
            note(&action.to_string());
        }
    };
    let done = runtime()?.block_on(broker::apply(map, options, &mut report))?;
    if json {
        print_json(&serde_json::to_value(&done)?, out)?;
    }
    note(&match done.len() {
        0 => "nothing to do".to_owned(),
        steps => format!("{steps} steps done"),
    });
    Ok(Exit::Done)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("could not start the asynchronous runtime")
}

fn print_json(value: &serde_json::Value, out: &mut dyn Write) -> anyhow::Result<()> {
    Ok(writeln!(out, "{}", serde_json::to_string_pretty(value)?)?)
}

/// Progress is for people: a standard error that cannot be written to does not stop the work.
fn note(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(map: &str) -> (Exit, String) {
        let mut out = Vec::new();
        let exit = check(&Map::parse(map).unwrap(), true, &mut out).unwrap();
        (exit, String::from_utf8(out).unwrap())
    }

    #[test]
    fn problems_are_data_and_an_exit_code() {
        let defaults = "[defaults]\npartitions = 4\nmax_message_bytes = 1000\n[topics]\n";
        assert_eq!(checked(defaults), (Exit::Done, "{\n  \"problems\": []\n}\n".to_owned()));
        let (exit, text) =
            checked(&format!("{defaults}[topics.a]\nowner = \"b\"\nrecord = \"digest.dlq.v1\"\n"));
        assert_eq!(exit, Exit::Failed);
        assert!(text.contains("a: nothing writes it"), "{text}");
    }

    #[test]
    fn a_map_with_problems_is_not_applied() {
        let text = "[defaults]\npartitions = 0\nmax_message_bytes = 1\n[topics.a]\nowner = \"b\"\n";
        let error = sound(&Map::parse(text).unwrap()).unwrap_err().to_string();
        assert!(
            error.starts_with("the map has problems, so nothing was done:\n  a: 0 partitions"),
            "{error}"
        );
    }

    #[test]
    fn a_page_is_brought_up_to_date() {
        let directory = tempfile::tempdir().unwrap();
        let page = directory.path().join("page.md");
        fs::write(&page, "<!-- graph -->\n<!-- /graph -->\n").unwrap();
        let map = Map::embedded().unwrap();
        write_page(&map, &page).unwrap();
        assert!(fs::read_to_string(&page).unwrap().contains("flowchart LR"));
        fs::write(&page, "no marks").unwrap();
        assert!(write_page(&map, &page).unwrap_err().to_string().contains("has no <!-- graph -->"));
    }
}
