//! A unit in a process of its own, and what it says of itself.

use crate::{Matrix, names};
use anyhow::{Context, ensure};
use serde_json::Value;
use std::time::{Duration, Instant};
use tests::{MASTER_KEY, PATIENCE, Process, Readiness, Stack, bot_api::TOKEN, eventually, free_port};

/// How long a unit that lacks a permission may be ready before it is said that it does not notice.
const NOTICED: Duration = Duration::from_secs(15);

/// A unit, and the stack as its user meets it.
pub(crate) struct Unit {
    pub(crate) name: String,
    stack: Stack,
}

/// Its process.
pub(crate) struct Running {
    pub(crate) unit: Unit,
    pub(crate) process: Process,
    port: u16,
}

impl Unit {
    pub(crate) fn new(name: &str, stack: Stack) -> Self {
        Self { name: name.to_owned(), stack }
    }

    /// Starts it, under this instance's name.
    pub(crate) fn start(self, matrix: &Matrix<'_>, instance: &str) -> anyhow::Result<Running> {
        let port = free_port()?;
        let (listen, api) = (format!("127.0.0.1:{port}"), matrix.bot.url());
        let mut variables: Vec<(&str, &str)> = self.stack.variables().collect();
        variables.extend([("GISTMILL_HTTP__LISTEN", &*listen), ("GISTMILL_INSTANCE", instance)]);
        variables.extend([("GISTMILL_TELEGRAM__TOKEN", TOKEN), ("GISTMILL_TELEGRAM__API", &*api)]);
        // An application of Telegram's, by which nobody is logged in: the source of sessions runs, and asks nobody.
        variables.extend([("GISTMILL_TELEGRAM_SESSION__API_ID", "1"), ("GISTMILL_KEYS__MASTER", MASTER_KEY)]);
        let process = matrix.pipeline.spawn(instance, &["run", &self.name], &variables)?;
        Ok(Running { unit: self, process, port })
    }
}

impl Running {
    /// Waits until it is ready.
    pub(crate) fn is_ready(&self, patience: Duration) -> anyhow::Result<()> {
        let last = std::cell::RefCell::new(String::new());
        let ready = eventually("a unit is ready", patience, || {
            let found = Readiness::at(self.port)?;
            *last.borrow_mut() = found.as_ref().map_or_else(String::new, |found| found.text.clone());
            Ok(found.filter(|found| found.is_ready).map(drop))
        });
        ready.with_context(|| {
            format!("{} says {:?}; its log: {:?}", self.unit.name, last.borrow(), self.process.log())
        })
    }

    /// The line of its readiness that names a resource that it may not use; `None` when it stays ready, or says nothing
    /// of it.
    pub(crate) fn says(&self, acl: &Value) -> anyhow::Result<Option<String>> {
        let (began, mut ready_since) = (Instant::now(), None);
        // A unit that is ready without is ready for good: nothing else would tell.
        eventually("a unit says what it lacks", PATIENCE * 2, || {
            let Some(found) = Readiness::at(self.port)? else {
                ensure!(
                    began.elapsed() < PATIENCE,
                    "{} does not serve: {}",
                    self.unit.name,
                    self.process.log()?
                );
                return Ok(None);
            };
            if let Some(line) = found.text.lines().find(|line| !found.is_ready && names(line, acl)) {
                return Ok(Some(Some(line.to_owned())));
            }
            ready_since = found.is_ready.then(|| ready_since.unwrap_or_else(Instant::now));
            let unnoticed = ready_since.is_some_and(|since| since.elapsed() > NOTICED);
            Ok((unnoticed || began.elapsed() > PATIENCE).then_some(None))
        })
    }
}
