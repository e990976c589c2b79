//! The same stack by docker compose, where a daemon answers. The file is the repository's `docker-compose.yml`.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::files::{make_directory, write_atomically};
use crate::layout::{DataDir, Mode, State};
use crate::native::Wanted;
use crate::part::{Part, PortRequest, Ports, plan};
use crate::probe::Peers;
use crate::progress::Reporter;
use crate::software::short_hash;
use crate::{postgres, probe, registry, tool, transactions};

pub(crate) const FILE: &str = include_str!("../../docker-compose.yml");

/// Makes the containers run and waits until they are healthy. The caller holds the directory's lock.
pub(crate) fn up(directory: &DataDir, wanted: Wanted, reporter: &Reporter) -> Result<Ports, Error> {
    let state = directory.state()?;
    let qdrant = wanted.qdrant || state.as_ref().is_some_and(|state| state.qdrant);
    let remembered = state.map(|state| state.base_port);
    let healthy =
        |base| Ports::from_base(base).is_ok_and(|ports| probe::is_healthy(Part::Kafka, open(ports)));
    let running = remembered.is_some_and(healthy);
    let request = PortRequest { choice: wanted.ports, remembered, running, seed: std::process::id() };
    let ports = plan(request, probe::is_free)?;
    directory.make_subdirectories()?;
    write_files(directory)?;
    let state = State { mode: Mode::Compose, base_port: ports.base(), postgres_outside: None, qdrant };
    directory.write_state(&state)?;
    reporter.say("stack", "starting the parts with docker compose …");
    let mut command = compose(directory, ports, qdrant);
    tool::run(
        "start docker compose",
        command.args(["up", "--detach", "--wait"]),
        &directory.work(),
        reporter,
    )?;
    enforce_compatibility(ports)?;
    transactions::mend(open(ports), reporter);
    reporter.say("stack", "is healthy");
    Ok(ports)
}

/// Containers report ready a moment before their published port answers.
fn enforce_compatibility(ports: Ports) -> Result<(), Error> {
    for _ in 0..20 {
        if registry::enforce_compatibility(open(ports)).is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(250));
    }
    registry::enforce_compatibility(open(ports))
}

/// Containers are never secured.
fn open(ports: Ports) -> Peers<'static> {
    Peers { ports, secure: None }
}

/// Stops the containers; with `volumes` their data is deleted too.
pub(crate) fn down(
    directory: &DataDir,
    state: &State,
    volumes: bool,
    reporter: &Reporter,
) -> Result<(), Error> {
    reporter.say("stack", "stopping docker compose …");
    let mut command = compose(directory, state.ports()?, state.qdrant);
    command.arg("down").args(volumes.then_some("--volumes"));
    tool::run("stop docker compose", &mut command, &directory.work(), reporter)
}

/// The command that writes the containers' logs.
pub(crate) fn logs(
    directory: &DataDir,
    state: &State,
    lines: usize,
    part: Option<Part>,
) -> Result<Command, Error> {
    let mut command = compose(directory, state.ports()?, state.qdrant);
    command.args(["logs", "--no-color", "--tail", &lines.to_string()]).args(part.map(Part::name));
    Ok(command)
}

fn home(directory: &DataDir) -> PathBuf {
    directory.root().join("compose")
}

/// Copies of the repository's files, with the same relative paths: the program may be installed without it.
fn write_files(directory: &DataDir) -> Result<(), Error> {
    let home = home(directory);
    make_directory(&home.join("stack"))?;
    write_atomically(&home.join("docker-compose.yml"), FILE.as_bytes())?;
    write_atomically(&home.join("stack/bootstrap.sql"), postgres::BOOTSTRAP.as_bytes())
}

fn compose(directory: &DataDir, ports: Ports, qdrant: bool) -> Command {
    let project = format!("gistmill-{}", short_hash(&[&directory.root().to_string_lossy()]));
    let mut command = Command::new("docker");
    command
        .args(["compose", "--project-name", &project, "--file"])
        .arg(home(directory).join("docker-compose.yml"))
        .args(if qdrant { &["--profile", "qdrant"][..] } else { &[] });
    for (name, port) in variables(ports) {
        command.env(name, port.to_string());
    }
    command
}

fn variables(ports: Ports) -> [(&'static str, u16); 5] {
    [
        ("GISTMILL_STACK_KAFKA_PORT", ports.kafka()),
        ("GISTMILL_STACK_REGISTRY_PORT", ports.registry()),
        ("GISTMILL_STACK_REGISTRY_MANAGEMENT_PORT", ports.registry_management()),
        ("GISTMILL_STACK_POSTGRES_PORT", ports.postgres()),
        ("GISTMILL_STACK_QDRANT_PORT", ports.qdrant()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::DEFAULT_BASE_PORT;

    #[test]
    fn every_port_of_the_file_has_our_default_and_the_loopback_address() -> Result<(), Error> {
        for (name, port) in variables(Ports::from_base(DEFAULT_BASE_PORT)?) {
            assert!(FILE.contains(&format!("\"127.0.0.1:${{{name}:-{port}}}:")), "{name}");
        }
        Ok(())
    }
}
