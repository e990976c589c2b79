//! Kafka, schema registry and Postgres, and Qdrant where it is asked for, for development and tests, as processes of this machine or, where a Docker
//! daemon answers, as containers.
//!
//! Invariants: the software comes from the pinned lists beside this package; every listener is on 127.0.0.1; only
//! processes that this package started, known by id and start time, are ever stopped; only a directory that carries
//! its VERSION file is ever deleted.

mod compose;
mod error;
mod files;
mod host;
mod kafka;
mod layout;
mod logs;
mod native;
mod part;
mod postgres;
mod probe;
mod process;
mod progress;
mod qdrant;
mod registry;
pub mod secure;
mod software;
mod status;
mod tool;
mod transactions;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use error::Error;
use files::{absent_is_fine, free_bytes};
pub use host::cache_home;
pub use layout::Mode;
use layout::{DataDir, State};
pub use logs::LogRequest;
use native::Wanted;
pub use part::{DEFAULT_BASE_PORT, Part, PortChoice};
pub use progress::Progress;
use progress::{Reporter, reporting};
use secure::Secure;
pub use software::kafka_version;
pub use status::{Health, PartStatus, Status};

/// Below this the parts may fail in ways that do not name the disk.
const ROOM_BYTES: u64 = 500 * MIB;
const MIB: u64 = 1024 * 1024;

/// Which stack is meant, and how it is to be started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything of one stack lies here; two stacks are two directories.
    pub data_dir: PathBuf,
    /// How the ports of a start are chosen.
    pub ports: PortChoice,
    /// Never docker compose, even where a daemon answers.
    pub native: bool,
    /// Passwords, certificates and permissions; native, and from the first start on.
    pub secure: bool,
    /// Qdrant too; a stack that had it once keeps it.
    pub qdrant: bool,
}

impl Default for Options {
    /// `.stack` in the current directory, remembered ports, compose allowed, no Qdrant.
    fn default() -> Self {
        let ports = PortChoice::Remembered;
        Self { data_dir: ".stack".into(), ports, native: false, secure: false, qdrant: false }
    }
}

/// Where clients connect to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// Bootstrap servers, `host:port`.
    pub kafka: String,
    /// The Confluent-compatible API of the registry, with its path.
    pub registry: String,
    /// The database `gistmill` as the application's role, which no policy spares.
    pub postgres: String,
    /// The database `gistmill` as its owner, for migrations.
    pub postgres_owner: String,
    /// Qdrant's gRPC, where the stack has it, and whether that is the development front.
    pub qdrant: Option<(String, bool)>,
    /// What a secured stack asks for besides, as variables of the configuration.
    pub log_in: Vec<(&'static str, String)>,
}

impl Addresses {
    fn of(state: &State, secure: Option<&Secure>) -> Result<Self, Error> {
        let ports = state.ports()?;
        let qdrant = || (format!("http://127.0.0.1:{}", ports.qdrant()), state.mode == Mode::Native);
        let user = |role: &str| secure.map_or_else(|| role.to_owned(), |secure| secure.postgres_user(role));
        let postgres = |role| format!("postgres://{}@127.0.0.1:{}/gistmill", user(role), ports.postgres());
        let scheme = if secure.is_some() { "https" } else { "http" };
        Ok(Self {
            kafka: format!("127.0.0.1:{}", ports.kafka()),
            registry: format!("{scheme}://127.0.0.1:{}{}", ports.registry(), registry::API),
            postgres: postgres("gistmill_app"),
            postgres_owner: postgres("gistmill_owner"),
            qdrant: state.qdrant.then(qdrant),
            log_in: secure.map_or_else(Vec::new, |secure| secure.variables().into()),
        })
    }

    /// All of it under the configuration's own names of environment variables.
    pub fn variables(&self) -> Vec<(&'static str, &str)> {
        let addresses = [
            ("GISTMILL_KAFKA__BROKERS", self.kafka.as_str()),
            ("GISTMILL_REGISTRY__URL", &self.registry),
            ("GISTMILL_POSTGRES__URL", &self.postgres),
            ("GISTMILL_POSTGRES__OWNER_URL", &self.postgres_owner),
        ];
        let qdrant = self.qdrant.iter().flat_map(|(url, is_front)| {
            let front = is_front.then_some(("GISTMILL_QDRANT__DEVELOPMENT_FRONT", "true"));
            std::iter::once(("GISTMILL_QDRANT__URL", url.as_str())).chain(front)
        });
        addresses
            .into_iter()
            .chain(qdrant)
            .chain(self.log_in.iter().map(|(name, value)| (*name, value.as_str())))
            .collect()
    }
}

/// Makes everything run: installs the software the first time, starts the parts that do not run, waits until all are
/// healthy. Of two calls at once on one directory the second waits and then finds the stack running. A part that
/// fails leaves the others running; the next call starts what is missing. A disk that is nearly full is told last,
/// next to the failure it may be the cause of.
pub fn up(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Addresses, Error> {
    reporting(progress, |reporter| {
        let started = start(options, reporter);
        let free = free_bytes(&options.data_dir);
        if let Some(warning) = free.and_then(|free| little_room(free, &options.data_dir)) {
            reporter.say("stack", warning);
        }
        started
    })
}

fn start(options: &Options, reporter: &Reporter) -> Result<Addresses, Error> {
    let (directory, _lock) = DataDir::create_locked(&options.data_dir, || waiting(reporter))?;
    let mode = match directory.state()? {
        Some(state) if state.mode == Mode::Compose && options.native => {
            return Err(Error::OtherMode { path: options.data_dir.clone() });
        }
        Some(state) => state.mode,
        None => native::choose_mode(options.native || options.secure),
    };
    let secure = secured(&directory, options)?;
    let wanted = Wanted { ports: options.ports, qdrant: options.qdrant };
    match mode {
        Mode::Native => native::up(&directory, wanted, secure.as_ref(), reporter),
        Mode::Compose => compose::up(&directory, wanted, reporter),
    }?;
    let state = directory.state()?.ok_or_else(|| not_running(options, "the stack"))?;
    Addresses::of(&state, secure.as_ref())
}

/// What secures the stack; made at the first start of one that is to be secured.
fn secured(directory: &DataDir, options: &Options) -> Result<Option<Secure>, Error> {
    match Secure::open(directory)? {
        None if options.secure && directory.state()?.is_some() => {
            Err(Error::NotSecured { path: options.data_dir.clone() })
        }
        None if options.secure => Secure::create(directory).map(Some),
        found => Ok(found),
    }
}

fn little_room(free_bytes: u64, data_dir: &Path) -> Option<String> {
    let free = free_bytes / MIB;
    (free_bytes < ROOM_BYTES).then(|| {
        format!("only {free} MiB are free in {}: make room, or choose another --data-dir", data_dir.display())
    })
}

fn waiting(reporter: &Reporter) {
    reporter.say("stack", "waiting for another command on this data directory …");
}

/// The addresses of a stack, and those of its parts that are not healthy. A directory in which nothing was ever started
/// is [`Error::NotRunning`].
pub fn addresses(options: &Options) -> Result<(Addresses, Vec<Part>), Error> {
    let (directory, state) = started(options)?;
    let parts = status::of(&directory)?.into_iter().flat_map(|status| status.parts);
    let sick = parts.filter(|it| it.health != Health::Healthy).map(|it| it.part).collect();
    Ok((Addresses::of(&state, Secure::open(&directory)?.as_ref())?, sick))
}

/// What runs and how it is. A directory in which nothing was ever started is [`Error::NotRunning`].
pub fn status(options: &Options) -> Result<Status, Error> {
    let (directory, _) = started(options)?;
    status::of(&directory)?.ok_or_else(|| not_running(options, "the stack"))
}

/// Stops the stack in order; false when nothing ran.
pub fn down(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<bool, Error> {
    reporting(progress, |reporter| match DataDir::open(&options.data_dir)? {
        Some(directory) => match directory.lock(|| waiting(reporter))? {
            Some(_lock) => stop(&directory, directory.state()?.as_ref(), false, reporter),
            None => Ok(false),
        },
        None => Ok(false),
    })
}

/// Stops the stack and deletes its data directory; false when there was none.
pub fn reset(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<bool, Error> {
    reporting(progress, |reporter| {
        let Some(directory) = DataDir::open_any_version(&options.data_dir)? else { return Ok(false) };
        let Some(lock) = directory.lock(|| waiting(reporter))? else { return Ok(false) };
        // A state file that cannot be read, being damaged or of another layout, is no reason to keep the directory.
        let state = directory.state().unwrap_or_default();
        stop(&directory, state.as_ref(), true, reporter)?;
        let outside =
            state.map_or_else(|| postgres::outside_home(&directory), |state| state.postgres_outside);
        if let Some(outside) = outside {
            absent_is_fine(std::fs::remove_dir_all(&outside)).map_err(error::at("delete", &outside))?;
        }
        directory.delete(lock)?;
        reporter.say("stack", "data directory deleted");
        Ok(true)
    })
}

fn stop(
    directory: &DataDir,
    state: Option<&State>,
    volumes: bool,
    reporter: &Reporter,
) -> Result<bool, Error> {
    match state {
        Some(state) if state.mode == Mode::Compose => {
            compose::down(directory, state, volumes, reporter).map(|()| true)
        }
        _ => native::down(directory, reporter),
    }
}

/// Writes the parts' logs; with `follow` it returns only when the output is closed.
pub fn logs(options: &Options, request: LogRequest, out: &mut dyn Write) -> Result<(), Error> {
    let (directory, state) = started(options)?;
    if state.mode == Mode::Compose {
        let mut command = compose::logs(&directory, &state, request.lines, request.part)?;
        let failed = |source| Error::Spawn { program: "docker".to_owned(), source };
        return command.args(request.follow.then_some("--follow")).status().map(drop).map_err(failed);
    }
    let wanted = state.parts().iter().filter(|part| request.part.is_none_or(|one| one == **part));
    logs::write(wanted.map(|part| (*part, directory.log(*part))).collect(), request, out)
}

fn started(options: &Options) -> Result<(DataDir, State), Error> {
    let directory = DataDir::open(&options.data_dir)?.ok_or_else(|| not_running(options, "the stack"))?;
    let state = directory.state()?.ok_or_else(|| not_running(options, "the stack"))?;
    Ok((directory, state))
}

fn not_running(options: &Options, what: &str) -> Error {
    Error::NotRunning { data_dir: options.data_dir.clone(), detail: format!("not running: {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_under_the_names_of_the_configuration() -> Result<(), Error> {
        let mut state = State { mode: Mode::Native, base_port: 4000, postgres_outside: None, qdrant: false };
        let addresses = Addresses::of(&state, None)?;
        let expected = [
            ("GISTMILL_KAFKA__BROKERS", "127.0.0.1:4000"),
            ("GISTMILL_REGISTRY__URL", "http://127.0.0.1:4002/apis/ccompat/v7"),
            ("GISTMILL_POSTGRES__URL", "postgres://gistmill_app@127.0.0.1:4004/gistmill"),
            ("GISTMILL_POSTGRES__OWNER_URL", "postgres://gistmill_owner@127.0.0.1:4004/gistmill"),
        ];
        assert_eq!(addresses.variables(), expected);
        state.qdrant = true;
        let more = [
            ("GISTMILL_QDRANT__URL", "http://127.0.0.1:4005"),
            ("GISTMILL_QDRANT__DEVELOPMENT_FRONT", "true"),
        ];
        assert_eq!(Addresses::of(&state, None)?.variables(), [&expected[..], &more[..]].concat());
        Ok(())
    }

    #[test]
    fn a_disk_that_is_nearly_full_is_told() {
        assert_eq!(little_room(ROOM_BYTES, Path::new("d")), None);
        let told = little_room(12 * MIB + 1, Path::new("d")).unwrap();
        assert_eq!(told, "only 12 MiB are free in d: make room, or choose another --data-dir");
    }

    #[test]
    fn a_directory_with_a_damaged_state_can_be_reset() {
        let outer = tempfile::tempdir().unwrap();
        let options = Options { data_dir: outer.path().join("stack"), ..Options::default() };
        drop(DataDir::create_locked(&options.data_dir, || ()).unwrap());
        std::fs::write(options.data_dir.join("state.json"), "?").unwrap();
        assert!(matches!(down(&options, &mut |_| {}), Err(Error::Damaged { .. })));
        assert!(reset(&options, &mut |_| {}).unwrap());
        assert!(!options.data_dir.exists());
    }

    #[test]
    fn a_stack_that_never_ran_is_not_running_and_needs_no_stopping() {
        let outer = tempfile::tempdir().unwrap();
        let options = Options { data_dir: outer.path().join("none"), ..Options::default() };
        assert!(matches!(addresses(&options), Err(Error::NotRunning { .. })));
        assert!(matches!(status(&options), Err(Error::NotRunning { .. })));
        assert!(!down(&options, &mut |_| {}).unwrap());
        assert!(!reset(&options, &mut |_| {}).unwrap());
        assert!(!options.data_dir.exists());
    }
}
