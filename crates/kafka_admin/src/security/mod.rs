//! How a broker wants to be talked to, in librdkafka's own properties: these are what an operator has set already.
//!
//! Invariant: what this client cannot do is refused by the name of the property, before anything is sent.

mod login;
mod scram;
mod tls;

use crate::{
    Error,
    connection::{Connection, Stream},
};
use std::{collections::BTreeMap, io, net::TcpStream, path::PathBuf};

/// What lies between this client and the broker's protocol.
#[derive(Default)]
pub(crate) struct Security {
    /// None where nothing is encrypted.
    tls: Option<Tls>,
    /// None where nobody is asked who he is.
    login: Option<Login>,
}

/// Encryption.
#[derive(Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
struct Tls {
    /// Certificates that are trusted; none for the system's.
    authorities: Option<Pem>,
    /// This client's certificate and its key, where the broker wants them.
    identity: Option<(Pem, Pem)>,
    /// What the key is locked with.
    passphrase: Option<String>,
    /// Whether the broker has to be who it is asked for.
    checks_names: bool,
}

/// Where something in PEM is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pem {
    File(PathBuf),
    Text(String),
}

/// Who this client is.
struct Login {
    mechanism: Mechanism,
    username: String,
    password: String,
}

/// How it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
}

impl Mechanism {
    const ALL: [(Self, &str); 3] =
        [(Self::Plain, "PLAIN"), (Self::ScramSha256, "SCRAM-SHA-256"), (Self::ScramSha512, "SCRAM-SHA-512")];

    /// Its name in the protocol.
    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(mechanism, _)| *mechanism == self).map_or("", |(_, name)| name)
    }
}

type Properties = BTreeMap<String, String>;

impl Security {
    /// What the properties ask for.
    pub(crate) fn of(properties: &Properties) -> Result<Self, Error> {
        let protocol = properties.get("security.protocol").map_or("plaintext", String::as_str);
        let (is_encrypted, has_login) = match protocol.to_ascii_lowercase().as_str() {
            "plaintext" => (false, false),
            "ssl" => (true, false),
            "sasl_plaintext" => (false, true),
            "sasl_ssl" => (true, true),
            _ => return Err(refused("security.protocol", format!("{protocol} is none"))),
        };
        let tls = if is_encrypted { Some(encryption(properties)?) } else { None };
        let login = if has_login { Some(credentials(properties)?) } else { None };
        Ok(Self { tls, login })
    }

    /// The stream that a connection to an address goes over.
    pub(crate) fn stream(&self, stream: TcpStream, address: &str) -> Result<Box<dyn Stream>, Error> {
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        Ok(Box::new(tls::encrypt(stream, host.trim_matches(['[', ']']), tls)?))
    }

    /// What a connection says before anything else.
    pub(crate) fn log_in(&self, connection: &mut Connection) -> Result<(), Error> {
        self.login.as_ref().map_or(Ok(()), |login| login::log_in(connection, login))
    }

    /// Why an exchange failed: an error of the encryption comes as one of the stream.
    pub(crate) fn lost(address: String, source: io::Error) -> Error {
        match source.get_ref().filter(|inner| inner.is::<rustls::Error>()) {
            Some(why) => Error::Encryption { address, why: why.to_string() },
            None => Error::Away { address, source },
        }
    }
}

fn refused(setting: &'static str, why: String) -> Error {
    Error::Setting { setting, why }
}

fn encryption(properties: &Properties) -> Result<Tls, Error> {
    let pem = |name: &str| {
        let text = properties.get(&format!("{name}.pem")).map(|text| Pem::Text(text.clone()));
        text.or_else(|| properties.get(&format!("{name}.location")).map(|path| Pem::File(path.into())))
    };
    if properties.contains_key("ssl.keystore.location") {
        let why = "this client speaks to brokers without librdkafka, and takes PEM: ssl.certificate.location and \
                   ssl.key.location";
        return Err(refused("ssl.keystore.location", why.to_owned()));
    }
    if properties.get("enable.ssl.certificate.verification").is_some_and(|value| value == "false") {
        let why = "this client checks certificates; ssl.ca.location names whom to trust".to_owned();
        return Err(refused("enable.ssl.certificate.verification", why));
    }
    let name_check = properties.get("ssl.endpoint.identification.algorithm");
    Ok(Tls {
        authorities: pem("ssl.ca"),
        identity: pem("ssl.certificate").zip(pem("ssl.key")),
        passphrase: properties.get("ssl.key.password").cloned(),
        checks_names: name_check.is_none_or(|algorithm| algorithm != "none"),
    })
}

fn credentials(properties: &Properties) -> Result<Login, Error> {
    let named = properties.get("sasl.mechanism").or_else(|| properties.get("sasl.mechanisms"));
    let named = named.map_or("GSSAPI", String::as_str);
    let known = Mechanism::ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(named));
    let Some((mechanism, _)) = known else {
        let names: Vec<&str> = Mechanism::ALL.iter().map(|(_, name)| *name).collect();
        let why = format!("{named} is not one of those that this client can do: {}", names.join(", "));
        return Err(refused("sasl.mechanism", why));
    };
    let text = |setting: &'static str| {
        properties.get(setting).cloned().ok_or_else(|| refused(setting, "it is not set".to_owned()))
    };
    Ok(Login { mechanism: *mechanism, username: text("sasl.username")?, password: text("sasl.password")? })
}

#[cfg(test)]
#[path = "tests.rs"]
mod broker_tests;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(properties: &[(&str, &str)]) -> Result<Security, String> {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Security::of(&properties.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_set_is_nothing_asked_for() {
        let plain = of(&[]).expect("plain");
        assert!(plain.tls.is_none() && plain.login.is_none());
        let refusal = of(&[("security.protocol", "x")]).err();
        assert_eq!(refusal.as_deref(), Some("could not use security.protocol: x is none"));
    }

    #[test]
    fn a_login_is_read_and_what_is_missing_is_named() {
        let all = [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanisms", "scram-sha-512"),
            ("sasl.username", "ann"),
            ("sasl.password", "a;b=%"),
        ];
        let login = of(&all).expect("usable").login.expect("a login");
        assert_eq!((login.mechanism.name(), login.username.as_str()), ("SCRAM-SHA-512", "ann"));
        assert_eq!(login.password, "a;b=%");
        let refusal = |properties: &[(&str, &str)]| of(properties).err().unwrap_or_default();
        assert_eq!(refusal(&all[..3]), "could not use sasl.password: it is not set");
        assert!(refusal(&all[..1]).starts_with("could not use sasl.mechanism: GSSAPI is not one of"));
    }

    #[test]
    fn encryption_is_read_and_what_cannot_be_done_is_named() {
        let tls = |more: &[(&str, &str)]| {
            let all: Vec<_> = [("security.protocol", "ssl")].iter().chain(more).copied().collect();
            of(&all).map(|security| security.tls.expect("encrypted"))
        };
        assert_eq!(tls(&[]), Ok(Tls { checks_names: true, ..Tls::default() }));
        let full = tls(&[
            ("ssl.ca.location", "/ca"),
            ("ssl.certificate.pem", "C"),
            ("ssl.key.location", "/key"),
            ("ssl.key.password", "p;w"),
            ("ssl.endpoint.identification.algorithm", "none"),
        ]);
        let identity = Some((Pem::Text("C".to_owned()), Pem::File("/key".into())));
        let authorities = Some(Pem::File("/ca".into()));
        assert_eq!(
            full,
            Ok(Tls { authorities, identity, passphrase: Some("p;w".to_owned()), checks_names: false })
        );
        for (name, value) in
            [("ssl.keystore.location", "/p12"), ("enable.ssl.certificate.verification", "false")]
        {
            let error = tls(&[(name, value)]).expect_err("refused");
            assert!(error.starts_with(&format!("could not use {name}: this client")), "{error}");
        }
    }
}
