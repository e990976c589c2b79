//! What the machine offers: directories, accounts, a Java runtime, tools. The only reader of the environment here.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;
use crate::progress::Reporter;
use crate::tool;

/// The oldest Java that runs every part (the registry needs 21, Kafka 17).
const JAVA_MIN: u32 = 21;

/// A system account for the program that refuses to run as root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// The command prefix that drops to this account.
    pub(crate) fn setpriv(self) -> [String; 4] {
        [
            "setpriv".into(),
            format!("--reuid={}", self.uid),
            format!("--regid={}", self.gid),
            "--clear-groups".into(),
        ]
    }

    /// Whether the account can enter the directory, judged by the permissions of it and all its ancestors.
    pub(crate) fn can_enter(self, directory: &Path) -> bool {
        directory.ancestors().all(|ancestor| {
            let may = |metadata: &fs::Metadata| {
                let shift = match metadata {
                    owned if owned.uid() == self.uid => 6,
                    grouped if grouped.gid() == self.gid => 3,
                    _ => 0,
                };
                metadata.mode() >> shift & 1 == 1
            };
            fs::metadata(ancestor).is_ok_and(|metadata| may(&metadata))
        })
    }
}

/// The account that Postgres runs as: none but this user's own unless this is root.
pub(crate) fn postgres_account() -> Option<Account> {
    let passwd = is_root().then(|| fs::read_to_string("/etc/passwd").unwrap_or_default())?;
    account(&passwd, "postgres")
        .or_else(|| account(&passwd, "nobody"))
        .or(Some(Account { uid: 65534, gid: 65534 }))
}

fn account(passwd: &str, name: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some(Account { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user's cache directory: `$XDG_CACHE_HOME`, else `~/.cache`, else a place for temporary files.
pub fn cache_home() -> PathBuf {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(|| "/var/tmp".into())
}

/// The `java` of a runtime that is new enough: `$JAVA_HOME`, then `PATH`, then what Debian has installed.
pub(crate) fn find_java() -> Option<PathBuf> {
    let from_environment = std::env::var_os("JAVA_HOME").map(PathBuf::from);
    let from_path =
        on_path("java").and_then(|java| fs::canonicalize(java).ok()?.ancestors().nth(2).map(Into::into));
    let installed = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten().map(|entry| entry.path());
    let homes = from_environment.into_iter().chain(from_path).chain(installed);
    homes
        .filter(|home| java_version(home).is_some_and(|version| version >= JAVA_MIN))
        .map(|home| java_in(&home))
        .find(|it| it.is_file())
}

fn java_in(home: &Path) -> PathBuf {
    home.join("bin/java")
}

fn java_version(home: &Path) -> Option<u32> {
    release_version(&fs::read_to_string(home.join("release")).ok()?)
}

/// The major version in the `release` file that every Java home carries.
fn release_version(release: &str) -> Option<u32> {
    let version = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION=\""))?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// A tool of the system that the installation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Resolves and copies the jars.
    Maven,
    /// Makes virtual environments.
    PythonVenv,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Maven => "Maven (mvn)",
            Self::PythonVenv => "Python 3 with venv",
        }
    }

    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Self::Maven => &["maven"],
            Self::PythonVenv => &["python3", "python3-venv"],
        }
    }

    fn is_present(self) -> bool {
        match self {
            Self::Maven => on_path("mvn").is_some(),
            Self::PythonVenv => succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])),
        }
    }

    fn install_line(self) -> String {
        format!("sudo apt-get install -y {}", self.debian_packages().join(" "))
    }

    /// Makes sure that the tool is there; as root on Debian by installing it, otherwise by asking for it.
    pub(crate) fn require(self, work: &Path, reporter: &Reporter) -> Result<(), Error> {
        if self.is_present() {
            return Ok(());
        }
        let missing = || Error::MissingTool { tool: self.name(), install: self.install_line() };
        if !is_root() || !Path::new("/etc/debian_version").exists() {
            return Err(missing());
        }
        reporter
            .say("software", format!("installing {} with apt-get …", self.debian_packages().join(" and ")));
        let installed = self.apt_install(work, reporter).or_else(|_| {
            tool::run("update apt", Command::new("apt-get").args(["update", "-q"]), work, reporter)?;
            self.apt_install(work, reporter)
        });
        installed.and_then(|()| if self.is_present() { Ok(()) } else { Err(missing()) })
    }

    fn apt_install(self, work: &Path, reporter: &Reporter) -> Result<(), Error> {
        let mut command = Command::new("apt-get");
        command.args(["install", "-y", "-q", "--no-install-recommends"]).args(self.debian_packages());
        command.env("DEBIAN_FRONTEND", "noninteractive");
        tool::run(&format!("install {} ({})", self.name(), self.install_line()), &mut command, work, reporter)
    }
}

/// Whether docker compose can be used: the plugin is there and a daemon answers.
pub(crate) fn docker_answers() -> bool {
    on_path("docker").is_some()
        && succeeds(Command::new("docker").args(["compose", "version"]))
        && succeeds(Command::new("timeout").args(["5", "docker", "info"]))
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_java_is_read_from_its_release_file() {
        assert_eq!(release_version("IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"25.0.3\"\n"), Some(25));
        assert_eq!(release_version("JAVA_VERSION=\"21\"\n"), Some(21));
        assert_eq!(release_version("JAVA_VERSION=\"1.8.0_402\"\n"), Some(1));
        assert_eq!(release_version("nothing"), None);
    }

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres2:x:9:9::/:\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(account(passwd, "postgres"), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(account(passwd, "nobody"), None);
    }

    #[test]
    fn a_directory_closed_to_others_is_out_of_reach() {
        let stranger = Account { uid: 4_000_000, gid: 4_000_000 };
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.can_enter(&inner));
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(stranger.can_enter(&inner));
        assert!(!stranger.can_enter(&inner.join("missing")));
    }
}
