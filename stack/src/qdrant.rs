//! The development front of Qdrant: its engine behind its own gRPC, in one small process.
//!
//! Invariant: it says that it is a front, and `stack env` says that it may be used; nothing else does.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::error::at;
use crate::files::{make_directory, write_atomically};
use crate::layout::DataDir;
use crate::part::{Part, Ports};
use crate::process::Launch;
use crate::progress::Reporter;
use crate::software::{Software, component, pip_install, short_hash};

const REQUIREMENTS: &str = include_str!("../qdrant/requirements.txt");
const PROGRAM: [(&str, &str); 3] = [
    ("front.py", include_str!("../qdrant/front.py")),
    ("front_store.py", include_str!("../qdrant/front_store.py")),
    ("front_wire.py", include_str!("../qdrant/front_wire.py")),
];

/// The Python with the front's packages, installed the first time. A component with a list of its own, so that it can
/// change without the rest of the software being installed anew.
pub(crate) fn install(cache: &Path, reporter: &Reporter) -> Result<PathBuf, Error> {
    let name = format!("qdrant-{}", short_hash(&[REQUIREMENTS]));
    Ok(component(cache, &name, reporter, install_packages)?.join("bin/python"))
}

fn install_packages(partial: &Path, reporter: &Reporter) -> Result<(), Error> {
    reporter.say("software", "installing the development front of Qdrant …");
    let list = partial.join("requirements.txt");
    write_atomically(&list, REQUIREMENTS.as_bytes())?;
    let arguments = ["--requirement".as_ref(), list.as_os_str()];
    pip_install(&arguments, (partial, "the development front of Qdrant"), reporter)?;
    reporter.say("software", "the development front of Qdrant is installed");
    Ok(())
}

/// The front, with its program and its data in the data directory.
pub(crate) fn launch(directory: &DataDir, ports: Ports, software: &Software) -> Result<Launch, Error> {
    let home = directory.root().join("qdrant");
    let data = home.join("data");
    make_directory(&data)?;
    for (name, text) in PROGRAM {
        write_atomically(&home.join(name), text.as_bytes())?;
    }
    let missing = || at("find", &home)(std::io::ErrorKind::NotFound.into());
    let program = software.qdrant.clone().ok_or_else(missing)?;
    let (port, front) = (ports.qdrant().to_string(), home.join("front.py"));
    Ok(Launch {
        program,
        arguments: vec![front.into(), "--data".into(), data.into(), "--port".into(), port.into()],
        environment: vec![("TZ", "UTC".to_owned())],
        directory: directory.root().to_owned(),
        log: directory.log(Part::Qdrant),
        account: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_pinned_and_the_client_is_the_one_of_compose() {
        let lines: Vec<_> = REQUIREMENTS.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.iter().all(|line| line.contains("==")), "{lines:?}");
        assert!(crate::compose::FILE.contains("qdrant/qdrant:v1.19.0"));
        assert!(PROGRAM[0].1.contains("VERSION = \"1.19.0\""));
    }
}
