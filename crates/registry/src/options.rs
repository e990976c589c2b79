//! Where the registry is and how to log in there.

use crate::Error;
use secrecy::SecretString;
use std::time::Duration;

/// A registry answers in milliseconds; ten seconds cover its restart behind a proxy without hanging a start.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where the registry is and how to ask it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Base address with the API's path, such as `http://127.0.0.1:8081/apis/ccompat/v7`. User and password in it
    /// are used for basic authentication unless given below; because of them it is not printed. Several, of registries
    /// with the same schemas, are written with commas between them: the next is asked where one is away.
    pub url: SecretString,
    /// User for basic authentication. Default: none.
    pub username: Option<String>,
    /// Its password. Default: none.
    pub password: Option<SecretString>,
    /// PEM file with the authorities that are trusted besides those of the system. Default: none.
    pub ca_location: Option<String>,
    /// Longest wait for one answer. Default: 10 s.
    pub timeout: Duration,
}

impl Options {
    /// The registry at `url` with default limits.
    pub fn new(url: impl Into<String>) -> Self {
        let url = SecretString::from(url.into());
        Self { url, username: None, password: None, ca_location: None, timeout: TIMEOUT }
    }
}

impl<S: AsRef<str>> From<&S> for Options
where
    S: ?Sized,
{
    fn from(url: &S) -> Self {
        Self::new(url.as_ref())
    }
}

impl Options {
    /// The certificates of `ca_location`; none without one.
    pub(crate) fn authorities(&self) -> Result<Vec<reqwest::Certificate>, Error> {
        let Some(path) = &self.ca_location else { return Ok(Vec::new()) };
        let failed = |why: String| Error::Authority { path: path.clone(), why };
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
        if found.is_empty() { Err(failed("it holds no certificate".to_owned())) } else { Ok(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_that_cannot_be_read_are_named() {
        let with = |path: &str| {
            let options = Options { ca_location: Some(path.to_owned()), ..Options::new("https://localhost") };
            options.authorities().err().map(|error| error.to_string()).unwrap_or_default()
        };
        let start = "could not use the certificates in /no/such.pem (registry.ca_location): ";
        assert!(with("/no/such.pem").starts_with(start), "{}", with("/no/such.pem"));
        assert!(with("/dev/null").ends_with("it holds no certificate"), "{}", with("/dev/null"));
    }
}
