//! A real mail server for tests: aiosmtpd with TLS (`tests/python/mail_server.py`), and what it took.
//!
//! Invariant: a letter is in its log before it is answered, also where its answer never comes.

use crate::{
    door_kills::{Got, Peer},
    patience::{PATIENCE, eventually},
    pipeline::{Pipeline, TENANT},
    process::Process,
};
use anyhow::Context;
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/mail_server.py");
/// Seconds: longer than a killed process is looked for.
const NEVER: &str = "14";

/// How the server is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailOptions {
    /// With TLS from the beginning, where it would be by STARTTLS.
    pub is_implicit: bool,
    /// Without TLS.
    pub is_plain: bool,
    /// Who has to log in, as `USER:PASSWORD`.
    pub login: Option<&'static str>,
}

/// A letter that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Letter {
    /// Who sent it, in the envelope.
    pub from: String,
    /// Who was to get it, in the envelope.
    pub to: Vec<String>,
    /// Whether it came by TLS.
    pub tls: bool,
    /// Who had logged in.
    pub user: Option<String>,
    /// Its headers, decoded.
    pub headers: Vec<(String, String)>,
    /// Its text.
    pub text: String,
    /// Its HTML.
    pub html: String,
}

impl Letter {
    /// The one value of a header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// The server, for as long as this lives.
#[derive(Debug)]
pub struct MailServer {
    port: u16,
    options: MailOptions,
    directory: TempDir,
    _process: Process,
}

impl MailServer {
    /// Starts it; `None`, said on standard error, where the tests' Python is not named.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(options: MailOptions) -> anyhow::Result<Option<Self>> {
        let Some(python) = std::env::var_os("TEST_GISTMILL_PYTHON").map(PathBuf::from) else {
            eprintln!("skipped: TEST_GISTMILL_PYTHON is not set");
            return Ok(None);
        };
        let directory = tempfile::tempdir().context("could not make a directory")?;
        let mut command = Command::new(python);
        command.arg(SCRIPT).arg(directory.path());
        command.args(options.is_implicit.then_some("--tls")).args(options.is_plain.then_some("--plain"));
        command.args(options.login.map(|login| ["--login", login]).into_iter().flatten());
        let process = Process::spawn("mail_server", command, directory.path())?;
        let listens = eventually("the mail server listens", PATIENCE, || {
            Ok(fs::read_to_string(directory.path().join("port")).ok())
        });
        let port = listens.with_context(|| process.log().unwrap_or_default())?.parse()?;
        Ok(Some(Self { port, options, directory, _process: process }))
    }

    /// Port on `localhost`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// File with the certificate of its authority.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Settings by which `email_sink` sends to it.
    pub fn settings(&self) -> Vec<(String, String)> {
        let security = match self.options {
            MailOptions { is_plain: true, .. } => "none",
            MailOptions { is_implicit: true, .. } => "tls",
            MailOptions { .. } => "starttls",
        };
        let mut settings = vec![
            ("GISTMILL_EMAIL__HOST".to_owned(), "localhost".to_owned()),
            ("GISTMILL_EMAIL__PORT".to_owned(), self.port.to_string()),
            ("GISTMILL_EMAIL__SECURITY".to_owned(), security.to_owned()),
            ("GISTMILL_EMAIL__CA_LOCATION".to_owned(), shown(&self.authority())),
            ("GISTMILL_EMAIL__FROM".to_owned(), "Digests <digests@example.org>".to_owned()),
        ];
        if let Some((username, password)) = self.options.login.and_then(|login| login.split_once(':')) {
            settings.push(("GISTMILL_EMAIL__USERNAME".to_owned(), username.to_owned()));
            settings.push(("GISTMILL_EMAIL__PASSWORD".to_owned(), password.to_owned()));
        }
        settings
    }

    /// Letters that were handed over, in order.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn letters(&self) -> anyhow::Result<Vec<Letter>> {
        let log =
            fs::read_to_string(self.directory.path().join("log.jsonl")).context("could not read the log")?;
        // The last line may not be whole yet.
        let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.map(|line| serde_json::from_str(line).context("could not read a letter")).collect()
    }

    /// Whether letters are answered so late that nobody waits for it.
    pub fn answer_late(&self, is_late: bool) {
        let path = self.directory.path().join("late");
        fs::write(path, if is_late { NEVER } else { "0" }).unwrap_or_default();
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Peer for MailServer {
    const SINK: &'static str = "email_sink";
    const CHANNEL: &'static str = "email";
    const REPEATS: bool = false;

    fn variables(&self) -> Vec<(String, String)> {
        self.settings()
    }

    fn receive(&self, pipeline: &Pipeline, group: &str) -> anyhow::Result<()> {
        let address = format!("{group}@example.org");
        let add = ["email", "add", &address, "--tenant", TENANT, "--group", group, "--confirmed"];
        pipeline.gistmill(&add).map(drop)
    }

    fn got(&self) -> anyhow::Result<Vec<Got>> {
        let of = |letter: Letter| Got { id: letter.header("Message-ID").to_owned(), text: letter.text };
        Ok(self.letters()?.into_iter().map(of).collect())
    }

    fn be_late(&self, is_late: bool) {
        self.answer_late(is_late);
    }
}
