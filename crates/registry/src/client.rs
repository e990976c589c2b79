//! Requests of the Confluent API, one method each.

use crate::{
    Error,
    address::Address,
    error::{ErrorBody, Peer},
    options::Options,
};
use reqwest::{Method, RequestBuilder, StatusCode, Url, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt, sync::Arc, time::Duration};

const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Rule that new versions of a subject have to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Compatibility {
    /// No rule.
    None,
    /// New readers read the last version.
    Backward,
    /// New readers read every version.
    BackwardTransitive,
    /// Readers of the last version read the new one.
    Forward,
    /// Readers of every version read the new one.
    ForwardTransitive,
    /// Both ways with the last version.
    Full,
    /// Both ways with every version: what the event contract asks for.
    FullTransitive,
}

/// A client of one registry; cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Arc<Url>,
    username: Option<String>,
    password: Option<SecretString>,
    ca_location: Option<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.base.as_str()).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct SchemaText {
    schema: String,
}

#[derive(Deserialize)]
struct SchemaId {
    id: u32,
}

/// The level is `compatibilityLevel` when read and `compatibility` when written.
#[derive(Deserialize)]
struct Level {
    #[serde(rename = "compatibilityLevel", alias = "compatibility")]
    level: Compatibility,
}

#[derive(Deserialize)]
struct Verdict {
    is_compatible: bool,
}

#[derive(Serialize)]
struct SchemaBody<'a> {
    schema: &'a str,
}

#[derive(Serialize)]
struct LevelBody {
    compatibility: Compatibility,
}

impl Client {
    /// A client; touches no network. Fails when the address is not one, or the authorities cannot be read.
    pub fn new(options: Options) -> Result<Self, Error> {
        let Address { base, username, password } = Address::parse(options.url.expose_secret())?;
        let http = reqwest::Client::builder()
            .timeout(options.timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(options.timeout))
            .tls_certs_merge(options.authorities()?)
            .build()
            .map_err(|source| Error::Unreachable { address: base.to_string(), source: Box::new(source) })?;
        Ok(Self {
            http,
            base: Arc::new(base),
            username: options.username.or(username),
            password: options.password.or(password),
            ca_location: options.ca_location,
        })
    }

    /// The address without credentials, for messages.
    pub fn address(&self) -> &str {
        self.base.as_str()
    }

    /// The JSON of the schema with this id.
    pub async fn schema_by_id(&self, id: u32) -> Result<String, Error> {
        let request = self.request(Method::GET, &["schemas", "ids", &id.to_string()]);
        let text: SchemaText = self.ask(&format!("read schema {id}"), request).await?;
        Ok(text.schema)
    }

    /// Registers a schema under a subject, or finds it there; returns its id.
    pub async fn register(&self, subject: &str, avsc: &str) -> Result<u32, Error> {
        let request = self.request(Method::POST, &["subjects", subject, "versions"]);
        let what = format!("register a schema under {subject}");
        match self.ask::<SchemaId>(&what, with_schema(request, avsc)).await {
            Ok(registered) => Ok(registered.id),
            // Also the answer of Apicurio to the slower one of two who register the same.
            Err(conflict @ Error::Incompatible { .. }) => {
                self.lookup(subject, avsc).await.map_err(|_| conflict)
            }
            Err(error) => Err(error),
        }
    }

    /// Id of a schema that is registered under a subject; [`Error::NotFound`] when it is not.
    pub async fn lookup(&self, subject: &str, avsc: &str) -> Result<u32, Error> {
        let request = self.request(Method::POST, &["subjects", subject]);
        let id: SchemaId =
            self.ask(&format!("look up a schema under {subject}"), with_schema(request, avsc)).await?;
        Ok(id.id)
    }

    /// Ids of registered schemas, in order; what encoders write with. Fails on the first that is missing.
    pub async fn ids(&self, schemas: &[(&str, &str)]) -> Result<Vec<u32>, Error> {
        let mut ids = Vec::with_capacity(schemas.len());
        for (subject, avsc) in schemas {
            ids.push(self.lookup(subject, avsc).await?);
        }
        Ok(ids)
    }

    /// Whether the registry would take a schema under a subject by the subject's own rule. A new subject takes any.
    pub async fn is_compatible(&self, subject: &str, avsc: &str) -> Result<bool, Error> {
        let request =
            self.request(Method::POST, &["compatibility", "subjects", subject, "versions", "latest"]);
        let what = format!("check a schema against {subject}");
        let verdict = self.ask::<Verdict>(&what, with_schema(request, avsc)).await;
        Ok(absent_as_none(verdict)?.is_none_or(|verdict| verdict.is_compatible))
    }

    /// Every subject. A registry may cap the list: ask for a subject's versions to know whether it exists.
    pub async fn subjects(&self) -> Result<Vec<String>, Error> {
        self.ask("list subjects", self.request(Method::GET, &["subjects"])).await
    }

    /// Version numbers of a subject, oldest first; empty when there is no such subject.
    pub async fn versions(&self, subject: &str) -> Result<Vec<i32>, Error> {
        let request = self.request(Method::GET, &["subjects", subject, "versions"]);
        absent_as_none(self.ask(&format!("list the versions of {subject}"), request).await)
            .map(Option::unwrap_or_default)
    }

    /// The JSON of a version of a subject.
    pub async fn schema_of_version(&self, subject: &str, version: i32) -> Result<String, Error> {
        let request = self.request(Method::GET, &["subjects", subject, "versions", &version.to_string()]);
        let text: SchemaText = self.ask(&format!("read version {version} of {subject}"), request).await?;
        Ok(text.schema)
    }

    /// A subject's own rule; `None` when it has none and the registry's global rule holds.
    pub async fn compatibility(&self, subject: &str) -> Result<Option<Compatibility>, Error> {
        let request = self.request(Method::GET, &["config", subject]);
        let level = self.ask::<Level>(&format!("read the compatibility of {subject}"), request).await;
        Ok(absent_as_none(level)?.map(|level| level.level))
    }

    /// Sets a subject's own rule.
    pub async fn set_compatibility(&self, subject: &str, compatibility: Compatibility) -> Result<(), Error> {
        let what = format!("set the compatibility of {subject}");
        let set = || self.request(Method::PUT, &["config", subject]).json(&LevelBody { compatibility });
        let answer = match self.ask::<serde_json::Value>(&what, set()).await {
            // Apicurio's answer to the slower one of two who make the rule; now there is one to set.
            Err(Error::Incompatible { .. }) => self.ask(&what, set()).await,
            answer => answer,
        };
        answer.map(drop)
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = Url::clone(&self.base);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let request = self.http.request(method, url).header(header::ACCEPT, MEDIA_TYPE);
        match &self.username {
            Some(user) => request.basic_auth(user, self.password.as_ref().map(ExposeSecret::expose_secret)),
            None => request,
        }
    }

    async fn ask<T: DeserializeOwned>(&self, what: &str, request: RequestBuilder) -> Result<T, Error> {
        let peer = Peer {
            address: self.base.as_str(),
            username: self.username.as_deref(),
            ca_location: self.ca_location.as_deref(),
        };
        let unanswered = |source| Error::unanswered(&peer, source);
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(|source| Error::Answer {
                what: what.to_owned(),
                address: self.base.to_string(),
                source: Box::new(source),
            });
        }
        let body = response.text().await.map_err(unanswered)?;
        let body = error_body(status, &body);
        Err(match status.as_u16() {
            entry @ (401 | 403) => Error::refused_entry(&peer, what, entry, &body.message),
            other => Error::from_answer(what, other, body),
        })
    }
}

fn with_schema(request: RequestBuilder, avsc: &str) -> RequestBuilder {
    request.json(&SchemaBody { schema: avsc })
}

fn absent_as_none<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { code, .. }) if code != 0 => Ok(None),
        Err(error) => Err(error),
    }
}

/// A body that is not the API's (a proxy's page) is kept out of messages but for the status line.
fn error_body(status: StatusCode, body: &str) -> ErrorBody {
    let body: ErrorBody = serde_json::from_str(body).unwrap_or_default();
    if !body.message.is_empty() {
        return body;
    }
    ErrorBody { message: status.canonical_reason().unwrap_or("no reason given").to_owned(), ..body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_the_address() {
        let client =
            Client::new(Options::new("http://ann:p%40ss@localhost:8081/apis/ccompat/v7/")).expect("valid");
        assert_eq!(client.address(), "http://localhost:8081/apis/ccompat/v7/");
        assert_eq!(client.username.as_deref(), Some("ann"));
        assert_eq!(client.password.as_ref().map(ExposeSecret::expose_secret), Some("p@ss"));
        assert!(!format!("{client:?}").contains("p@ss"));
    }

    #[test]
    fn options_outrank_the_address() {
        let options = Options {
            username: Some("bob".to_owned()),
            password: Some(SecretString::from("secret".to_owned())),
            ..Options::new("http://ann:other@localhost")
        };
        let client = Client::new(options).expect("valid");
        assert_eq!(client.username.as_deref(), Some("bob"));
        assert_eq!(client.password.as_ref().map(ExposeSecret::expose_secret), Some("secret"));
    }

    #[test]
    fn subjects_are_escaped_in_paths() {
        let client = Client::new(Options::new("http://localhost/base")).expect("valid");
        let request = client.request(Method::GET, &["subjects", "a/b c", "versions"]).build().expect("valid");
        assert_eq!(request.url().as_str(), "http://localhost/base/subjects/a%2Fb%20c/versions");
    }
}
