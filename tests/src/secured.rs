//! A secured stack of a test's own, with users who may do what they are allowed and nothing else.
//!
//! Invariant: users and permissions are made by Confluent's client, as an administrator would, never by the product.

use crate::{Greeting, OwnStack, Stack, TlsFront, process::output};
use anyhow::{Context, ensure};
use serde_json::Value;
use stack::secure::{Authority, Validity};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

const PROPERTIES: &str = "GISTMILL_KAFKA__PROPERTIES";
/// Where Kafka knows clients by certificate alone, after its first port.
const CERTIFICATE_PORT: u16 = 6;

/// Properties for librdkafka, as the configuration takes them in one variable.
#[derive(Clone)]
pub struct Properties(BTreeMap<String, String>);

impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Properties {
    /// Those that clients of a stack need; none of an open one.
    pub fn of(stack: &Stack) -> Option<Self> {
        let found = stack.log_in.iter().find(|(name, _)| name == PROPERTIES);
        found.map(|(_, text)| Self::parse(text))
    }

    fn parse(text: &str) -> Self {
        const DOUBLED: &str = "\0";
        let text = text.replace(";;", DOUBLED);
        let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.replace(DOUBLED, ";"))).collect())
    }

    /// With another value.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without those whose names begin so.
    #[must_use]
    pub fn without(mut self, prefix: &str) -> Self {
        self.0.retain(|name, _| !name.starts_with(prefix));
        self
    }

    /// By name.
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    /// As the configuration takes them.
    pub fn text(&self) -> String {
        let pair = |(name, value): (&String, &String)| format!("{name}={}", value.replace(';', ";;"));
        self.0.iter().map(pair).collect::<Vec<_>>().join(";")
    }
}

/// Someone who logs in to Kafka by SCRAM.
#[derive(Debug, Clone, Copy)]
pub struct User<'a> {
    /// Name.
    pub name: &'a str,
    /// Password.
    pub password: &'a str,
    /// `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: &'a str,
}

/// A secured stack: Kafka by SASL over TLS with an authorizer, the registry and Postgres by TLS and password.
#[derive(Debug)]
pub struct Secured {
    own: OwnStack,
    stack: Stack,
    python: PathBuf,
    /// The wheel's Postgres speaks no TLS itself.
    postgres: TlsFront,
    expired: TlsFront,
    expired_postgres: TlsFront,
}

impl Secured {
    /// Starts one; `None`, said on standard error, without the shared stack or `python` with Confluent's client.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(python: Option<PathBuf>) -> anyhow::Result<Option<Self>> {
        let Some(python) = python else {
            eprintln!("skipped: TEST_GISTMILL_PYTHON is not set");
            return Ok(None);
        };
        let Some(own) = OwnStack::start_secured()? else { return Ok(None) };
        Self::on(own, python).map(Some)
    }

    /// On a secured stack of one's own, with a Python that has Confluent's client.
    ///
    /// # Errors
    /// A listener does not start.
    pub fn on(own: OwnStack, python: PathBuf) -> anyhow::Result<Self> {
        let stack = own.addresses()?;
        let authority = Authority::open(&own.data().join("secure"))?;
        let (valid, over) =
            (authority.issue("127.0.0.1", Validity::Long)?, authority.issue("127.0.0.1", Validity::Over)?);
        let (_, address) = stack.postgres_url.rsplit_once('@').context("an address of Postgres")?;
        let server: SocketAddr = address.trim_end_matches("/gistmill").parse()?;
        let postgres = TlsFront::start(&valid, Greeting::Postgres, server)?;
        let expired = TlsFront::start(&over, Greeting::None, server)?;
        let expired_postgres = TlsFront::start(&over, Greeting::Postgres, server)?;
        Ok(Self { own, stack, python, postgres, expired, expired_postgres })
    }

    /// The certificate that clients trust.
    pub fn authority(&self) -> PathBuf {
        self.own.data().join("secure").join("ca.pem")
    }

    /// A listener whose certificate has expired, for Kafka and the registry, and one for Postgres.
    pub fn expired(&self) -> (SocketAddr, SocketAddr) {
        (self.expired.address(), self.expired_postgres.address())
    }

    /// The administrator's properties: by PLAIN, with a client key that has a passphrase.
    ///
    /// # Errors
    /// The stack does not tell them.
    pub fn administrator(&self) -> anyhow::Result<Properties> {
        Properties::of(&self.stack).context("stack env tells no properties")
    }

    /// A user's properties.
    ///
    /// # Errors
    /// The stack does not tell the administrator's.
    pub fn properties(&self, user: User<'_>) -> anyhow::Result<Properties> {
        let User { name, password, mechanism } = user;
        let properties = self.administrator()?.with("sasl.mechanism", mechanism);
        Ok(properties.with("sasl.username", name).with("sasl.password", password))
    }

    /// The stack as clients with these properties meet it, Postgres by TLS.
    pub fn stack(&self, properties: &Properties) -> Stack {
        let mut stack = self.stack.clone();
        stack.postgres_url = self.encrypted(&stack.postgres_url, self.postgres.address(), &self.authority());
        stack.owner_url = self.encrypted(&stack.owner_url, self.postgres.address(), &self.authority());
        stack.log_in.retain(|(name, _)| name != PROPERTIES);
        stack.log_in.push((PROPERTIES.to_owned(), properties.text()));
        stack
    }

    /// The stack as a client meets it that Kafka knows by its certificate alone, under the name in it.
    ///
    /// # Errors
    /// The certificate cannot be made.
    pub fn stack_by_certificate(&self, name: &str) -> anyhow::Result<Stack> {
        let secure = self.own.data().join("secure");
        let issued = Authority::open(&secure)?.issue(name, Validity::Long)?;
        let (pem, key) = (secure.join(format!("{name}.pem")), secure.join(format!("{name}.key")));
        std::fs::write(&pem, issued.pem()?)?;
        std::fs::write(&key, issued.key_pem()?)?;
        let properties =
            self.administrator()?.without("sasl.").without("ssl.key.").with("security.protocol", "SSL");
        let properties = properties.with("ssl.certificate.location", &pem.display().to_string());
        let mut stack = self.stack(&properties.with("ssl.key.location", &key.display().to_string()));
        let (host, port) = stack.brokers.rsplit_once(':').context("brokers without a port")?;
        stack.brokers = format!("{host}:{}", port.parse::<u16>()? + CERTIFICATE_PORT);
        Ok(stack)
    }

    /// An address of Postgres, by TLS, at another host and port.
    pub fn encrypted(&self, url: &str, at: impl std::fmt::Display, authority: &Path) -> String {
        let user = url.rsplit_once('@').map_or(url, |(user, _)| user);
        format!("{user}@{at}/gistmill?sslmode=verify-full&sslrootcert={}", authority.display())
    }

    /// Makes a user and allows it what `acls` lists, as `topology acl --json` prints it.
    ///
    /// # Errors
    /// The broker refuses.
    pub fn allow(&self, user: User<'_>, acls: &Value) -> anyhow::Result<()> {
        let file = self.own.data().join(format!("{}.json", user.name));
        std::fs::write(&file, serde_json::to_vec(acls)?)?;
        let mut command = Command::new(&self.python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/allow.py"));
        command.args([user.name, user.password]).arg(&file).envs(self.stack.variables());
        let output = output(&mut command)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "could not allow {}: {said}", user.name);
        Ok(())
    }

    /// Every secret of the stack, none of which may be told.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn secrets(&self) -> anyhow::Result<Vec<String>> {
        let file = self.own.data().join("secure").join("passwords.json");
        let passwords: BTreeMap<String, String> = serde_json::from_slice(&std::fs::read(file)?)?;
        // Their beginnings, however the rest is escaped.
        Ok(passwords
            .into_values()
            .filter_map(|password| password.split('@').next().map(str::to_owned))
            .collect())
    }
}
