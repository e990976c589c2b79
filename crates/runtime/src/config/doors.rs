//! Settings of `webhook_sink` and `email_sink`.

use super::checks;
use garde::Validate;
use secrecy::SecretString;
use serde::Deserialize;

/// How `webhook_sink` posts; where to, `gistmill webhook set` says for each tenant or group.
#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Whether addresses of `http` will do. Default: false; for development.
    #[garde(skip)]
    pub allow_insecure: bool,
    /// Whether addresses inside of private networks, and this machine, will do. Default: false: who may set an address could make
    /// this process talk to whatever it can reach.
    #[garde(skip)]
    pub allow_private: bool,
    /// File with the certificates (PEM) of authorities that are trusted beside the public ones. Default: none.
    #[garde(skip)]
    pub ca_location: Option<String>,
}

/// The mail server by which `email_sink` sends.
#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Email {
    /// Its host. Default: none, and `gistmill up` leaves the sink out.
    #[garde(skip)]
    pub host: Option<String>,
    /// Its port. Default: 587 with `starttls`, 465 with `tls`, 25 with `none`.
    #[garde(skip)]
    pub port: Option<u16>,
    /// How the connection is secured. Default: `starttls`, without which nothing is sent.
    #[garde(skip)]
    pub security: MailSecurity,
    /// User to log in as. Default: none, and nobody logs in.
    #[garde(skip)]
    pub username: Option<String>,
    /// Its password.
    #[garde(skip)]
    pub password: Option<SecretString>,
    /// File with the certificates (PEM) of authorities that are trusted beside the public ones. Default: none.
    #[garde(skip)]
    pub ca_location: Option<String>,
    /// Who sends: `digests@example.org`, or `Digests <digests@example.org>`.
    #[garde(skip)]
    pub from: Option<String>,
    /// Address that takes wishes to get no more mail. Default: that of `from`.
    #[garde(skip)]
    pub unsubscribe: Option<String>,
    /// Address of `https` that takes them as well. Default: none.
    #[garde(inner(custom(checks::unsubscribe_url)))]
    pub unsubscribe_url: Option<String>,
}

/// How a connection to a mail server is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// It begins in the clear and goes on with TLS, or ends.
    #[default]
    Starttls,
    /// TLS from the beginning.
    Tls,
    /// Not at all: to a loopback address only.
    None,
}
