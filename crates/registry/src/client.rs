//! Requests of the Confluent API, one method each, to the first of several registries that serves.
//!
//! Invariant: the next registry is asked only where one is away. An answer is an answer: "no such schema" and a refused
//! log-in are not asked around.

use crate::{
    Error,
    address::Address,
    node::{Node, SchemaBody},
    options::Options,
};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

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

/// A client of a registry, or of several with the same schemas; cheap to clone.
#[derive(Clone)]
pub struct Client {
    nodes: Arc<[Node]>,
    addresses: Arc<str>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.addresses).finish_non_exhaustive()
    }
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
struct LevelBody {
    compatibility: Compatibility,
}

impl Client {
    /// A client; touches no network. Fails when an address is not one, or the authorities cannot be read.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "options are made for one client, and hold its password"
    )]
    pub fn new(options: Options) -> Result<Self, Error> {
        let addresses = Address::parse_all(options.url.expose_secret())?;
        let nodes: Vec<Node> =
            addresses.into_iter().map(|address| Node::new(&options, address)).collect::<Result<_, _>>()?;
        let addresses: Vec<&str> = nodes.iter().map(|node| node.base.as_str()).collect();
        Ok(Self { addresses: addresses.join(",").into(), nodes: nodes.into() })
    }

    /// The addresses without credentials, for messages.
    pub fn address(&self) -> &str {
        &self.addresses
    }

    /// The answer of the first registry that serves; the last one's failure where none does.
    async fn first<'a, T, F>(&'a self, ask: impl Fn(&'a Node) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let (last, others) = (&self.nodes[self.nodes.len() - 1], &self.nodes[..self.nodes.len() - 1]);
        for node in others {
            match ask(node).await {
                Err(error) if error.is_away() => {}
                answer => return answer,
            }
        }
        ask(last).await
    }

    /// The JSON of the schema with this id.
    pub async fn schema_by_id(&self, id: u32) -> Result<String, Error> {
        self.first(|node| node.schema_by_id(id)).await
    }

    /// Registers a schema under a subject, or finds it there; returns its id.
    pub async fn register(&self, subject: &str, avsc: &str) -> Result<u32, Error> {
        match self.first(|node| node.register(subject, avsc)).await {
            // Also the answer of Apicurio to the slower one of two who register the same.
            Err(conflict @ Error::Incompatible { .. }) => {
                self.lookup(subject, avsc).await.map_err(|_| conflict)
            }
            answer => answer,
        }
    }

    /// Id of a schema that is registered under a subject; [`Error::NotFound`] when it is not.
    pub async fn lookup(&self, subject: &str, avsc: &str) -> Result<u32, Error> {
        self.first(|node| node.lookup(subject, avsc)).await
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
        let path = ["compatibility", "subjects", subject, "versions", "latest"];
        let what = format!("check a schema against {subject}");
        let verdict = self.first(|node| {
            let request = node.request(Method::POST, &path).json(&SchemaBody { schema: avsc });
            node.ask::<Verdict>(&what, request)
        });
        Ok(absent_as_none(verdict.await)?.is_none_or(|verdict| verdict.is_compatible))
    }

    /// Every subject. A registry may cap the list: ask for a subject's versions to know whether it exists.
    pub async fn subjects(&self) -> Result<Vec<String>, Error> {
        self.first(Node::subjects).await
    }

    /// Version numbers of a subject, oldest first; empty when there is no such subject.
    pub async fn versions(&self, subject: &str) -> Result<Vec<u32>, Error> {
        let versions = self.first(|node| node.versions(subject)).await;
        absent_as_none(versions).map(Option::unwrap_or_default)
    }

    /// The JSON of a version of a subject.
    pub async fn schema_of_version(&self, subject: &str, version: u32) -> Result<String, Error> {
        self.first(|node| node.schema_of_version(subject, version)).await
    }

    /// A subject's own rule; `None` when it has none and the registry's global rule holds.
    pub async fn compatibility(&self, subject: &str) -> Result<Option<Compatibility>, Error> {
        let what = format!("read the compatibility of {subject}");
        let level =
            self.first(|node| node.ask::<Level>(&what, node.request(Method::GET, &["config", subject])));
        Ok(absent_as_none(level.await)?.map(|level| level.level))
    }

    /// Sets a subject's own rule.
    pub async fn set_compatibility(&self, subject: &str, compatibility: Compatibility) -> Result<(), Error> {
        match self.put_compatibility(subject, compatibility).await {
            // Apicurio's answer to the slower one of two who make the rule; now there is one to set.
            Err(Error::Incompatible { .. }) => self.put_compatibility(subject, compatibility).await,
            answer => answer,
        }
    }

    async fn put_compatibility(&self, subject: &str, compatibility: Compatibility) -> Result<(), Error> {
        let what = format!("set the compatibility of {subject}");
        let answer = self.first(|node| {
            let request = node.request(Method::PUT, &["config", subject]);
            node.ask::<serde_json::Value>(&what, request.json(&LevelBody { compatibility }))
        });
        answer.await.map(drop)
    }
}

fn absent_as_none<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { code, .. }) if code != 0 => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    #[test]
    fn credentials_leave_the_address() {
        let client =
            Client::new(Options::new("http://ann:p%40ss@localhost:8081/apis/ccompat/v7/")).expect("valid");
        assert_eq!(client.address(), "http://localhost:8081/apis/ccompat/v7/");
        assert_eq!(client.nodes[0].username.as_deref(), Some("ann"));
        assert_eq!(client.nodes[0].password.as_ref().map(ExposeSecret::expose_secret), Some("p@ss"));
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
        assert_eq!(client.nodes[0].username.as_deref(), Some("bob"));
        assert_eq!(client.nodes[0].password.as_ref().map(ExposeSecret::expose_secret), Some("secret"));
    }

    #[test]
    fn subjects_are_escaped_in_paths() {
        let client = Client::new(Options::new("http://localhost/base")).expect("valid");
        let request =
            client.nodes[0].request(Method::GET, &["subjects", "a/b c", "versions"]).build().expect("valid");
        assert_eq!(request.url().as_str(), "http://localhost/base/subjects/a%2Fb%20c/versions");
    }
}
