//! The whole chain on a secured stack, under the least permissions, one unit of it known by its certificate alone, and
//! what is said when a credential is wrong.
//!
//! One stack and one test: starting a stack costs more than all that is asked of it.

mod denials;
mod lacking;

use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use tests::{PATIENCE, Pipeline, Process, Properties, Secured, TENANT, User, eventually};

/// Runs the units and imports.
const PIPELINE: User<'static> = User { name: "pipeline", password: "p;w@%=1", mechanism: "SCRAM-SHA-512" };
/// Asks, and changes nothing.
const OPERATOR: User<'static> = User { name: "operator", password: "o;w@%=2", mechanism: "SCRAM-SHA-256" };
/// Runs one of the units, known by its certificate alone.
const CERTIFIED: User<'static> = User { name: "certified", password: "c;w@%=3", mechanism: "SCRAM-SHA-512" };

fn python() -> Option<PathBuf> {
    std::env::var_os("TEST_GISTMILL_PYTHON").map(PathBuf::from)
}

/// A pipeline on a secured stack, as seen by whoever asks.
struct Trial<'a> {
    secured: &'a Secured,
    pipeline: Pipeline,
    acls: Map<String, Value>,
}

impl Trial<'_> {
    /// From now on commands have these properties.
    fn acts_with(&mut self, properties: &Properties) {
        self.pipeline.stack = self.secured.stack(properties);
    }

    /// What some units need.
    fn acls_of(&self, is_meant: impl Fn(&str) -> bool) -> Value {
        Value::Object(self.acls.clone().into_iter().filter(|(unit, _)| is_meant(unit)).collect())
    }
}

#[test]
fn the_chain_runs_with_least_permissions_and_each_wrong_credential_is_named() -> anyhow::Result<()> {
    let Some(secured) = Secured::start(python())? else { return Ok(()) };
    let administrator = secured.administrator()?;
    let pipeline = Pipeline::start_on(secured.stack(&administrator), "secured")?;
    let acls = serde_json::from_str(&pipeline.gistmill(&["topology", "acl", "--json"])?)?;
    let mut trial = Trial { secured: &secured, pipeline, acls };
    secured.allow(PIPELINE, &trial.acls_of(|unit| unit != OPERATOR.name))?;
    secured.allow(OPERATOR, &trial.acls_of(|unit| unit == OPERATOR.name))?;

    chain(&mut trial)?;
    denials::kafka_log_in(&trial)?;
    denials::kafka_certificate(&trial)?;
    denials::postgres(&trial)?;
    denials::registry(&mut trial)?;
    denials::of_a_unit(&mut trial)?;
    lacking::each_permission_is_named(&mut trial)?;
    nothing_tells_a_secret(&trial)?;
    trial.pipeline.leave();
    Ok(())
}

/// From import to digest, and the operator's look at it.
fn chain(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.acts_with(&trial.secured.properties(PIPELINE)?);
    let pipeline = &trial.pipeline;
    let up = pipeline.up_without(&["segmenter"])?;
    let stack = trial.secured.stack_by_certificate(CERTIFIED.name)?;
    trial.secured.allow(CERTIFIED, &trial.acls_of(|unit| unit == "segmenter"))?;
    let variables: Vec<(&str, &str)> = stack.variables().collect();
    let certified = pipeline.unit("segmenter", &variables)?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/engineering_en.json");
    assert_eq!(pipeline.import(&sample, "engineering")?["read"], 387);
    eventually("three digests are kept and delivered", PATIENCE, || {
        let delivered = pipeline.rows.number("SELECT count(*) FROM outbox WHERE port = 'delivered'")?;
        let kept = pipeline.rows.number("SELECT count(*) FROM digests")?;
        Ok(((delivered, kept) == (3, 3)).then_some(()))
    })?;
    let shown = pipeline.gistmill(&["digest", "ls", "--tenant", TENANT])?;
    assert_eq!(shown.lines().filter(|line| line.contains("v1.0")).count(), 3, "{shown}");

    trial.acts_with(&trial.secured.properties(OPERATOR)?);
    let pipeline = &trial.pipeline;
    eventually("all is read", PATIENCE, || {
        let lag: Value = serde_json::from_str(&pipeline.gistmill(&["lag", "--json"])?)?;
        assert_eq!(lag["hanging_unknown"], Value::Null, "{lag}");
        Ok((lag["consumable"]["count"] == 0 && lag["outboxes"][0]["readable"] == 0).then_some(()))
    })?;
    let doctor = pipeline.gistmill(&["doctor"])?;
    assert!(!doctor.contains("FAIL"), "{doctor}");
    assert!(pipeline.gistmill(&["txn", "ls"])?.contains("no transaction hangs"));
    assert!(pipeline.gistmill(&["dlq", "ls"])?.contains("no dead letters"));
    certified.stop(PATIENCE)?;
    up.stop(PATIENCE)
}

/// Neither logs nor what commands have said, which the tests have written beside them.
fn nothing_tells_a_secret(trial: &Trial<'_>) -> anyhow::Result<()> {
    let mut secrets = trial.secured.secrets()?;
    secrets.extend([PIPELINE, OPERATOR].map(|user| user.password.to_owned()));
    secrets.push(denials::WRONG.to_owned());
    let mut looked_at = 0;
    for entry in std::fs::read_dir(trial.pipeline.directory())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
            let told: Vec<&String> = secrets.iter().filter(|secret| text.contains(*secret)).collect();
            assert!(told.is_empty(), "{} tells {told:?}", path.display());
            looked_at += 1;
        }
    }
    assert!(looked_at > 2, "there were logs");
    Ok(())
}

/// Waits until a process says all of `words` of itself at its `/readyz`, and in its log.
fn says(process: &Process, port: u16, words: &[&str]) -> anyhow::Result<()> {
    let last = std::cell::RefCell::new(String::new());
    let said = eventually("its readiness tells why", PATIENCE, || {
        let Some((status, text)) = tests::readyz(port)? else { return Ok(None) };
        let is_it = status == 503 && words.iter().all(|word| text.contains(word));
        *last.borrow_mut() = text;
        Ok(is_it.then_some(()))
    });
    anyhow::ensure!(said.is_ok(), "/readyz says {:?}, and not {words:?}", last.borrow());
    // Readiness is asked for; the log tells when the unit has looked for itself.
    let logged = eventually("its log tells why", PATIENCE, || {
        let log = process.log()?;
        Ok(words.iter().all(|word| log.contains(&word.replace('"', "\\\""))).then_some(()))
    });
    anyhow::ensure!(logged.is_ok(), "the log of {} lacks one of {words:?}", process.name());
    eprintln!("$ curl /readyz of {}\n{}", process.name(), last.borrow().trim_end());
    Ok(())
}
