//! A stack of the benchmark's own, on free ports, and what is written to it.
//!
//! Invariant: the stack is stopped and its data deleted when the bed is dropped, and when a signal ends the process.

use crate::{
    clients,
    error::{Error, system},
    fingerprint::Fingerprint,
    generator::{Job, PARTITIONS},
    running::kill_at_work,
    usage::usage,
};
use schemas::GroupMessageIngested;
use stack::{Addresses, Options, Part, PortChoice, Progress};
use std::{
    fs::{Permissions, set_permissions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};
use topology::{Map, Prefix, broker};

/// Topic that the records of the job are written to.
pub(crate) const INGESTED: &str = "group.message.ingested.v1";
/// As shells have it for a program that a signal ended.
const STOPPED: i32 = 130;

/// Says what is being done, on a line of standard error.
pub(crate) type Say<'a> = &'a mut dyn FnMut(Progress);

/// A running stack.
#[derive(Debug)]
pub(crate) struct Testbed {
    options: Options,
    /// Where clients connect to.
    pub(crate) addresses: Addresses,
    broker_pid: u32,
    postgres_pid: u32,
    /// The JVM that the broker runs on.
    pub(crate) java: PathBuf,
    tasks: Runtime,
    directory: TempDir,
    prefixes: AtomicU32,
}

impl Testbed {
    /// Starts a stack; what it does is told.
    pub(crate) fn start(say: Say<'_>) -> Result<Self, Error> {
        let directory = tempfile::tempdir().map_err(system("make a directory for the stack"))?;
        // Postgres runs as a user of its own there.
        set_permissions(directory.path(), Permissions::from_mode(0o755))
            .map_err(system("open a directory"))?;
        let data_dir = directory.path().join("stack");
        let options = Options { data_dir, ports: PortChoice::Free, native: true, ..Options::default() };
        let tasks = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let tasks = tasks.map_err(system("start threads"))?;
        reset_on_signals(&tasks, options.clone(), directory.path().to_owned())?;
        let addresses = stack::up(&options, say).inspect_err(|_| reset(&options))?;
        let parts = stack::status(&options)?.parts;
        let pid = |wanted: Part| parts.iter().find(|part| part.part == wanted).and_then(|part| part.pid);
        let broker_pid = pid(Part::Kafka).unwrap_or_default();
        let postgres_pid = pid(Part::Postgres).unwrap_or_default();
        let java = std::fs::read_link(format!("/proc/{broker_pid}/exe")).unwrap_or_else(|_| "java".into());
        let prefixes = AtomicU32::new(0);
        Ok(Self { options, addresses, broker_pid, postgres_pid, java, tasks, directory, prefixes })
    }

    /// Where logs and states of engines go.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Processor time of the broker so far.
    pub(crate) fn broker_seconds(&self) -> Result<f64, Error> {
        Ok(usage(self.broker_pid)?.cpu_seconds)
    }

    /// Processor time of the database's processes so far.
    pub(crate) fn postgres_seconds(&self) -> Result<f64, Error> {
        Ok(usage(self.postgres_pid)?.cpu_seconds)
    }

    /// Runs a future to its end.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.tasks.block_on(future)
    }

    /// Makes a pipeline's topics under a new prefix.
    pub(crate) fn apply(&self) -> Result<Prefix, Error> {
        let number = self.prefixes.fetch_add(1, Ordering::Relaxed);
        // `bench` and a number are a prefix.
        let prefix: Prefix = format!("bench{number}").parse().unwrap_or_default();
        let mut options = broker::Options::new(&self.addresses.kafka, &self.addresses.registry);
        options.prefix = prefix.clone();
        let map = Map::embedded()?;
        self.block_on(broker::apply(&map, &options, &mut |_| ())).map_err(Box::new)?;
        Ok(prefix)
    }

    /// The id that the registry has given to the schema of a topic.
    pub(crate) fn schema_id<R: schemas::Record>(&self, prefix: &Prefix, topic: &str) -> Result<u32, Error> {
        let options = broker::Options::new(&self.addresses.kafka, &self.addresses.registry);
        let registry = registry::Client::new(options.registry)?;
        Ok(self.block_on(registry.lookup(&prefix.subject(topic), R::AVSC))?)
    }

    /// Makes a pipeline's topics under a new prefix and writes the records of a job.
    pub(crate) fn load(&self, job: Job) -> Result<Loaded, Error> {
        let prefix = self.apply()?;
        self.load_into(prefix, job)
    }

    /// Writes the records of a job to the topics of a prefix.
    pub(crate) fn load_into(&self, prefix: Prefix, job: Job) -> Result<Loaded, Error> {
        let schema_id = self.schema_id::<GroupMessageIngested>(&prefix, INGESTED)?;
        let topic = prefix.topic(INGESTED);
        let fingerprint = clients::write(&self.addresses.kafka, &topic, job, schema_id)?;
        let ends = clients::ends(&self.addresses.kafka, &topic)?;
        let found: i64 = ends.iter().sum();
        if found as u64 != fingerprint.records {
            return Err(Error::Lost { topic, expected: fingerprint.records, found: found as u64 });
        }
        Ok(Loaded { prefix, topic, fingerprint, ends })
    }

    /// The shipped program in a process of its own on a pipeline, with nothing of this process's settings.
    pub(crate) fn command(&self, program: &Path, prefix: &Prefix, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("GISTMILL_") || name.starts_with("DIGEST_") || name.starts_with("OTEL_") {
                command.env_remove(&*name);
            }
        }
        command
            .args(arguments)
            .envs(self.addresses.variables())
            .env("GISTMILL_PREFIX", prefix.as_str())
            .env("GISTMILL_LOCK_DIR", self.directory())
            .current_dir(self.directory());
        command
    }

    /// Makes a topic beside those of the map.
    pub(crate) fn topic(&self, name: &str) -> Result<(), Error> {
        self.tasks.block_on(clients::create_topic(&self.addresses.kafka, name, PARTITIONS))
    }

    /// Deletes every topic whose name begins with that of a prefix, so that the next run finds a broker like the last did.
    pub(crate) fn delete(&self, prefix: &Prefix) -> Result<(), Error> {
        let prefix = format!("{prefix}.");
        self.tasks.block_on(clients::delete_topics(&self.addresses.kafka, &prefix))
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        reset(&self.options);
    }
}

fn reset(options: &Options) {
    if let Err(error) = stack::reset(options, &mut |_| ()) {
        let path = options.data_dir.display();
        let advice = format!("end it with `gistmill stack reset --yes --data-dir {path}`");
        // Nothing is left to tell a failure of standard error to.
        drop(writeln!(std::io::stderr(), "could not stop the stack of the benchmark: {error}; {advice}"));
    }
}

/// A process that a signal ends runs no destructor.
fn reset_on_signals(tasks: &Runtime, options: Options, directory: PathBuf) -> Result<(), Error> {
    let _entered = tasks.enter();
    let listen = |kind| signal(kind).map_err(system("listen to signals"));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tasks.spawn(async move {
        tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
        let end = move || {
            kill_at_work();
            reset(&options);
            std::fs::remove_dir_all(directory)
        };
        // Nothing is left to do where that failed: `reset` has said what it could not.
        drop(tokio::task::spawn_blocking(end).await);
        std::process::exit(STOPPED);
    });
    Ok(())
}

/// A job's records on the broker.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What all names of this pipeline begin with.
    pub(crate) prefix: Prefix,
    /// Physical name of the topic.
    pub(crate) topic: String,
    /// What was written.
    pub(crate) fingerprint: Fingerprint,
    /// The next offset of each partition.
    pub(crate) ends: Vec<i64>,
}
