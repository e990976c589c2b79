//! One letter to one recipient, by SMTP.
//!
//! Invariant: a letter is handed over once; whether it may have been taken is known from how far it got. Without TLS nothing leaves
//! this machine.

use crate::{
    answer::{Stage, failed, too_late},
    settings::{Sender, Server, unable},
};
use courier::Answer;
use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use runtime::{
    HostError,
    config::{Email, MailSecurity},
};
use secrecy::{ExposeSecret, SecretString};
use std::{future::Future, net::SocketAddr, time::Duration};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest way from the connection to where the letter is handed over.
const GREET_TIMEOUT: Duration = Duration::from_secs(40);
/// Longest wait for what becomes of a letter: a server may look at it first.
const TAKE_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest try.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(100);
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// The server.
#[derive(Clone)]
pub(crate) struct Smtp {
    server: Server,
    security: MailSecurity,
    login: Option<(String, SecretString)>,
    tls: Option<TlsParameters>,
    hello: ClientId,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Smtp {
    /// A client; touches no network.
    pub(crate) fn new(settings: &Email, sender: &Sender) -> Result<Self, HostError> {
        let server = Server::of(settings)?;
        let tls = match settings.security {
            MailSecurity::None => None,
            MailSecurity::Starttls | MailSecurity::Tls => Some(tls(settings, &server.host)?),
        };
        let login = match (&settings.username, &settings.password) {
            (Some(username), Some(password)) => Some((username.clone(), password.clone())),
            (None, None) => None,
            _ => return Err(unable("give email.username and email.password both, or none".to_owned())),
        };
        let hello = ClientId::Domain(sender.from.email.domain().to_owned());
        Ok(Self { server, security: settings.security, login, tls, hello })
    }

    /// Hands a letter over.
    pub(crate) async fn send(&self, (from, to): (&Address, Address), letter: &[u8]) -> Answer {
        let ready = within(GREET_TIMEOUT, "before the letter", Stage::Before, self.prepare(from, to)).await;
        let mut connection = match ready {
            Ok(connection) => connection,
            Err(answer) => return answer,
        };
        let taken = tokio::time::timeout(TAKE_TIMEOUT, connection.message(letter)).await;
        match taken {
            Ok(Ok(_)) => {
                // It was taken, whatever becomes of the farewell.
                drop(tokio::time::timeout(CONNECT_TIMEOUT, connection.quit()).await);
                Answer::Delivered
            }
            Ok(Err(error)) => failed(&error, Stage::Handed),
            Err(_) => too_late("after the letter", Stage::Handed),
        }
    }

    /// A connection on which the letter is the next thing to be said.
    async fn prepare(&self, from: &Address, to: Address) -> Result<AsyncSmtpConnection, Answer> {
        let before = |error| failed(&error, Stage::Before);
        let greeting = |error| failed(&error, Stage::Greeting);
        let mut connection = self.connect().await?;
        if let Some((username, password)) = &self.login {
            let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
            connection.auth(&MECHANISMS, &credentials).await.map_err(|error| {
                match failed(&error, Stage::Greeting) {
                    Answer::NotYet { why, after } if error.is_permanent() => {
                        let why = format!("{why}; email.username and email.password are not taken");
                        Answer::NotYet { why, after }
                    }
                    answer => answer,
                }
            })?;
        }
        let envelope = Envelope::new(Some(from.clone()), vec![to.clone()]);
        let envelope = envelope.map_err(|error| Answer::Refused(error.to_string()))?;
        connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await.map_err(greeting)?;
        connection.command(Rcpt::new(to, Vec::new())).await.map_err(before)?;
        connection.command(Data).await.map_err(before)?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Answer> {
        let later = |why: String| Answer::NotYet { why: format!("the mail server: {why}"), after: None };
        let (host, port) = (&*self.server.host, self.server.port);
        let found = tokio::net::lookup_host((host, port)).await;
        let found: Vec<SocketAddr> = found.map_err(|error| later(format!("{host}: {error}")))?.collect();
        if self.security == MailSecurity::None && !found.iter().all(|address| address.ip().is_loopback()) {
            return Err(later(format!(
                "{host} is not on this machine: set email.security to starttls or tls"
            )));
        }
        let implicit = self.tls.clone().filter(|_| self.security == MailSecurity::Tls);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            &found[..],
            Some(CONNECT_TIMEOUT),
            &self.hello,
            implicit,
            None,
        );
        let mut connection = connecting.await.map_err(|error| failed(&error, Stage::Greeting))?;
        if self.security == MailSecurity::Starttls
            && let Some(tls) = self.tls.clone()
        {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(later("it does not offer STARTTLS, and nothing is sent without".to_owned()));
            }
            connection.starttls(tls, &self.hello).await.map_err(|error| failed(&error, Stage::Greeting))?;
        }
        Ok(connection)
    }
}

async fn within<T>(
    time: Duration,
    what: &str,
    stage: Stage,
    work: impl Future<Output = Result<T, Answer>>,
) -> Result<T, Answer> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| Err(too_late(what, stage)))
}

fn tls(settings: &Email, host: &str) -> Result<TlsParameters, HostError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.ca_location {
        let failed = |why: String| unable(format!("could not use email.ca_location {path}: {why}"));
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        // Of a file without one the library makes an authority that vouches for nobody.
        if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(failed("there is no certificate in it".to_owned()));
        }
        let authority = Certificate::from_pem(&pem).map_err(|error| failed(error.to_string()))?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build_rustls().map_err(|error| unable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
        net::TcpListener,
    };

    /// What comes of a letter at a server that says this, first and to each command, and goes.
    async fn sent(answers: Vec<&'static str>) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = Email {
            host: Some("127.0.0.1".to_owned()),
            port: Some(listener.local_addr().unwrap().port()),
            security: MailSecurity::None,
            from: Some("digests@example.org".to_owned()),
            ..Email::default()
        };
        let speaking = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (mut stream, mut line) = (BufReader::new(stream), String::new());
            for answer in answers {
                stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
                stream.read_line(&mut line).await.unwrap();
            }
        });
        let sender = Sender::of(&settings).unwrap();
        let smtp = Smtp::new(&settings, &sender).unwrap();
        let to: Address = "ann@example.org".parse().unwrap();
        let answer = smtp.send((&sender.from.email, to), b"letter").await;
        speaking.await.unwrap();
        answer
    }

    #[test]
    fn a_file_without_an_authority_is_refused_by_the_settings_name() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let settings = Email {
            host: Some("mail.example.org".to_owned()),
            from: Some("digests@example.org".to_owned()),
            ca_location: Some(path.to_owned()),
            ..Email::default()
        };
        let refused = Smtp::new(&settings, &Sender::of(&settings).unwrap()).unwrap_err().to_string();
        assert!(refused.contains("email.ca_location") && refused.contains("no certificate"), "{refused}");
    }

    #[tokio::test]
    async fn what_a_server_has_against_us_is_no_fault_of_the_letter() {
        for answers in [
            vec!["554 no service for you"],
            vec!["220 hello", "550 who are you"],
            vec!["220 hello", "250 hello", "553 nobody sends as that from there"],
        ] {
            let answer = sent(answers.clone()).await;
            let Answer::NotYet { why, after: None } = &answer else { panic!("{answers:?}: {answer:?}") };
            assert!(why.starts_with("the mail server answers 55"), "{why}");
        }
        let answer = sent(vec!["220 hello", "250 hello", "250 well", "550 no such user"]).await;
        assert_eq!(answer, Answer::Refused("the mail server answers 550: no such user".to_owned()));
    }
}
