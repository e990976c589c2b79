//! Postgres from a wheel. It refuses to run as root, so root hands it to another account, together with a place for
//! its data that the account can reach.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::error::at;
use crate::files::{absent_is_fine, make_directory, write_private};
use crate::host::{self, Account};
use crate::layout::{DataDir, State};
use crate::part::{Part, Ports};
use crate::process::{self, Launch};
use crate::progress::Reporter;
use crate::secure::Secure;
use crate::software::{Software, short_hash};
use crate::tool;

/// Roles and databases; `docker compose` runs the same file.
pub(crate) const BOOTSTRAP: &str = include_str!("../bootstrap.sql");

/// Settings other than Postgres' defaults. Those of durability (fsync, synchronous commit) are the defaults.
const SETTINGS: [(&str, &str); 15] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("cluster_name", "gistmill"),
    ("max_connections", "200"),
    ("shared_buffers", "128MB"),
    ("work_mem", "16MB"),
    ("maintenance_work_mem", "128MB"),
    ("max_wal_size", "2GB"),
    ("checkpoint_timeout", "15min"),
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    // Three worker processes less on a machine that is shared with a build.
    ("io_method", "sync"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_line_prefix", "%m [%p] %q%u@%d "),
];

/// Where Postgres' data is to lie: in the data directory, unless root's substitute cannot reach that.
/// The answer is for [`State::postgres_outside`].
pub(crate) fn outside_home(directory: &DataDir) -> Option<PathBuf> {
    let account = host::postgres_account()?;
    let name = format!("gistmill-pg-{}", short_hash(&[&directory.root().to_string_lossy()]));
    (!account.can_enter(directory.root())).then(|| Path::new("/var/tmp").join(name))
}

fn home(directory: &DataDir, state: &State) -> PathBuf {
    state.postgres_outside.clone().unwrap_or_else(|| directory.root().join("postgres"))
}

/// The first time, makes the cluster with its roles and databases: under another name, renamed when complete.
pub(crate) fn prepare(
    directory: &DataDir,
    state: &State,
    secure: Option<&Secure>,
    software: &Software,
    reporter: &Reporter,
) -> Result<(), Error> {
    let home = home(directory, state);
    let data = home.join("data");
    if data.exists() {
        return clear_stale_lock(&data);
    }
    reporter.say(Part::Postgres.name(), "making a database cluster …");
    let account = host::postgres_account();
    make_home(&home)?;
    let partial = home.join("partial");
    absent_is_fine(fs::remove_dir_all(&partial)).map_err(at("delete", &partial))?;
    fs::create_dir(&partial).map_err(at("create", &partial))?;
    fs::set_permissions(&partial, Permissions::from_mode(0o700)).map_err(at("restrict", &partial))?;
    if let Some(Account { uid, gid }) = account {
        chown(&partial, Some(uid), Some(gid)).map_err(at("hand over", &partial))?;
    }
    let mut initdb = as_account(account, &software.postgres.join("initdb"));
    initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
    initdb.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--pgdata"]).arg(&partial);
    let work = directory.work();
    tool::run("make a database cluster", &mut initdb, &work, reporter)?;
    let statements =
        secure.map_or_else(|| BOOTSTRAP.to_owned(), |it| format!("{BOOTSTRAP}{}", it.role_passwords()));
    let single = as_account(account, &software.postgres.join("postgres"));
    bootstrap((single, &statements), &partial, &work, reporter)?;
    if secure.is_some() {
        ask_for_passwords(&partial, account)?;
    }
    fs::rename(&partial, &data).map_err(at("rename", &partial))
}

/// Runs the bootstrap statements in single-user mode, which needs no port and no password.
fn bootstrap(
    (mut single, sql): (Command, &str),
    data: &Path,
    work: &Path,
    reporter: &Reporter,
) -> Result<(), Error> {
    let statements = work.join("bootstrap.sql");
    write_private(&statements, sql.as_bytes())?;
    let input = File::open(&statements).map_err(at("open", &statements))?;
    // Errors end the process, or a failed statement would pass unnoticed.
    single.args(["--single", "-j", "-c", "exit_on_error=on", "-D"]).arg(data).arg("postgres");
    tool::run_fed("make roles and databases", &mut single, input.into(), work, reporter)?;
    fs::remove_file(&statements).map_err(at("delete", &statements))
}

/// From now on nobody gets in without a password; the superuser has none and does not get in at all.
fn ask_for_passwords(data: &Path, account: Option<Account>) -> Result<(), Error> {
    let rules = data.join("pg_hba.conf");
    write_private(&rules, b"host all all 127.0.0.1/32 scram-sha-256\n")?;
    let Some(Account { uid, gid }) = account else { return Ok(()) };
    chown(&rules, Some(uid), Some(gid)).map_err(at("hand over", &rules))
}

/// Makes the directory around the cluster, and trusts an existing one only if it is this user's own.
fn make_home(home: &Path) -> Result<(), Error> {
    make_directory(home)?;
    let metadata = home.symlink_metadata().map_err(at("read", home))?;
    if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(at("use", home)(std::io::ErrorKind::PermissionDenied.into()));
    }
    fs::set_permissions(home, Permissions::from_mode(0o755)).map_err(at("open up", home))
}

/// A command dropped to the account, away from a working directory that the account may not read.
fn as_account(account: Option<Account>, program: &Path) -> Command {
    let mut command = match account.map(Account::setpriv) {
        Some([setpriv, options @ ..]) => {
            let mut command = Command::new(setpriv);
            command.args(options).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.current_dir("/");
    command
}

/// How long the sessions of a killed server may take to notice.
const ORPHANS_WITHIN: Duration = Duration::from_secs(20);

/// Deletes the lock file of a server that was killed. Postgres would refuse to start for as long as the id in it is
/// anybody's, be it a process that was not waited for or a recycled id. What the file protects from, sessions of the
/// old server that still run, is looked for instead: they all have the data directory as working directory.
fn clear_stale_lock(data: &Path) -> Result<(), Error> {
    let lock = data.join("postmaster.pid");
    let began = Instant::now();
    while lock.exists() {
        if !process::all().any(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data)) {
            return absent_is_fine(fs::remove_file(&lock)).map_err(at("delete", &lock));
        }
        if began.elapsed() > ORPHANS_WITHIN {
            // Postgres itself will say what is wrong.
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The server, to be started after [`prepare`].
pub(crate) fn launch(directory: &DataDir, state: &State, ports: Ports, software: &Software) -> Launch {
    let data = home(directory, state).join("data");
    let mut arguments: Vec<OsString> = vec!["-D".into(), data.clone().into(), "-p".into()];
    arguments.push(ports.postgres().to_string().into());
    for (name, value) in SETTINGS {
        arguments.extend(["-c".into(), format!("{name}={value}").into()]);
    }
    Launch {
        program: software.postgres.join("postgres"),
        arguments,
        environment: vec![("LC_ALL", "C".to_owned())],
        directory: "/".into(),
        log: directory.log(Part::Postgres),
        account: host::postgres_account(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_keep_durability_and_the_loopback_address() {
        let value = |name: &str| SETTINGS.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        assert_eq!(value("listen_addresses"), Some("127.0.0.1"));
        assert_eq!(value("unix_socket_directories"), Some(""));
        for untouched in ["fsync", "synchronous_commit", "full_page_writes", "wal_level"] {
            assert_eq!(value(untouched), None, "{untouched}");
        }
    }

    #[test]
    fn every_statement_of_the_bootstrap_ends_where_single_user_mode_looks() {
        let statements: Vec<&str> = BOOTSTRAP.split_inclusive(";\n\n").collect();
        assert_eq!(statements.len(), BOOTSTRAP.matches("CREATE ").count());
        assert!(statements.iter().all(|statement| statement.ends_with(";\n\n")));
        assert!(BOOTSTRAP.contains("gistmill_app LOGIN NOSUPERUSER"));
    }

    #[test]
    fn the_lock_of_a_dead_server_is_deleted() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("postmaster.pid"), "1\n").unwrap();
        clear_stale_lock(data.path()).unwrap();
        assert!(!data.path().join("postmaster.pid").exists());
    }

    #[test]
    fn a_home_that_is_not_a_directory_of_ours_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        let (real, link) = (outer.path().join("real"), outer.path().join("link"));
        make_home(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(make_home(&link).is_err());
    }
}
