//! Settings as they are used: who sends, by which server, and where wishes to get no more mail go.
//!
//! Invariant: what cannot work is refused before anything is sent, by the setting's name.

use lettre::{Address, message::Mailbox};
use runtime::{
    HostError,
    config::{Email, MailSecurity},
};

/// What a letter says of its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sender {
    /// Who sends.
    pub(crate) from: Mailbox,
    /// Address that takes wishes to get no more mail.
    pub(crate) unsubscribe: Address,
    /// Address of `https` that does.
    pub(crate) unsubscribe_url: Option<String>,
}

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// An address that mail can be sent to, in the form in which it is kept.
///
/// # Errors
/// What is wrong with it.
pub fn check_address(text: &str) -> Result<String, String> {
    let address: Address = text.trim().parse().map_err(|error| format!("it is no address: {error}"))?;
    // The name of a host has no case; whose mailbox it is may.
    let address = format!("{}@{}", address.user(), address.domain().to_lowercase());
    if !address.is_ascii() {
        return Err("it has letters beyond ASCII, which not every server takes".to_owned());
    }
    Ok(address)
}

impl Sender {
    pub(crate) fn of(settings: &Email) -> Result<Self, HostError> {
        let from = settings.from.as_deref().ok_or_else(|| {
            unable("email.from is not set: give who sends, such as Digests <digests@example.org>".to_owned())
        })?;
        let from: Mailbox = from.parse().map_err(|error| {
            unable(format!("email.from is not digests@example.org or Digests <...>: {error}"))
        })?;
        let unsubscribe = match &settings.unsubscribe {
            Some(text) => {
                text.parse().map_err(|error| unable(format!("email.unsubscribe is no address: {error}")))?
            }
            None => from.email.clone(),
        };
        Ok(Self { from, unsubscribe, unsubscribe_url: settings.unsubscribe_url.clone() })
    }
}

impl Server {
    pub(crate) fn of(settings: &Email) -> Result<Self, HostError> {
        let host = settings.host.clone().filter(|host| !host.is_empty()).ok_or_else(|| {
            unable("email.host is not set: give the mail server in GISTMILL_EMAIL__HOST".to_owned())
        })?;
        let port = settings.port.unwrap_or(match settings.security {
            MailSecurity::Starttls => 587,
            MailSecurity::Tls => 465,
            MailSecurity::None => 25,
        });
        Ok(Self { host, port })
    }
}

pub(crate) fn unable(why: String) -> HostError {
    HostError::Start { what: "send mail", why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_and_no_header() {
        assert_eq!(check_address(" Ann.B@Example.ORG "), Ok("Ann.B@example.org".to_owned()));
        for text in [
            "",
            "ann",
            "ann@",
            "@example.org",
            "ann@example.org, bo@example.org",
            "ann@example.org\r\nBcc: eve@example.org",
            "Ann <ann@example.org>",
            "ann@exa mple.org",
            "аня@example.org",
        ] {
            assert!(check_address(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        let why = |settings: Email| Sender::of(&settings).unwrap_err().to_string();
        assert!(why(Email::default()).contains("email.from is not set"));
        let of = |from: &str| Email { from: Some(from.to_owned()), ..Email::default() };
        assert!(why(of("nobody")).contains("email.from is not"));
        let wrong = Email { unsubscribe: Some("x".to_owned()), ..of("digests@example.org") };
        assert!(why(wrong).contains("email.unsubscribe is no address"));
        let sender = Sender::of(&of("Digests <digests@example.org>")).unwrap();
        assert_eq!(sender.unsubscribe.to_string(), "digests@example.org");
        assert!(Server::of(&Email::default()).unwrap_err().to_string().contains("email.host"));
    }

    #[test]
    fn a_port_goes_with_how_the_connection_is_secured() {
        let port = |security| {
            let settings = Email { host: Some("mail.example.org".to_owned()), security, ..Email::default() };
            Server::of(&settings).unwrap().port
        };
        let all = [MailSecurity::Starttls, MailSecurity::Tls, MailSecurity::None];
        assert_eq!(all.map(port), [587, 465, 25]);
    }
}
