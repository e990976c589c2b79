//! What is wrong with a server's certificate, and what to do: one wording for Kafka, Postgres and the registry.

use rustls::CertificateError;
use std::error::Error;

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No authority that is trusted has signed it; who has, where that is known.
    Authority(Option<String>),
    /// Its time is over, since then.
    Expired(String),
    /// Its time has not come, until then.
    NotYet(String),
    /// It is for other hosts, which are told where they are known.
    Host(Option<String>),
    /// Something else, in the library's words; none when nothing is known but that it is not accepted.
    Other(Option<String>),
}

/// The setting that names the authority which is trusted.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// Where it stands, such as `ssl.ca.location in kafka.properties`.
    pub setting: &'a str,
    /// What it is set to; none where that is not known.
    pub value: Option<&'a str>,
    /// Where the server's address stands, such as `kafka.brokers`.
    pub address: &'a str,
}

impl Fault {
    /// The fault as a sentence about the certificate of `server`, such as `kafka at host:9093`.
    pub fn finding(&self, server: &str) -> String {
        let certificate = format!("the certificate of {server}");
        match self {
            Self::Authority(Some(issuer)) => {
                format!("{certificate} is signed by an authority that is not trusted here, {issuer}")
            }
            Self::Authority(None) => {
                format!("{certificate} is signed by an authority that is not trusted here")
            }
            Self::Expired(when) => format!("{certificate} has expired on {when}"),
            Self::NotYet(when) => format!("{certificate} is not valid before {when}"),
            Self::Host(Some(names)) => format!("{certificate} is not for that host name but for {names}"),
            Self::Host(None) => format!("{certificate} is not for that host name"),
            Self::Other(Some(why)) => format!("{certificate} is not accepted: {why}"),
            Self::Other(None) => format!("{certificate} is not accepted"),
        }
    }

    /// What to do, and the setting to look at.
    pub fn advice(&self, trust: Trust<'_>) -> String {
        match self {
            Self::Authority(_) | Self::Other(_) => format!(
                "set {} to the certificate of its authority{}",
                trust.setting,
                trust.value.map_or_else(String::new, |value| format!(" (it is {value})"))
            ),
            Self::Expired(_) => "renew it on the server".to_owned(),
            Self::NotYet(_) => "check the clocks of the server and of this machine".to_owned(),
            Self::Host(_) => format!("name the server in {} as its certificate does", trust.address),
        }
    }

    /// The fault that rustls has found, anywhere among the causes of `error`.
    pub fn in_causes(error: &(dyn Error + 'static)) -> Option<Self> {
        match tls_cause(error)? {
            rustls::Error::InvalidCertificate(fault) => Some(Self::of(fault)),
            _ => None,
        }
    }

    fn of(fault: &CertificateError) -> Self {
        let when = |time: &rustls::pki_types::UnixTime| {
            let seconds = i64::try_from(time.as_secs()).unwrap_or_default();
            jiff::Timestamp::from_second(seconds)
                .map_or_else(|_| "a date".to_owned(), |time| time.to_string())
        };
        match fault {
            CertificateError::UnknownIssuer => Self::Authority(None),
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired(when(not_after)),
            CertificateError::NotValidYetContext { not_before, .. } => Self::NotYet(when(not_before)),
            CertificateError::NotValidForName => Self::Host(None),
            CertificateError::NotValidForNameContext { presented, .. } => Self::Host(names(presented)),
            other => Self::Other(Some(other.to_string())),
        }
    }
}

/// True when what answered does not speak TLS.
pub fn speaks_no_tls(error: &(dyn Error + 'static)) -> bool {
    matches!(tls_cause(error), Some(rustls::Error::InvalidMessage(_)))
}

/// What rustls says, anywhere among the causes of `error`.
fn tls_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // An io::Error passes over its own cause, and names that one's.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|cause| cause as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

/// `localhost, 127.0.0.1` of `DnsName("localhost")`, `IpAddress(127.0.0.1)`.
fn names(presented: &[String]) -> Option<String> {
    let bare = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        inner.trim_matches('"').to_owned()
    };
    let names: Vec<String> = presented.iter().map(bare).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUST: Trust<'static> = Trust {
        setting: "ssl.ca.location in kafka.properties",
        value: Some("/ca.pem"),
        address: "kafka.brokers",
    };

    #[test]
    fn a_fault_is_found_beneath_an_io_error() {
        let fault = rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            expected: rustls::pki_types::ServerName::try_from("db").expect("a name"),
            presented: vec!["DnsName(\"localhost\")".to_owned(), "IpAddress(127.0.0.1)".to_owned()],
        });
        let error = std::io::Error::new(std::io::ErrorKind::InvalidData, fault);
        let found = Fault::in_causes(&error).expect("a fault");
        assert_eq!(found, Fault::Host(Some("localhost, 127.0.0.1".to_owned())));
        let finding =
            "the certificate of kafka at db:1 is not for that host name but for localhost, 127.0.0.1";
        assert_eq!(found.finding("kafka at db:1"), finding);
        assert_eq!(found.advice(TRUST), "name the server in kafka.brokers as its certificate does");
        assert_eq!(Fault::in_causes(&std::io::Error::other("no")), None);
    }

    #[test]
    fn an_expired_certificate_tells_its_date() {
        let time = rustls::pki_types::UnixTime::since_unix_epoch;
        let fault = CertificateError::ExpiredContext {
            time: time(std::time::Duration::from_secs(86_401)),
            not_after: time(std::time::Duration::from_hours(24)),
        };
        let finding = "the certificate of x has expired on 1970-01-02T00:00:00Z";
        assert_eq!(Fault::of(&fault).finding("x"), finding);
    }

    #[test]
    fn an_unknown_authority_names_the_setting() {
        let fault = Fault::of(&CertificateError::UnknownIssuer);
        let advice =
            "set ssl.ca.location in kafka.properties to the certificate of its authority (it is /ca.pem)";
        assert_eq!(fault.advice(TRUST), advice);
    }
}
