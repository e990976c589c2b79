//! `gistmill prompts`: what language models are asked, in which version, and what exactly is asked about a window.
//!
//! Invariant: nothing is sent to anybody.

use std::{collections::BTreeSet, io::Write};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use operate::{Trace, TraceOptions};
use processor::ModelQuestion;
use schemas::DigestStageCompleted;
use serde_json::{Value, json};
use similar::TextDiff;
use topology::Map;
use writer::{Choice, PromptText, Writer};

use crate::{assembly, exit::Exit, settings::Settings};

/// Show what language models are asked, and in which version
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill prompts ls
  gistmill prompts show part/1
  gistmill prompts diff part/1 part/2
  gistmill prompts render 6f0c2c0e-6d3b-5d0c-9a43-3a6f1a4d7b11 --prompt part/2";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the prompts and for whom each is used
    #[command(after_help = "\
Examples:
  gistmill prompts ls
  gistmill prompts ls --json | jq -r .name

Which is used is set in the configuration file:
  [llm.prompts.writer]
  name = \"part/1\"
  canary = { name = \"part/2\", tenants = [\"acme\"] }")]
    Ls {
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Print a prompt and the schema of its answer
    #[command(after_help = "\
Examples:
  gistmill prompts show part/1
  gistmill prompts show summary/1 --json | jq .schema")]
    Show {
        /// Name and version, as `prompts ls` has them
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare two versions, line by line
    #[command(after_help = "\
Examples:
  gistmill prompts diff part/1 part/2

Exits with 0 whether they differ or not.")]
    Diff {
        /// Name and version of the one before
        before: String,
        /// Name and version of the one after
        after: String,
    },
    /// Print what a model is asked about a window, without asking one
    #[command(after_help = "\
Examples:
  gistmill prompts render 6f0c2c0e-6d3b-5d0c-9a43-3a6f1a4d7b11
  gistmill prompts render 6f0c2c0e-6d3b-5d0c-9a43-3a6f1a4d7b11 --tenant acme --group team --json

These are the messages of the window, redacted, as a provider is sent them: everything that leaves for one. Messages that speak to
a machine are not among them.")]
    Render {
        /// Id of a window or of a digest, as `digest ls --json` has them
        id: String,
        /// With another prompt than the one that is set for its tenant
        #[arg(long)]
        prompt: Option<String>,
        /// Its tenant; with --group only one partition is searched
        #[arg(long, requires = "group", value_parser = NonEmptyStringValueParser::new())]
        tenant: Option<String>,
        /// Its group
        #[arg(long, requires = "tenant", value_parser = NonEmptyStringValueParser::new())]
        group: Option<String>,
        /// Print JSON lines, one for each question
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Ls { json } => list(&assembly::writer(&settings.config()?)?.choice, *json, out),
        Command::Show { name, json } => show(find(name)?, *json, out),
        Command::Diff { before, after } => diff(find(before)?, find(after)?, out),
        Command::Render { id, prompt, tenant, group, json } => {
            let group = tenant.clone().zip(group.clone());
            let options = TraceOptions { id: id.clone(), group };
            let questions = questions(settings, &options, prompt.as_deref())?;
            render(&questions, *json, out)
        }
    }
}

fn find(name: &str) -> anyhow::Result<PromptText> {
    let all = writer::prompts();
    let known = || all.iter().map(|prompt| prompt.name).collect::<Vec<_>>().join(", ");
    let found = all.iter().find(|prompt| prompt.name == name).copied();
    found.with_context(|| format!("there is no prompt {name:?}; there are {}", known()))
}

fn list(choice: &Choice, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (name, canary) = choice.names();
    for prompt in writer::prompts() {
        let tenants = canary.filter(|(name, _)| *name == prompt.name).map(|(_, tenants)| tenants);
        let is_for_all = prompt.name == name || !prompt.is_choice;
        if json {
            let line = json!({
                "name": prompt.name, "default": is_for_all, "canary_tenants": tenants,
                "characters": prompt.system.chars().count(), "tokens": text::token_estimate(prompt.system),
            });
            writeln!(out, "{line}")?;
        } else {
            let (tokens, used) = (text::token_estimate(prompt.system), used(is_for_all, tenants));
            writeln!(out, "{:<12} about {tokens:>4} tokens  {used}", prompt.name)?;
        }
    }
    Ok(Exit::Done)
}

fn used(is_for_all: bool, tenants: Option<&BTreeSet<String>>) -> String {
    let tenants = tenants.map(|tenants| tenants.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    match (is_for_all, tenants) {
        (true, _) => "for everybody".to_owned(),
        (false, Some(tenants)) => format!("for {tenants}"),
        (false, None) => "not used".to_owned(),
    }
}

fn show(prompt: PromptText, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if json {
        let schema: Value = serde_json::from_str(prompt.schema)?;
        writeln!(out, "{}", json!({"name": prompt.name, "system": prompt.system, "schema": schema}))?;
    } else {
        writeln!(out, "{}\n{}", prompt.system.trim_end(), prompt.schema.trim_end())?;
    }
    Ok(Exit::Done)
}

fn diff(before: PromptText, after: PromptText, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let text = |prompt: PromptText| format!("{}\n{}\n", prompt.system.trim_end(), prompt.schema.trim_end());
    let (left, right) = (text(before), text(after));
    let lines = TextDiff::from_lines(&left, &right);
    write!(out, "{}", lines.unified_diff().header(before.name, after.name))?;
    Ok(Exit::Done)
}

/// What a model is asked about a window, with the prompt of its tenant or another.
fn questions(
    settings: &Settings,
    options: &TraceOptions,
    prompt: Option<&str>,
) -> anyhow::Result<Vec<ModelQuestion>> {
    let (config, map) = (settings.config()?, Map::embedded()?);
    let mut writer: Writer = assembly::writer(&config)?;
    if let Some(name) = prompt {
        writer.choice = Choice::new((Some(name), None))?;
    }
    let Some(trace) = operate::trace(&config, &map, options)? else {
        bail!("no window and no digest has the id {}: `gistmill digest ls --json` has them", options.id);
    };
    let topic = &map.processor(writer::NAME)?.input;
    let event: Option<DigestStageCompleted> = operate::record_at(&config, topic, input(&trace, topic)?)?;
    let event = event.context("what the stage reads of this window is no longer kept by its topic")?;
    let digest =
        event.state.digest.as_ref().context("this window has no digest that could be put into words")?;
    Ok(writer.questions(&event, digest))
}

/// Where the record lies that the stage reads of a window.
fn input(trace: &Trace, topic: &str) -> anyhow::Result<(i32, i64)> {
    let step = trace.steps.iter().find(|step| step.topic == topic);
    let step =
        step.with_context(|| format!("the window has no event in {topic}; `gistmill trace` tells why"))?;
    Ok((step.partition, step.offset))
}

fn render(questions: &[ModelQuestion], json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if questions.is_empty() {
        bail!("nothing of this window would be shown to a model");
    }
    for (at, question) in questions.iter().enumerate() {
        if json {
            let line = json!({
                "prompt": question.prompt, "system": question.system, "turns": question.turns,
                "output_tokens_max": question.output_tokens_max,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        writeln!(out, "--- question {} of {}, {}", at + 1, questions.len(), question.prompt)?;
        writeln!(out, "{}\n---\n{}", question.system.trim_end(), question.turns.join("\n---\n"))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(command: impl FnOnce(&mut dyn Write) -> anyhow::Result<Exit>) -> String {
        let mut out = Vec::new();
        command(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_prompt_is_listed_with_whom_it_is_for() {
        let tenants = ["acme".to_owned(), "beta".to_owned()];
        let choice = Choice::new((None, Some(("part/2", &tenants)))).unwrap();
        let listed = told(|out| list(&choice, false, out));
        let used: Vec<&str> = listed.lines().filter_map(|line| line.split("tokens  ").nth(1)).collect();
        assert_eq!(used, ["for everybody", "for acme, beta", "for everybody"]);
        let first: Value =
            serde_json::from_str(told(|out| list(&choice, true, out)).lines().nth(1).unwrap()).unwrap();
        assert_eq!((&first["name"], &first["canary_tenants"]), (&json!("part/2"), &json!(["acme", "beta"])));
    }

    #[test]
    fn versions_are_compared_line_by_line() {
        let (one, two) = (find("part/1").unwrap(), find("part/2").unwrap());
        let compared = told(|out| diff(one, two, out));
        assert!(compared.starts_with("--- part/1\n+++ part/2\n"), "{compared}");
        assert!(compared.lines().any(|line| line.starts_with("+Each line is read alone")), "{compared}");
        assert_eq!(told(|out| diff(one, one, out)), "");
    }

    #[test]
    fn a_prompt_that_is_not_there_is_named_with_those_that_are() {
        let error = find("part/9").unwrap_err().to_string();
        assert_eq!(error, "there is no prompt \"part/9\"; there are part/1, part/2, summary/1");
    }
}
