//! Shows that the permissions that `gistmill topology acl` lists are enough, and that none is too many: every unit runs in
//! a process of its own as a user of its own, and without any one of its permissions it says which, while the others go
//! on.
//!
//! `acl_matrix [UNIT...]`: every unit unless told otherwise, on a secured stack of its own; `tests/acl_matrix` runs it.

mod commands;
mod unit;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    io::{Write, stdout},
    path::{Path, PathBuf},
};
use tests::{
    OwnStack, PATIENCE, Pipeline, Secured, Stack, TENANT, User, bot_api::BotApi, end_children_on_signals,
    eventually,
};
use topology::READERS_GROUP;
use unit::{Running, Unit};

const PASSWORD: &str = "p;w@%=1";
const MECHANISM: &str = "SCRAM-SHA-512";
/// Who is asked, and no unit.
const OPERATOR: &str = "operator";
/// A secured stack has no Qdrant.
const WITHOUT_PEER: &str = "qdrant_sink";
/// Units that are a command.
const COMMANDS: [&str; 2] = ["telegram_export_source", "digest_request_source"];

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let only: Vec<String> = std::env::args().skip(1).collect();
    let (binary, python) = (path("TEST_GISTMILL_BINARY")?, path("TEST_GISTMILL_PYTHON")?);
    let secured = Secured::on(OwnStack::start_secured_with(binary)?, python)?;
    let pipeline = Pipeline::start_on(secured.stack(&secured.administrator()?), "acls")?;
    let acls: Map<String, Value> = serde_json::from_str(&pipeline.gistmill(&["topology", "acl", "--json"])?)?;
    for name in &only {
        ensure!(acls.contains_key(name), "there is no unit {name}; units: {}", list(acls.keys()));
    }
    let mut matrix = Matrix {
        secured: &secured,
        pipeline,
        bot: BotApi::start()?,
        acls,
        only,
        unnamed: Vec::new(),
        later: 0,
    };
    let result = matrix.run();
    let unnamed = std::mem::take(&mut matrix.unnamed);
    matrix.pipeline.leave();
    result?;
    if !unnamed.is_empty() {
        bail!("not named:\n{}", unnamed.join("\n"));
    }
    Ok(())
}

fn path(name: &str) -> anyhow::Result<PathBuf> {
    let value = std::env::var_os(name);
    value.map(PathBuf::from).with_context(|| format!("{name} is not set: run tests/acl_matrix"))
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// One line of output, at once.
fn say(text: &str) -> anyhow::Result<()> {
    writeln!(stdout(), "{text}").context("could not print")
}

/// Whether a line says that a permission is missing: by the topic's name; a unit has one group and one transactional id.
fn names(line: &str, acl: &Value) -> bool {
    let text = |name: &str| acl[name].as_str().unwrap_or_default();
    let resource = match text("resource") {
        "topic" => text("name"),
        "group" => "on the consumer group",
        _ => "on the transactional id",
    };
    line.contains("has no ACL that allows it") && line.contains(resource)
}

/// One permission, in the words of `topology acl --json`.
fn words(acl: &Value) -> String {
    let text = |name: &str| acl[name].as_str().unwrap_or_default().to_owned();
    format!("{} on {} {}", text("operation"), text("resource"), text("name"))
}

struct Matrix<'a> {
    secured: &'a Secured,
    pipeline: Pipeline,
    bot: BotApi,
    acls: Map<String, Value>,
    only: Vec<String>,
    unnamed: Vec<String>,
    /// Permissions whose lack does not show at a start.
    later: usize,
}

impl Matrix<'_> {
    fn run(&mut self) -> anyhow::Result<()> {
        let units: Vec<String> = self
            .acls
            .keys()
            .filter(|unit| ![OPERATOR, WITHOUT_PEER].contains(&unit.as_str()))
            .cloned()
            .collect();
        let mut running = BTreeMap::new();
        for name in &units {
            let stack = self.user(name, &self.of(name))?;
            if !COMMANDS.contains(&name.as_str()) {
                running.insert(name.clone(), Unit::new(name, stack).start(self, name)?);
            }
        }
        for unit in running.values() {
            unit.is_ready(PATIENCE)?;
        }
        say(&format!("{} units are ready, each as a user of its own", running.len()))?;
        self.digested("engineering", 3)?;
        let asked = self.known(COMMANDS[1])?;
        if let Some(said) = commands::failure(self, COMMANDS[1], &asked)? {
            bail!("digest now: {said}");
        }
        say("3 digests of a chat that was imported are delivered, and one was asked for")?;
        let (mut tried, wanted) = (0, self.only.clone());
        for name in units.iter().filter(|name| wanted.is_empty() || wanted.contains(name)) {
            tried += match running.remove(name) {
                Some(unit) => {
                    let (back, count) = self.without_each(unit, &running)?;
                    running.insert(name.clone(), back);
                    count
                }
                None => commands::without_each(self, name)?,
            };
        }
        self.digested("afterwards", 6)?;
        say(&format!(
            "{tried} permissions taken away in turn: {} not named, {} not seen at the start; then 3 digests more",
            self.unnamed.len(),
            self.later
        ))?;
        running.into_values().try_for_each(|unit| unit.process.stop(PATIENCE))
    }

    /// What a unit needs.
    fn of(&self, unit: &str) -> Vec<Value> {
        self.acls[unit].as_array().cloned().unwrap_or_default()
    }

    /// The stack as a new user meets it who may do that.
    fn user(&self, name: &str, acls: &[Value]) -> anyhow::Result<Stack> {
        let user = User { name, password: PASSWORD, mechanism: MECHANISM };
        self.secured.allow(user, &serde_json::json!({ name: acls }))?;
        self.known(name)
    }

    /// The stack as a user that was made meets it.
    fn known(&self, name: &str) -> anyhow::Result<Stack> {
        let user = User { name, password: PASSWORD, mechanism: MECHANISM };
        Ok(self.secured.stack(&self.secured.properties(user)?))
    }

    /// For each permission of a unit, the stack as a user meets it who lacks that one.
    fn lacking(&self, unit: &str) -> anyhow::Result<Vec<(Value, Stack)>> {
        let all = self.of(unit);
        let lacking = |index: usize| {
            let left: Vec<Value> =
                all.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, acl)| acl.clone()).collect();
            Ok((all[index].clone(), self.user(&format!("{unit}_{index}"), &left)?))
        };
        (0..all.len()).map(lacking).collect()
    }

    /// A unit's end, a start without each of its permissions, all at once, and its return.
    fn without_each(
        &mut self,
        unit: Running,
        others: &BTreeMap<String, Running>,
    ) -> anyhow::Result<(Running, usize)> {
        let Running { unit, process, .. } = unit;
        process.stop(PATIENCE)?;
        let mut lacking = Vec::new();
        for (index, (acl, stack)) in self.lacking(&unit.name)?.into_iter().enumerate() {
            lacking.push((acl, Unit::new(&unit.name, stack).start(self, &format!("{}_{index}", unit.name))?));
        }
        let count = lacking.len();
        for (acl, running) in lacking {
            let said = running.says(&acl)?;
            self.record(&unit.name, &acl, said)?;
            running.process.kill()?;
        }
        for other in others.values() {
            other.is_ready(PATIENCE).with_context(|| format!("{} has a permission less", unit.name))?;
        }
        let back = unit.start(self, "again")?;
        back.is_ready(PATIENCE)?;
        Ok((back, count))
    }

    /// Prints what was said of a lacking permission, or that nothing was.
    fn record(&mut self, unit: &str, acl: &Value, said: Option<String>) -> anyhow::Result<()> {
        let what = format!("{unit}: {}", words(acl));
        match said {
            Some(said) => say(&format!("{what}\n    {}", said.trim())),
            None if acl["name"] == READERS_GROUP => say(&format!(
                "{what}\n    goes on without; the broker's log has a refusal for each look at it"
            )),
            None if self.is_seen_later(unit, acl) => {
                self.later += 1;
                say(&format!(
                    "{what}\n    not seen at the start: the unit sees the topic by its other permission"
                ))
            }
            None => {
                self.unnamed.push(what.clone());
                say(&format!("{what}\n    NOT NAMED"))
            }
        }
    }

    /// Whether a unit both reads and writes the topic: then the lack of one shows with the first record.
    fn is_seen_later(&self, unit: &str, acl: &Value) -> bool {
        let same = |other: &&Value| acl["resource"] == "topic" && other["name"] == acl["name"];
        self.of(unit).iter().filter(same).count() > 1
    }

    /// Imports a chat as the user of that source, and waits for so many digests in all.
    fn digested(&mut self, group: &str, count: i64) -> anyhow::Result<()> {
        let stack = self.known(COMMANDS[0])?;
        let variables: Vec<(&str, &str)> = stack.variables().collect();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/engineering_en.json");
        let sample = sample.to_str().context("a path")?;
        let arguments = ["import", sample, "--tenant", TENANT, "--group", group];
        let output = self.pipeline.output(&arguments, &variables)?;
        ensure!(output.status.success(), "import: {}", String::from_utf8_lossy(&output.stderr));
        eventually("the digests are delivered", PATIENCE, || {
            let delivered =
                self.pipeline.rows.number("SELECT count(*) FROM outbox WHERE port = 'delivered'")?;
            Ok((delivered == count).then_some(()))
        })
    }
}
