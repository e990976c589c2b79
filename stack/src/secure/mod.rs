//! A stack with passwords, certificates and permissions, as production has them: Kafka by SASL over TLS with an authorizer,
//! the registry by TLS and a password, Postgres by password (the wheel's server speaks no TLS).
//!
//! Invariant: secrets are random, one set for each data directory, and lie in files that only their owner can read.

mod authority;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslStream};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::at;
use crate::files::{read_json, write_json_private, write_private};
use crate::layout::DataDir;
pub use authority::{Authority, Issued, Validity};

/// The one user that Kafka and the registry know; to Kafka's authorizer a superuser.
pub(crate) const ADMIN: &str = "admin";
/// The one host that the certificates are for.
const HOST: &str = "127.0.0.1";

/// Passwords of a stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Passwords {
    admin: String,
    client_key: String,
    postgres_owner: String,
    postgres_app: String,
    postgres_registry: String,
}

/// What makes a stack a secured one.
#[derive(Clone, Debug)]
pub(crate) struct Secure {
    directory: PathBuf,
    passwords: Passwords,
}

fn passwords_file(directory: &DataDir) -> PathBuf {
    directory.root().join("secure").join("passwords.json")
}

impl Secure {
    /// That of a stack; `None` when it is not secured.
    pub(crate) fn open(directory: &DataDir) -> Result<Option<Self>, Error> {
        let passwords = read_json(&passwords_file(directory))?;
        let directory = directory.root().join("secure");
        Ok(passwords.map(|passwords| Self { directory, passwords }))
    }

    /// Makes passwords and certificates; the passwords last, since they say that all is there.
    pub(crate) fn create(directory: &DataDir) -> Result<Self, Error> {
        let file = passwords_file(directory);
        let directory = directory.root().join("secure");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(at("create", &directory))?;
        let passwords = Passwords {
            admin: password()?,
            client_key: password()?,
            postgres_owner: password()?,
            postgres_app: password()?,
            postgres_registry: password()?,
        };
        let authority = Authority::new("gistmill stack")?;
        authority.write(&directory)?;
        let server = authority.issue(HOST, Validity::Long)?;
        write_private(&directory.join("server.pem"), &server.pem()?)?;
        write_private(&directory.join("server.key"), &server.key_pem()?)?;
        write_private(&directory.join("broker.pem"), &[server.key_pem()?, server.pem()?].concat())?;
        let client = authority.issue("client", Validity::Long)?;
        write_private(&directory.join("client.pem"), &client.pem()?)?;
        write_private(&directory.join("client.key"), &client.locked_key_pem(&passwords.client_key)?)?;
        write_json_private(&file, &passwords)?;
        Ok(Self { directory, passwords })
    }

    /// The file of that name: `ca.pem`, `server.pem`, `server.key`, `broker.pem` (both), `client.pem`, `client.key`.
    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    pub(crate) fn admin_password(&self) -> &str {
        &self.passwords.admin
    }

    pub(crate) fn registry_database_password(&self) -> &str {
        &self.passwords.postgres_registry
    }

    /// Statements that give the roles of the bootstrap their passwords.
    pub(crate) fn role_passwords(&self) -> String {
        let roles = [
            ("gistmill_owner", &self.passwords.postgres_owner),
            ("gistmill_app", &self.passwords.postgres_app),
            ("registry", &self.passwords.postgres_registry),
        ];
        roles.map(|(role, password)| format!("ALTER ROLE {role} PASSWORD '{password}';\n\n")).concat()
    }

    /// `user:password` of a database role, as it stands in an address.
    pub(crate) fn postgres_user(&self, role: &str) -> String {
        let password = match role {
            "gistmill_owner" => &self.passwords.postgres_owner,
            _ => &self.passwords.postgres_app,
        };
        format!("{role}:{}", percent_encoded(password))
    }

    /// What clients need beside the addresses, under the configuration's own names of environment variables.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        // A semicolon parts properties; a doubled one belongs to a value.
        let properties = self.kafka_properties().into_iter();
        let properties = properties.map(|(name, value)| format!("{name}={}", value.replace(';', ";;")));
        let properties: Vec<String> = properties.collect();
        [
            ("GISTMILL_KAFKA__PROPERTIES", properties.join(";")),
            ("GISTMILL_REGISTRY__USERNAME", ADMIN.to_owned()),
            ("GISTMILL_REGISTRY__PASSWORD", self.passwords.admin.clone()),
            ("GISTMILL_REGISTRY__CA_LOCATION", self.file("ca.pem")),
        ]
    }

    /// librdkafka's properties of a client that is the administrator.
    pub(crate) fn kafka_properties(&self) -> BTreeMap<String, String> {
        [
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", ADMIN),
            ("sasl.password", &self.passwords.admin),
            ("ssl.ca.location", &self.file("ca.pem")),
            ("ssl.certificate.location", &self.file("client.pem")),
            ("ssl.key.location", &self.file("client.key")),
            ("ssl.key.password", &self.passwords.client_key),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// A connection over TLS, with the client's certificate.
    pub(crate) fn over(&self, stream: TcpStream) -> Result<SslStream<TcpStream>, Error> {
        let failed = |why: String| Error::Certificate { what: "connect over TLS", why };
        let build = || {
            let mut builder = SslConnector::builder(SslMethod::tls_client())?;
            builder.set_ca_file(self.file("ca.pem"))?;
            // A client's certificate is whatever the authority has issued, the server's own among it.
            builder.set_certificate_file(self.file("server.pem"), SslFiletype::PEM)?;
            builder.set_private_key_file(self.file("server.key"), SslFiletype::PEM)?;
            Ok(builder.build())
        };
        let connector = build().map_err(|error: openssl::error::ErrorStack| failed(error.to_string()))?;
        connector.connect(HOST, stream).map_err(|error| failed(error.to_string()))
    }
}

/// Random digits, and at the end what an address, a list of properties and a shell may stumble over.
fn password() -> Result<String, Error> {
    let path: &Path = "/dev/urandom".as_ref();
    let mut bytes = [0_u8; 16];
    File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).map_err(at("read", path))?;
    Ok(format!("{:032x}@;%", u128::from_be_bytes(bytes)))
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric();
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn secrets_are_made_once_and_only_their_owner_reads_them() {
        let outer = tempfile::tempdir().unwrap();
        let (directory, _lock) = DataDir::create_locked(&outer.path().join("stack"), || ()).unwrap();
        assert!(Secure::open(&directory).unwrap().is_none());
        let made = Secure::create(&directory).unwrap();
        let again = Secure::open(&directory).unwrap().expect("made");
        assert_eq!(again.admin_password(), made.admin_password());
        for entry in std::fs::read_dir(directory.root().join("secure")).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
    }

    #[test]
    fn passwords_are_written_as_each_place_reads_them() {
        let outer = tempfile::tempdir().unwrap();
        let (directory, _lock) = DataDir::create_locked(&outer.path().join("stack"), || ()).unwrap();
        let secure = Secure::create(&directory).unwrap();
        let [(_, properties), ..] = secure.variables();
        let password = secure.admin_password().trim_end_matches("@;%");
        assert!(properties.contains(&format!(";sasl.password={password}@;;%;")), "{properties}");
        assert!(secure.postgres_user("gistmill_app").ends_with("%40%3B%25"));
        assert_eq!(secure.role_passwords().matches(";\n\n").count(), 3);
    }
}
