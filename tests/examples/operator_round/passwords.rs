//! A wrong password, of Postgres and of Kafka, on a secured stack.

use crate::{
    look::Expected,
    round::{Round, imported},
};
use anyhow::Context;
use std::path::PathBuf;
use tests::{OwnStack, Pipeline, Properties, Stack};

const WRONG: &str = "not-the-password";

/// What each of the four has to say of one.
struct Denial {
    what: &'static str,
    variables: Vec<(String, String)>,
    expected: Expected<'static>,
}

/// What was untrue.
pub(crate) fn step(binary: PathBuf) -> anyhow::Result<Vec<String>> {
    let own = OwnStack::start_secured_with(binary)?;
    let stack = own.addresses()?;
    let pipeline = Pipeline::start_on(stack.clone(), "round")?;
    let mut untrue = Vec::new();
    for denial in [of_postgres(&stack)?, of_kafka(&stack)?] {
        let mut round = Round::start_with(&pipeline, denial.variables)?;
        round.heading(&format!("up is started with a wrong password of {}", denial.what))?;
        round.told(&denial.expected)?;
        untrue.extend(round.end()?);
    }
    let mut round = Round::start(&pipeline, &pipeline.files())?;
    round.heading("up is started with the right passwords")?;
    let import = round.import()?;
    imported(import)?;
    round.healed(&Expected::default())?;
    untrue.extend(round.end()?);
    pipeline.leave();
    Ok(untrue)
}

fn of_postgres(stack: &Stack) -> anyhow::Result<Denial> {
    let url = &stack.postgres_url;
    let (head, tail) = url.split_once("gistmill_app:").context("an address with a password")?;
    let (_, server) = tail.rsplit_once('@').context("an address with a server")?;
    let wrong = format!("{head}gistmill_app:{WRONG}@{server}");
    let words: &[&str] = &["password authentication failed for user \"gistmill_app\"", "postgres.url"];
    Ok(Denial {
        what: "Postgres",
        variables: vec![("GISTMILL_POSTGRES__URL".to_owned(), wrong)],
        expected: Expected {
            log: words,
            readyz: words,
            lag: words,
            doctor: words,
            unwell: &["postgres", "processes"],
            nowhere: &["gistmill stack up", WRONG],
            ..Expected::default()
        },
    })
}

fn of_kafka(stack: &Stack) -> anyhow::Result<Denial> {
    let wrong = Properties::of(stack).context("a stack with properties")?.with("sasl.password", WRONG);
    let words: &[&str] = &["refused the log-in of user \"admin\"", "check sasl.username, sasl.password"];
    Ok(Denial {
        what: "Kafka",
        variables: vec![("GISTMILL_KAFKA__PROPERTIES".to_owned(), wrong.text())],
        expected: Expected {
            log: words,
            readyz: words,
            lag: words,
            doctor: words,
            unwell: &["kafka"],
            nowhere: &["gistmill stack up", WRONG],
            ..Expected::default()
        },
    })
}
